#!/bin/sh
# embed.sh FILE.profile...: the table of ca_shipped.h, as C.
set -eu
echo '#include "signet-ca/base/ca_shipped.h"'
echo
echo '#include <stddef.h>'
echo
echo 'const struct ca_shipped ca_shipped[] = {'
for file in "$@"; do
	printf '\t{ "%s",\n' "$(basename "$file" .profile)"
	sed 's/["\\]/\\&/g; s/.*/\t    "&\\n"/' "$file"
	printf '\t},\n'
done
echo '	{ NULL, NULL },'
echo '};'
