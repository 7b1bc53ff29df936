#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Receives uploads with a shell, jq and openssl. Nothing in a body is believed
# before its signature is, and no key is ever an argument of a program, where
# ps would show it.
#
#     <Location "/cgi-bin/upload.cgi">
#         UploadPool /var/lib/upload_pool
#         UploadKeyFile /etc/apache2/upload_pool.key
#         UploadKeep claimed
#         SetEnv UPLOADS_KEY /etc/myapp/upload_pool.key
#         SetEnv UPLOADS_DIR /srv/uploads
#     </Location>
#
# The key file has to be readable for the server's user, and for nobody else.

set -eu
umask 027
LC_ALL=C

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

refuse()
{
    printf 'Status: %s\r\nContent-Type: application/json\r\n\r\n' "$1"
    printf '{"error": "%s"}' "$2"
    exit 0
}

# trouble TEXT PATH REASON: what is the server's fault.  The client is told no
# path, the log is.
trouble()
{
    printf '%s: %s\n' "$2" "$3" >&2
    refuse 500 "$1"
}

remedy='not readable for this user: have httpd say "UploadFileGroup GROUP" and
"UploadFileMode 0640", and give that group the pool (chgrp GROUP, chmod 710)'

sha256() { openssl dgst -sha256 -binary; }

# A key of more than 64 bytes counts as its digest.
short()
{
    if [ ${#1} -gt 64 ]; then
        printf %s "$1" | sha256
    else
        printf %s "$1"
    fi
}

# pad KEY BYTE: the key's 64 bytes, each xor BYTE (RFC 2104), by printf, which
# the shell has in itself.
pad()
{
    n=0
    for byte in $(short "$1" | od -An -v -tu1); do
        printf "\\$(printf %03o $((byte ^ $2)))"
        n=$((n + 1))
    done
    while [ $n -lt 64 ]; do
        printf "\\$(printf %03o "$2")"
        n=$((n + 1))
    done
}

# hmac KEY: HMAC-SHA256 of what it reads, in hex.
hmac()
{
    { pad "$1" 54; cat; } | sha256 >"$work/inner"
    { pad "$1" 92; cat "$work/inner"; } | sha256 | od -An -v -tx1 | tr -d ' \n'
}

# A shell compares from left to right and stops. Of two digests with a salt that
# nobody knows that tells nothing about what they were made of.
salted() { { cat "$work/salt"; printf %s "$1"; } | openssl dgst -sha256; }
same() { [ "$(salted "$1")" = "$(salted "$2")" ]; }

# Over the bytes as they came.
is_signed()
{
    while read -r key || [ -n "$key" ]; do
        case $key in
        '#'* | '') continue ;;
        esac
        if same "$HTTP_X_UPLOAD_SIGNATURE" \
            "sha256=$(hmac "$key" <"$work/body")"; then
            return 0
        fi
    done <"$UPLOADS_KEY"
    return 1
}

get() { jq -j "$@" "$work/body"; }

# file_at N FILTER: of file N.
file_at() { get --argjson n "$1" ".files[\$n] | $2"; }

# Also decodes what came in the JSON itself.
must_be_there()
{
    if [ "$(file_at "$1" 'has("content")')" = true ]; then
        file_at "$1" .content | base64 -d >"$work/$1"
    fi
    path=$(path_of "$1")
    size=$(stat -c %s "$path" 2>"$work/said") || size=
    # Gone is final for a client: what only cannot be read is not gone.
    if grep -q 'denied' "$work/said" || { [ "$size" ] && [ ! -r "$path" ]; }; then
        trouble 'the file cannot be read' "$path" "$remedy"
    fi
    [ "$size" = "$(file_at "$1" .size)" ] || refuse 410 'the file is gone'
}

path_of()
{
    if [ -f "$work/$1" ]; then
        echo "$work/$1"
    else
        file_at "$1" '.path // ""'
    fi
}

# Moves file N to DIRECTORY/RANDOM/NAME and says that path. Two files never
# meet, whatever their clients call them. mv copies where the file is to go to
# another file system.
take()
{
    path=$(path_of "$1")
    directory=$(mktemp -d "$UPLOADS_DIR/XXXXXXXXXXXXXXXX")
    target=$directory/$(file_at "$1" '."safe-filename"')
    mv -- "$path" "$target.part" 2>/dev/null || cp -- "$path" "$target.part"
    # Complete, or not there under its name.
    mv -- "$target.part" "$target"
    printf %s "$target"
}

[ "${CONTENT_LENGTH:-0}" -le 67108864 ] || refuse 413 'too much JSON'
# In any case: of a CGI program that leaves its input unread, mod_cgid may lose
# the answer.
head -c "${CONTENT_LENGTH:-0}" >"$work/body"
[ "$REQUEST_METHOD" = POST ] || refuse 405 'only POST'
[ -n "${HTTP_X_UPLOAD_SIGNATURE:-}" ] || refuse 403 'not signed'
[ -r "$UPLOADS_KEY" ] && grep -q '^[^#]' "$UPLOADS_KEY" ||
    trouble 'the key cannot be read' "$UPLOADS_KEY" 'not readable, or empty'
head -c 32 /dev/urandom >"$work/salt"
is_signed || refuse 403 'wrong signature'
# A signed body stays signed: it may not pass for another upload's.
identifier=$(get .identifier)
case $identifier in
'' | *[!A-Za-z0-9-]*) refuse 403 'no identifier' ;;
esac
[ "$identifier" = "${HTTP_X_UPLOAD_IDENTIFIER:-}" ] &&
    [ "$(get .state)" = done ] || refuse 403 'another upload'

count=$(get '.files | length')
n=0
while [ $n -lt "$count" ]; do
    must_be_there $n
    n=$((n + 1))
done
: >"$work/stored"
n=0
while [ $n -lt "$count" ]; do
    stored=$(take $n) || refuse 500 'cannot store'
    printf '%s\n' "$stored" >>"$work/stored"
    n=$((n + 1))
done

# With "UploadKeep claimed": the upload was received; else it is deleted, also
# when this program dies.
printf 'X-Upload-Claim: %s\r\n' "$identifier"
printf 'Content-Type: application/json\r\n\r\n'
# A value in base64 has three bytes for four letters, less one for each "=".
jq -c --rawfile stored "$work/stored" '($stored | split("\n")) as $paths
    | {identifier,
       files: [.files | to_entries[] | {field: .value.field,
           filename: .value.filename, stored: $paths[.key]}],
       fields: [.fields[] | {name, bytes: (if .encoding == "base64"
           then (.value | length / 4 * 3 - (gsub("[^=]"; "") | length))
           else .value | utf8bytelength end)}]}' "$work/body"
