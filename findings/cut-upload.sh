#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# A client goes away in the middle of its upload: which application still runs
#
# Versions of Debian 13: apache2-bin 2.4.71-1~deb13u1, libapache2-mod-php8.4 and
#   php8.4-fpm 8.4.28-1~deb13u1, libapache2-mod-wsgi-py3 5.0.2-1,
#   libapache2-mod-fcgid 1:2.3.9-4, libapache2-mod-perl2 2.0.13-2+b2
# Guess: a CGI script reads to the end and takes it for complete; behind
#   mod_proxy_fcgi, which reports the error, PHP does not run; WSGI and mod_perl
#   give what came and then raise.
# Seen, when 50,000 of 100,000 bytes have come:
#   CGI          is ended by SIGTERM, or reads to the end before that arrives
#                (on a busy machine, with a chunked body) and takes it for whole
#   mod_fcgid    is not called
#   mod_php      runs, reads 49,152 bytes, sees no error
#   php-fpm      runs as well, with CONTENT_LENGTH 100000 and 49,152 bytes
#   WSGI, Perl   raise at the first read of 64 KiB; the 50,000 are lost to it
# Who meets it: applications that read raw bodies (PUT, chunks, webhooks). PHP
#   has to compare strlen() with CONTENT_LENGTH itself, or it stores halves; for
#   a chunked body it cannot tell at all. A script by CGI that keeps what came,
#   to go on later, has to catch SIGTERM, and with a chunked body it may store a
#   half that nobody tells it of; one by WSGI or mod_perl that reads in
#   pieces of 64 KiB is left with nothing.

. "$(dirname "$0")/lib/folder.sh"
debian_root trixie apache2-bin=2.4.71-1~deb13u1 \
    libapache2-mod-php8.4=8.4.28-1~deb13u1 php8.4-fpm=8.4.28-1~deb13u1 \
    libapache2-mod-wsgi-py3=5.0.2-1 libapache2-mod-fcgid=1:2.3.9-4 \
    libapache2-mod-perl2=2.0.13-2+b2 perl libfcgi-perl
srv=$folder/root/srv
seen=$folder/root/run/seen
cat >"$srv/read.cgi" <<'EOF'
#!/usr/bin/perl
sub say_so {
    open my $file, '>>', '/run/seen';
    print $file "@_ ";
}
$SIG{TERM} = sub { say_so('TERM'); exit 1 };
say_so('called');
while (sysread STDIN, my ($piece), 65536) { }
say_so('end');
print "Content-Type: text/plain\r\n\r\n";
EOF
cat >"$srv/read.fcgi" <<'EOF'
#!/usr/bin/perl
use FCGI;
my $request = FCGI::Request();
while ($request->Accept() >= 0) {
    open my $file, '>>', '/run/seen';
    print $file 'called ';
    close $file;
    print "Content-Type: text/plain\r\n\r\n";
}
EOF
chmod 755 "$srv/read.cgi" "$srv/read.fcgi"
cat >"$srv/read.php" <<'EOF'
<?php
ignore_user_abort(true);
$body = file_get_contents('php://input');
$length = $_SERVER['CONTENT_LENGTH'] ?? 'none';
file_put_contents('/run/seen', "$length " . strlen($body), FILE_APPEND);
EOF
cat >"$srv/read.wsgi" <<'EOF'
def application(environment, start):
    size = 0
    try:
        while piece := environment['wsgi.input'].read(65536):
            size += len(piece)
        how = 'end'
    except OSError:
        how = 'raised'
    with open('/run/seen', 'a') as file:
        file.write('%d %s' % (size, how))
    start('200 OK', [('Content-Type', 'text/plain')])
    return [b'']
