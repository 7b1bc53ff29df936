#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# PHP behind mod_proxy_fcgi: chunked uploads of 16 KiB and more arrive empty
#
# Versions: apache2-bin 2.4.71-1~deb13u1, php8.4-fpm 8.4.28-1~deb13u1,
#   libapache2-mod-fcgid 1:2.3.9-4, of Debian 13
# Guess: mod_proxy_fcgi collects a chunked body and tells its length; mod_fcgid
#   passes it without a length; mod_proxy_uwsgi passes it without a length; the
#   variable proxy-sendcl is mod_proxy_http's and changes nothing here.
# Seen: mod_proxy_fcgi tells the length of what it has read before it connects,
#   up to 16,000 bytes here, and none for 20,000. php-fpm takes a missing
#   CONTENT_LENGTH for 0: php://input is empty, $_FILES and $_POST too, and the
#   answer is 200. With proxy-sendcl set mod_proxy_fcgi collects the body and PHP
#   gets all of it. mod_fcgid collects it anyway and tells the right length.
#   mod_proxy_uwsgi answers 411.
# Who meets it: PHP applications whose clients stream (curl -T -, fetch with a
#   stream, devices that do not know the length), behind httpd with php-fpm, the
#   usual set-up. A test with a small file passes; a photo is a 200 and an empty
#   file. `SetEnv proxy-sendcl 1` in the Location is the way out.

. "$(dirname "$0")/lib/folder.sh"
debian_root trixie apache2-bin=2.4.71-1~deb13u1 php8.4-fpm=8.4.28-1~deb13u1 \
    libapache2-mod-fcgid=1:2.3.9-4 perl libfcgi-perl
srv=$folder/root/srv
cat >"$srv/read.php" <<'EOF'
<?php
echo $_SERVER['CONTENT_LENGTH'] ?? 'none', ' ',
    $_FILES ? 'file ' . $_FILES['f']['size']
        : strlen(file_get_contents('php://input'));
EOF
cat >"$srv/read.pl" <<'EOF'
#!/usr/bin/perl
use FCGI;
use IO::Handle;
my ($in, $out, %env) = (IO::Handle->new, IO::Handle->new);
my $request = FCGI::Request($in, $out, \*STDERR, \%env);
while ($request->Accept() >= 0) {
    my $size = 0;
    while (my $got = read $in, my $piece, 65536) {
        $size += $got;
    }
    print $out "Content-Type: text/plain\r\n\r\n",
        $env{CONTENT_LENGTH} // 'none', " $size";
}
EOF
chmod 755 "$srv/read.pl"
cat >"$srv/fpm.conf" <<'EOF'
[global]
pid = /run/fpm.pid
error_log = /run/fpm.log
[www]
user = nobody
group = nogroup
listen = 127.0.0.1:22307
pm = static
pm.max_children = 2
EOF
cat >"$srv/httpd.conf" <<'EOF'
ServerRoot /usr/lib/apache2
ServerName localhost
Listen 127.0.0.1:22306
PidFile /run/httpd.pid
ErrorLog /run/error.log
Mutex sysvsem default
User nobody
Group nogroup
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule env_module modules/mod_env.so
LoadModule alias_module modules/mod_alias.so
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_fcgi_module modules/mod_proxy_fcgi.so
LoadModule proxy_uwsgi_module modules/mod_proxy_uwsgi.so
LoadModule fcgid_module modules/mod_fcgid.so
FcgidIPCDir /run
FcgidProcessTableFile /run/fcgid
FcgidMaxRequestLen 1000000
ProxyPass /fpm fcgi://127.0.0.1:22307/srv/read.php
ProxyPass /sendcl fcgi://127.0.0.1:22307/srv/read.php
ProxyPass /uwsgi uwsgi://127.0.0.1:22307/
Alias /fcgid /srv/read.pl
<Location /sendcl>
    SetEnv proxy-sendcl 1
</Location>
<Location /fcgid>
    SetHandler fcgid-script
    Options +ExecCGI
</Location>
EOF
inside /usr/sbin/php-fpm8.4 -n -y /srv/fpm.conf -D || fail "no php-fpm"
httpd
listening 22306
small=$folder/small
large=$folder/large
head -c 16000 /dev/zero >"$small"
head -c 20000 /dev/zero >"$large"
site=http://127.0.0.1:22306
chunked()
{
    curl -s -m 20 -H 'Transfer-Encoding: chunked' "$@"
}
stream="-H Content-Type:application/octet-stream --data-binary"
is "fpm, 20,000 bytes with a length" \
    "$(curl -s -m 20 $stream "@$large" $site/fpm)" "20000 20000"
is "fpm, 16,000 bytes chunked" "$(chunked $stream "@$small" $site/fpm)" \
    "16000 16000"
is "fpm, 20,000 bytes chunked" "$(chunked $stream "@$large" $site/fpm)" "none 0"
is "fpm, with proxy-sendcl" "$(chunked $stream "@$large" $site/sendcl)" \
    "20000 20000"
is "fpm, a form with proxy-sendcl" "$(chunked -F "f=@$large" $site/sendcl |
    sed 's/^[0-9]* //')" "file 20000"
is "fpm, a form of 20,000 bytes chunked" \
    "$(chunked -F "f=@$large" $site/fpm)" "none 0"
is "fpm, status" "$(chunked -o "$folder/body" -w '%{http_code}' \
    -F "f=@$large" $site/fpm)" 200
is "mod_fcgid, 20,000 bytes chunked" \
    "$(chunked $stream "@$large" $site/fcgid)" "20000 20000"
is "mod_proxy_uwsgi, chunked" "$(chunked -o "$folder/body" \
    -w '%{http_code}' $stream "@$large" $site/uwsgi)" 411
finish
