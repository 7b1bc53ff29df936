#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# ModSecurity with its recommended configuration, and ordinary files in a form
#
# Version: libapache2-mod-security2 2.9.11-1+deb13u1 (Debian 13) on apache2-bin
#   2.4.71-1~deb13u1, modsecurity.conf-recommended with SecRuleEngine On
# Guess: a quoted boundary and text before the first boundary are 400; a charset
#   beside the boundary and filename* beside filename pass; what stands in a file
#   is of no concern as long as it is not the boundary.
# Seen: 400 for the quoted boundary, and for charset and filename* as well. 403
#   (rule 200004) for every file and every text field with a line that begins
#   with two hyphens: a PEM certificate or key, a Markdown rule, an SQL comment,
#   a unified diff, a YAML document, a mail's signature.
# Who meets it: an administrator who puts ModSecurity in front of uploads, even
#   with no rules but the recommended ones. .NET's HttpClient (quoted boundary)
#   and clients that name a charset get 400 for every form, people get 403 for
#   some of their files. Without the rules 200003 and 200004 in the Location of
#   the uploads the quoted boundary and the lines pass. The charset and filename*
#   do not: they are errors of the parser (rule 200002), and the request body
#   must not be read there at all (SecRequestBodyAccess Off).

. "$(dirname "$0")/lib/folder.sh"
debian_root trixie apache2-bin=2.4.71-1~deb13u1 \
    libapache2-mod-security2=2.9.11-1+deb13u1
srv=$folder/root/srv
sed 's/^SecRuleEngine .*/SecRuleEngine On/
     /^SecUnicodeMapFile/d
     s|^SecAuditLog .*|SecAuditLog /run/audit.log|' \
    "$folder/root/etc/modsecurity/modsecurity.conf-recommended" \
    >"$srv/modsecurity.conf"
mkdir "$srv/site"
echo taken | tee "$srv/site/index" "$srv/site/unread" \
    >"$srv/site/removed"
cat >"$srv/httpd.conf" <<'EOF'
ServerRoot /usr/lib/apache2
ServerName localhost
Listen 127.0.0.1:22308
PidFile /run/httpd.pid
ErrorLog /run/error.log
Mutex sysvsem default
User nobody
Group nogroup
LoadModule mpm_prefork_module modules/mod_mpm_prefork.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule unique_id_module modules/mod_unique_id.so
LoadModule security2_module modules/mod_security2.so
DocumentRoot /srv/site
Include /srv/modsecurity.conf
<Location /removed>
    SecRuleRemoveById 200003 200004
</Location>
<Location /unread>
    SecRequestBodyAccess Off
</Location>
EOF
httpd
listening 22308
# form CONTENT-TYPE-PARAMETERS DISPOSITION-PARAMETERS CONTENT: the status
form()
{
    {
        printf '%s\r\n' '--B7' "Content-Disposition: form-data; name=\"f\"$2" \
            'Content-Type: application/octet-stream' ''
        printf '%b\r\n' "$3"
        printf '%s\r\n' '--B7--'
    } >"$folder/body"
    curl -s -m 20 -o "$folder/answer" -w '%{http_code}' \
        -H "Content-Type: multipart/form-data; $1" \
        --data-binary "@$folder/body" "http://127.0.0.1:22308/${4:-index}"
}
file='; filename="a.txt"'
plain=boundary=B7
is "an ordinary form" "$(form $plain "$file" hello)" 200
is "quoted boundary" "$(form 'boundary="B7"' "$file" hello)" 400
is "charset before" "$(form 'charset=UTF-8; boundary=B7' "$file" hello)" 400
is "charset behind" "$(form 'boundary=B7; charset=UTF-8' "$file" hello)" 400
is "filename*" "$(form $plain "$file; filename*=UTF-8''a.txt" hello)" 400
is "name with an apostrophe" \
    "$(form $plain "; filename=\"it's.txt\"" hello)" 200
is "one hyphen" "$(form $plain "$file" '- item')" 200
is "hyphens within a line" "$(form $plain "$file" 'a -- b')" 200
is "PEM" "$(form $plain "$file" '-----BEGIN CERTIFICATE-----\nMIIB')" 403
is "Markdown" "$(form $plain "$file" 'a\n\n---\n\nb')" 403
is "SQL" "$(form $plain "$file" '-- a comment\nSELECT 1;')" 403
is "a diff" "$(form $plain "$file" '--- a/x\n+++ b/x\n')" 403
is "a text field" "$(form $plain '' 'Regards\n-- \nA. Writer')" 403
is "quoted boundary, without 200003" \
    "$(form 'boundary="B7"' "$file" hello removed)" 200
is "PEM, without 200004" \
    "$(form $plain "$file" '-----BEGIN CERTIFICATE-----\nMIIB' removed)" 200
is "charset, without both" \
    "$(form 'boundary=B7; charset=UTF-8' "$file" hello removed)" 400
is "filename*, without both" \
    "$(form $plain "$file; filename*=UTF-8''a.txt" hello removed)" 400
is "filename*, body not read" \
    "$(form $plain "$file; filename*=UTF-8''a.txt" hello unread)" 200
finish
