# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# SetHandler upload-pool: the upload server that answers by itself.

use strict;
use warnings FATAL => 'all';
use utf8;
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my $url = '/alone';
my @parts = ({name => 'title', value => 'secret'},
             {name => 'f', filename => 'f.txt', type => 'text/plain',
              content => 'hello'});
my $size = length +(multipart(\@parts))[0];

# As a browser reads them: unescapes the attributes of the body element.
sub attributes
{
    my ($html) = @_;
    my ($tag) = $html =~ /<body((?:\s+[\w-]+="[^"]*")*)\s*>/ or return {};
    my %value = $tag =~ /([\w-]+)="([^"]*)"/g;
    my %entity = (lt => '<', gt => '>', amp => '&', quot => '"', '#39' => "'",
                  '#x27' => "'", '#34' => '"');
    s/&([^;]+);/exists $entity{$1} ? $entity{$1} : die "&$1;"/ge
        for values %value;
    return \%value;
}

# --- JSON and HTML ----------------------------------------------------------

my $id = new_id();
for my $accept ('application/json', 'text/html, application/json;q=0.5',
                'Application/JSON', 'application/json;q=0.001') {
    my $r = upload($url, \@parts, id => $id, accept => $accept);
    is $r->{status}, 200, "Accept $accept: 200";
    like $r->{headers}{'content-type'}, qr{^application/json\b}, 'JSON';
    is $r->{headers}{'cache-control'}, 'no-store', 'not cached';
    my $expires = delete $r->{json}{expires};
    like $expires, qr/^\d{4}-\d\d-\d\dT/, 'expires';
    is_deeply $r->{json}, {identifier => $id, state => 'done',
        filename => 'f.txt', 'content-type' => 'text/plain', size => $size,
        received => $size}, 'the status object';
    unlike $r->{body}, qr/secret|pools/, 'no field, no path';
}
is upload($url, \@parts, headers => ['X-Requested-With', 'XMLHttpRequest'])
    ->{json}{state}, 'done', 'X-Requested-With asks for JSON too';

for my $accept (undef, '*/*', 'text/html', 'application/json;q=0',
                'application/json; q=0.000', 'application/jsonx',
                'text/html,application/xhtml+xml,*/*;q=0.8') {
    my $r = upload($url, \@parts, id => $id, accept => $accept);
    my $name = defined $accept ? $accept : 'no Accept';
    is $r->{status}, 200, "$name: 200";
    like $r->{headers}{'content-type'}, qr{^text/html; ?charset=utf-8}i,
        "$name: HTML";
    is $r->{headers}{'content-length'}, length $r->{body}, "$name: length";
    my $said = attributes($r->{body});
    is $said->{'data-upload-identifier'}, $id, "$name: identifier";
    my $info = decode_json_text($said->{'data-upload-info'}) || {};
    is $info->{state}, 'done', "$name: info";
    is $info->{filename}, 'f.txt', "$name: file name";
}

# --- Escaping ---------------------------------------------------------------

for my $name ('"onload="alert(1)', '<script>alert(1)</script>.html',
              "it's & that", "a\x{2028}b\x{2029}c", '&quot;&lt;', 'größe €',
              '-->]]>', 'a\\b"c', 'a"><img src=x onerror=alert(1)>') {
    utf8::encode(my $bytes = $name);
    my $r = upload($url, [{name => 'f', filename => $bytes, content => 'x'}], id => $id);
    my ($tags) = $r->{body} =~ /<body(.*)<\/body>/s;
    unlike $r->{body}, qr/<(?:script|img)|onload="/, 'no markup of the name';
    is scalar(() = $r->{body} =~ /</g), scalar(() = upload($url, \@parts)
        ->{body} =~ /</g), 'as many tags as ever';
    my $info = decode_json_text(attributes($r->{body})->{'data-upload-info'});
    is $info->{filename}, $name, 'and it comes back whole';
}

# --- Nothing uploaded -------------------------------------------------------

# A person finds a form, and what she sends with it is taken.
for my $path ($url, "$url/") {
    my $r = request('GET', $path, headers => ['Accept', 'text/html']);
    is $r->{status}, 200, "GET $path: 200";
    like $r->{headers}{'content-type'}, qr{^text/html}, 'a page';
    like $r->{headers}{'content-security-policy'}, qr/default-src 'none'/,
        'that loads nothing';
    my ($action) = $r->{body} =~ /<form method="post" enctype="multipart\/form-data" action="([^"]+)">/;
    my ($field) = $r->{body} =~ /<input type="file" name="(\w+)" multiple/;
    is $action, $path, 'its form posts here';
    is upload($action, [{name => $field, filename => 'x', content => 'y'}])
        ->{status}, 200, 'and that works';
    is request('HEAD', $path)->{status}, 200, "HEAD $path";
}
for my $how (['Accept', 'application/json'], ['X-Requested-With', 'x']) {
    my $r = request('GET', $url, headers => $how);
    is $r->{status}, 405, "GET with $how->[0]: 405";
    like $r->{headers}{allow}, qr/\bPOST\b/, 'that names what is allowed';
}
is request('GET', '/alone-key')->{status}, 405, 'with a key, which a form has not';
my $signed = request('GET', '/alone-mint');
is $signed->{status}, 200, 'with UploadMint: a form';
my ($action) = $signed->{body} =~ /action="([^"]+)"/;
is upload($action, \@parts)->{status}, 200, 'whose identifier is signed';

for my $how (['GET', "/x?X-Progress-ID=$id"], ['GET', '/any/thing'],
             ['HEAD', '/any'], ['GET', '/status'], ['PUT', ''],
             ['OPTIONS', '']) {
    my ($method, $what) = @$how;
    my $c = connect_raw();
    $c->send("$method $url$what HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
             . "Connection: close\r\n\r\n");
    is $c->answer(head => $method eq 'HEAD')->{status}, 404,
        "$method $what: 404";
    $c->close;
}
is request('POST', $url, body => '{"state":"done","identifier":"x"}',
    headers => ['Content-Type', 'application/json'])->{status}, 404,
    'POST of another type: 404';
is request('GET', "$url/status?X-Progress-ID=$id")->{json}{state}, 'done',
    'status works';
is request('GET', "$url/a/b/status?X-Progress-ID=$id")->{json}{state}, 'done',
    'also below';
is upload("$url/a/b", \@parts, id => $id)->{status}, 200, 'as uploads do';

# --- The connection ---------------------------------------------------------

my ($body, $type) = multipart(\@parts);
my $c = connect_raw();
my $post = "POST $url HTTP/1.1\r\nHost: x\r\nContent-Type: $type\r\n"
    . "Accept: application/json\r\nContent-Length: " . length($body)
    . "\r\n\r\n$body";
$c->send($post x 5 . "GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\n");
is $c->answer->{json}{state}, 'done', "pipelined $_" for 1 .. 5;
is $c->answer->{status}, 200, 'and the next request is right';
$c->close;

# --- Logs -------------------------------------------------------------------

my $access = log_mark('access_log');
$id = new_id();
upload($url, \@parts, id => $id);
request('GET', "$url/status?X-Progress-ID=$id");
my $log = wait_for(sub {
    my $log = access_log_since($access);
    return $log =~ m{/status} && $log;
});
like $log, qr{^[^\n]*"POST /alone\?[^\n]* 200 \d+ done \Q$id\E$}m,
    'state and identifier in the access log';
like $log, qr{^[^\n]*"GET /alone/status[^\n]* - -$}m,
    'and none for what is no upload';

is crashes_since($mark), 0, 'no child died';
done_testing;
