#!/bin/sh
# make_page.sh PAGE.in MARK COMMAND...: the page, with the output of COMMAND
# where a line says MARK.
set -eu
page=$1 mark=$2; shift 2
filling=$("$@")
while IFS= read -r line; do
	if [ "$line" = "$mark" ]; then printf '%s\n' "$filling"
	else printf '%s\n' "$line"; fi
done <"$page"
