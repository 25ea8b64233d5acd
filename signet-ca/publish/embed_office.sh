#!/bin/sh
# embed_office.sh FILE...: texts of the office, as C.
set -eu
echo '#include "signet-ca/base/ca_shipped.h"'
echo
echo '#include <stddef.h>'
echo
echo 'const struct ca_shipped ca_office[] = {'
for file in "$@"; do
	printf '\t{ "%s",\n' "$(basename "$file")"
	sed 's/["\\]/\\&/g; s/	/\\t/g; s/.*/\t    "&\\n"/' "$file"
	printf '\t},\n'
done
echo '	{ NULL, NULL },'
echo '};'