EOF
cat >"$srv/Read.pm" <<'EOF'
package Read;
use Apache2::RequestRec ();
use Apache2::RequestIO ();
sub handler {
    my $request = shift;
    my $size = 0;
    my $how = eval {
        while (my $got = $request->read(my $piece, 65536)) {
            $size += $got;
        }
        'end';
    } || 'raised';
    open my $file, '>>', '/run/seen';
    print $file "$size $how";
    return 0;
}
1;
EOF
cat >"$srv/fpm.conf" <<'EOF'
[global]
pid = /run/fpm.pid
error_log = /run/fpm.log
[www]
user = nobody
group = nogroup
listen = 127.0.0.1:22313
pm = static
pm.max_children = 2
EOF
cat >"$srv/httpd.conf" <<'EOF'
ServerRoot /usr/lib/apache2
ServerName localhost
Listen 127.0.0.1:22312
PidFile /run/httpd.pid
ErrorLog /run/error.log
Mutex sysvsem default
User nobody
Group nogroup
LoadModule mpm_prefork_module modules/mod_mpm_prefork.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule alias_module modules/mod_alias.so
LoadModule cgi_module modules/mod_cgi.so
LoadModule fcgid_module modules/mod_fcgid.so
LoadModule wsgi_module modules/mod_wsgi.so
LoadModule php_module modules/libphp8.4.so
LoadModule perl_module modules/mod_perl.so
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_fcgi_module modules/mod_proxy_fcgi.so
FcgidIPCDir /run
FcgidProcessTableFile /run/fcgid
FcgidMaxRequestLen 1000000
ScriptAlias /cgi /srv/read.cgi
Alias /fcgid /srv/read.fcgi
Alias /php /srv/read.php
WSGIScriptAlias /wsgi /srv/read.wsgi
WSGIChunkedRequest On
ProxyPass /fpm fcgi://127.0.0.1:22313/srv/read.php
PerlRequire /srv/Read.pm
<Location /fcgid>
    SetHandler fcgid-script
    Options +ExecCGI
</Location>
<Location /php>
    SetHandler application/x-httpd-php
</Location>
<Location /perl>
    SetHandler modperl
    PerlResponseHandler Read
</Location>
EOF
cat >"$folder/half.pl" <<'EOF'
use strict;
use warnings;
use IO::Socket::INET;
my ($path, $framing) = @ARGV;
my $server = IO::Socket::INET->new('127.0.0.1:22312') or die;
print $server "PUT /$path HTTP/1.1\r\nHost: x\r\n",
    $framing eq 'length' ? "Content-Length: 100000\r\n\r\n"
    : "Transfer-Encoding: chunked\r\n\r\nC350\r\n",
    'a' x 50000, $framing eq 'length' ? '' : "\r\n";
$server->flush;
select undef, undef, undef, 2;
EOF
: >"$seen"
chmod 666 "$seen"
inside /usr/sbin/php-fpm8.4 -n -y /srv/fpm.conf -D || fail "no php-fpm"
httpd
listening 22312
# half PATH FRAMING: what the application wrote, within five seconds
half()
{
    : >"$seen"
    perl "$folder/half.pl" "$@"
    sleep 5
    sed 's/ $//' "$seen"
}
# cgi FRAMING: whichever came first.
cgi()
{
    half cgi "$1" | sed -E 's/^called (TERM|end|end TERM)$/called, then one/'
}
is "CGI" "$(cgi length)" "called, then one"
is "CGI, chunked" "$(cgi chunked)" "called, then one"
: >"$seen"
curl -s -m 20 -o "$folder/answer" -d whole http://127.0.0.1:22312/fcgid
is "mod_fcgid, all of it" "$(cat "$seen")" "called "
is "mod_fcgid" "$(half fcgid length)" ""
is "mod_php" "$(half php length)" "100000 49152"
is "mod_php, chunked" "$(half php chunked)" "none 49152"
is "php-fpm" "$(half fpm length)" "100000 49152"
is "WSGI" "$(half wsgi length)" "0 raised"
is "mod_perl" "$(half perl length)" "0 raised"
finish
