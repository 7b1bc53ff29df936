#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# find.sh POOL IDENTIFIER: the files of an upload that is done, for a program
# that was told its identifier alone: for each file a line with its path, and
# one with the name that its client gave it, as a JSON string. Ends with 1 where
# there is no such upload, with 2 where it cannot be read.

set -eu
LC_ALL=C

# It becomes part of a path.
case $2 in
'' | *[!A-Za-z0-9-]*) exit 1 ;;
esac
[ ${#2} -le 64 ] || exit 1
if ! [ -x "$1" ] || { [ -e "$1/$2" ] && ! [ -r "$1/$2/metadata.json" ]; }; then
    echo "$1/$2: not readable for this user: have httpd say \"UploadFileGroup" \
        "GROUP\" and \"UploadFileMode 0640\", and give that group the pool" \
        "(chgrp GROUP, chmod 710)" >&2
    exit 2
fi
[ -e "$1/$2" ] && [ "$(jq -r .state "$1/$2/metadata.json")" = done ] || exit 1
jq -r --arg bucket "$1/$2" \
    '.files[] | "\($bucket)/\(.stored)", (.filename | tojson)' \
    "$1/$2/metadata.json"
