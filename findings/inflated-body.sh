#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# SetInputFilter DEFLATE: who behind it gets the whole of a compressed upload
#
# Versions of Debian 13: apache2-bin 2.4.71-1~deb13u1, libapache2-mod-wsgi-py3
#   5.0.2-1 (Werkzeug 3.1.3-2, Django 4.2.30-0+deb13u1), libapache2-mod-fcgid
#   1:2.3.9-4
# Guess: the application is told the compressed length and reads all of the
#   inflated body by CGI, mod_fcgid and WSGI; Werkzeug and Django read up to the
#   length that they are told, so both lose the end; through mod_proxy_http the
#   request is right in itself: new length, no coding.
# Seen, for 43,937 bytes that inflate to 100,000:
#   CGI, WSGI     told 43937, "gzip"    100,000 to read
#   mod_fcgid     told 100000, "gzip"   100,000 to read
#   Werkzeug      told 43937            takes 100,000
#   Django        told 43937            takes 43,937, and answers 200
#   mod_proxy_http  100000 and, still, Content-Encoding: gzip
# Who meets it: sites that let clients compress what they send (logs, JSON,
#   OkHttp, mobile SDKs). Django stores the first half of a file and nobody is
#   told; a form loses its last files or all of them. Behind mod_proxy_http an
#   application that knows gzip inflates what is inflated and refuses it; taking
#   the header away (RequestHeader unset Content-Encoding) is no way out, since
#   mod_deflate then leaves the body compressed: the compressed bytes arrive, as
#   if they were the file. Where bodies may be compressed let one place know it:
#   the application, without the filter.

. "$(dirname "$0")/lib/folder.sh"
debian_root trixie apache2-bin=2.4.71-1~deb13u1 \
    libapache2-mod-wsgi-py3=5.0.2-1 libapache2-mod-fcgid=1:2.3.9-4 \
    python3-werkzeug=3.1.3-2 python3-django=3:4.2.30-0+deb13u1 \
    perl libfcgi-perl
srv=$folder/root/srv
cat >"$srv/read.cgi" <<'EOF'
#!/usr/bin/perl
my ($size, $piece) = (0);
while (my $got = sysread STDIN, $piece, 65536) {
    $size += $got;
}
print "Content-Type: text/plain\r\n\r\n",
    "$ENV{CONTENT_LENGTH} $ENV{HTTP_CONTENT_ENCODING} $size";
EOF
cat >"$srv/read.fcgi" <<'EOF'
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
        "$env{CONTENT_LENGTH} $env{HTTP_CONTENT_ENCODING} $size";
}
EOF
chmod 755 "$srv/read.cgi" "$srv/read.fcgi"
cat >"$srv/read.wsgi" <<'EOF'
def application(environment, start):
    size = 0
    while piece := environment['wsgi.input'].read(65536):
        size += len(piece)
    start('200 OK', [('Content-Type', 'text/plain')])
    return [('%s %s %d' % (environment['CONTENT_LENGTH'],
                           environment['HTTP_CONTENT_ENCODING'],
                           size)).encode()]
EOF
cat >"$srv/werkzeug.wsgi" <<'EOF'
from werkzeug.wrappers import Request, Response

@Request.application
def application(request):
    return Response('%d' % len(request.get_data()))
EOF
cat >"$srv/django.wsgi" <<'EOF'
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import re_path

settings.configure(ALLOWED_HOSTS=['*'], ROOT_URLCONF=__name__, SECRET_KEY='x')

def size(request):
    return HttpResponse('%d' % len(request.body))

urlpatterns = [re_path('', size)]
application = get_wsgi_application()
EOF
cat >"$srv/httpd.conf" <<'EOF'
ServerRoot /usr/lib/apache2
ServerName localhost
Listen 127.0.0.1:22310
PidFile /run/httpd.pid
ErrorLog /run/error.log
Mutex sysvsem default
User nobody
Group nogroup
LoadModule mpm_prefork_module modules/mod_mpm_prefork.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule alias_module modules/mod_alias.so
LoadModule filter_module modules/mod_filter.so
LoadModule deflate_module modules/mod_deflate.so
LoadModule headers_module modules/mod_headers.so
LoadModule cgi_module modules/mod_cgi.so
LoadModule fcgid_module modules/mod_fcgid.so
LoadModule wsgi_module modules/mod_wsgi.so
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
FcgidIPCDir /run
FcgidProcessTableFile /run/fcgid
FcgidMaxRequestLen 1000000
SetInputFilter DEFLATE
ScriptAlias /cgi /srv/read.cgi
Alias /fcgid /srv/read.fcgi
WSGIScriptAlias /wsgi /srv/read.wsgi
WSGIScriptAlias /werkzeug /srv/werkzeug.wsgi
WSGIScriptAlias /django /srv/django.wsgi
ProxyPass /proxy http://127.0.0.1:22311/
ProxyPass /unset http://127.0.0.1:22311/
<Location /unset>
    RequestHeader unset Content-Encoding
</Location>
<Location /fcgid>
    SetHandler fcgid-script
    Options +ExecCGI
</Location>
EOF
cat >"$folder/server.pl" <<'EOF'
use strict;
use warnings;
use IO::Socket::INET;
my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1:22311',
    Listen => 5, ReuseAddr => 1) or die "$!";
while (my $client = $listen->accept) {
    my $head = '';
    while (my $line = <$client>) {
        last if $line eq "\r\n";
        $head .= $line;
    }
    my ($length) = $head =~ /^Content-Length: *(\d+)/im or next;
    my ($coding) = $head =~ /^Content-Encoding: *(\w+)/im;
    my $got = read $client, my ($body), $length;
    my $said = join ' ', $length, $coding // 'none', $got;
    print $client "HTTP/1.1 200 OK\r\nConnection: close\r\n",
        "Content-Length: ", length $said, "\r\n\r\n$said";
    close $client;
}
EOF
start perl "$folder/server.pl"
httpd
listening 22310
listening 22311
perl -e 'srand 1; print join "", map { chr 97 + int rand 8 } 1 .. 100000' |
    gzip -n9 >"$folder/body.gz"
size=$(wc -c <"$folder/body.gz")
post()
{
    curl -s -m 30 -H 'Content-Encoding: gzip' -H 'Content-Type: text/plain' \
        --data-binary "@$folder/body.gz" "http://127.0.0.1:22310/$1"
}
is "CGI" "$(post cgi)" "$size gzip 100000"
is "mod_fcgid" "$(post fcgid)" "100000 gzip 100000"
is "WSGI" "$(post wsgi)" "$size gzip 100000"
is "Werkzeug" "$(post werkzeug)" 100000
is "Django" "$(post django)" "$size"
is "mod_proxy_http" "$(post proxy)" "100000 gzip 100000"
is "mod_proxy_http, header taken away" "$(post unset)" "$size none $size"
finish
