# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The other rows of the refusal table: codings, extensions, identifiers,
# owners, uploads under way, unusable pools; and what an ErrorDocument gets.

use strict;
use warnings FATAL => 'all';
use Test::More;
use MIME::Base64 ();
use UploadPool::Test;
use UploadPool::Refuse;

my $mark = log_mark();
my @form = multipart([part('a', 'v'), part('f', 'content', 'x.png')]);
my $url = '/refuse/main/count.pl';

sub file_named { return multipart([part('f', 'content', $_[0])]) }

sub coded
{
    return multipart([{name => 'f', filename => 'x', content => 'djE=',
                       headers => ["Content-Transfer-Encoding: $_[0]"]}]);
}

# --- Codings, extensions, types ---------------------------------------------

for my $way ('whole', 'chunks', 'bytes') {
    for my $coding ('gzip', 'br', 'deflate, gzip', 'x-unknown') {
        refused("Content-Encoding $coding, $way", $url, @form, way => $way,
                head => "Content-Encoding: $coding\r\n", status => 415,
                reason => 'CONTENT_CODING');
    }
    refused("Content-Encoding that the filter leaves, $way",
            '/refuse/inflate/count.pl', @form, way => $way,
            head => "Content-Encoding: br\r\n", status => 415,
            reason => 'CONTENT_CODING');
    for my $coding ('base64', 'Quoted-Printable', 'x-uuencode') {
        refused("a part in $coding, $way", $url, coded($coding), way => $way,
                status => 415, reason => 'PART_CODING');
    }
    for my $name ('x.php', 'x.PHP', 'x.php.png', 'x.phtml', 'a.b.pHp.c',
                  'x.php.', '.php', "\xd1\x84.php", "\xd1\x84.php ") {
        refused("UploadDeny: $name, $way", '/refuse/deny/count.pl',
                file_named($name), way => $way, status => 415,
                reason => 'EXTENSION');
    }
    for my $name ('x.php', 'x', 'x.php.png', 'x.png.php', 'png', 'x.tar.bz2',
                  'x.') {
        refused("UploadAllow: $name, $way", '/refuse/allow/count.pl',
                file_named($name), way => $way, status => 415,
                reason => 'EXTENSION');
    }
}
refused('the second file has the extension', '/refuse/deny/count.pl',
        multipart([part('f', 'x' x 70_000, 'a.png'), part('g', 'v', 'a.php')]),
        status => 415, reason => 'EXTENSION');
taken("Content-Encoding identity", $url, @form,
      head => "Content-Encoding: identity\r\n");
taken("a part in $_", $url, coded($_)) for '7bit', '8BIT', 'binary';
taken("UploadAllow: $_", '/refuse/allow/count.pl', file_named($_))
    for 'x.png', 'x.PNG', 'x.jpg', 'x.tar.gz', 'a.png.png',
        "\xd1\x84.jpg", 'Screenshot 2024-05-01 at 10.30.12.png';
taken("UploadDeny: $_", '/refuse/deny/count.pl', file_named($_))
    for 'x.png', 'php', 'x.phps', 'x.ph.p';
refused('UploadRequire multipart: ' . ($_ || 'no type'), '/refuse/strict/count.pl', 'a=b', $_,
        status => 415, reason => 'NOT_AN_UPLOAD', stateless => 1)
    for 'text/plain', 'application/x-www-form-urlencoded', undef,
        'application/json', 'multipart/mixed; boundary=b';
taken('UploadRequire multipart: a form', '/refuse/strict/count.pl', @form);
{
    my ($r) = send_upload($url, 'a=b', 'text/plain');
    is $r->{body}, 'a=b', 'without it other types pass';
}

# --- Identifiers ------------------------------------------------------------

for my $id ('..', '%2e%2e%2f', 'a%20b', 'a%00b', 'x' x 65, '', 'a.b', 'a_b') {
    refused("identifier \"$id\"", $url, @form, id => $id, stateless => 1,
            status => 400, reason => 'IDENT_MALFORMED');
}
refused('identifier twice', $url, @form, id => 'one&X-Progress-ID=one',
        stateless => 1, status => 400, reason => 'IDENT_DOUBLED');
refused('two identifiers', $url, @form, head => "X-Progress-ID: other\r\n",
        stateless => 1, status => 400, reason => 'IDENT_DOUBLED');
refused('a signed identifier without a key', $url, @form,
        id => sign('any key', new_id()), stateless => 1, status => 403,
        reason => 'IDENT_REFUSED');
{
    my $keyed = '/refuse/keyed/count.pl';
    my $key = 'a key of the refuse suite, quite long';
    my $id = new_id();
    my %forged = ('no identifier' => undef, 'unsigned' => $id,
                  'another key' => sign("$key.", $id),
                  'upper case' => uc sign($key, 'ABC'),
                  'cut' => substr(sign($key, $id), 0, -1),
                  'malformed' => '../x');
    for my $name (sort keys %forged) {
        refused("with a key: $name", $keyed, @form, id => $forged{$name},
                stateless => 1, status => 403, pool => 'refuse-keyed',
                reason => $forged{$name} ? 'IDENT_REFUSED' : 'IDENT_MISSING');
    }
    is_deeply [pool_files('refuse-keyed')], [], 'not a file came to be';
    my ($r) = send_upload($keyed, @form, id => sign($key, $id));
    is $r->{status}, 200, 'with the right signature';
    my $log = error_log_since($mark);
    unlike $log, qr/\Q$key\E/, 'the key is not in the log';
    my $signature = (split /:/, sign($key, $id))[1];
    unlike $log, qr/\Q$signature\E/, 'nor is a signature';
}
# A time-ordered UUID of 2020.
refused('an identifier of long ago', '/refuse/lifetime/count.pl', @form,
        id => '016f5e66-e800-7000-8000-00000000' . sprintf('%04x', $$ & 0xffff),
        stateless => 1, status => 410, reason => 'EXPIRED');

# --- In flight, cleared, owned ----------------------------------------------

sub begun
{
    my ($to, $id, $head) = @_;
    my ($body, $type) = multipart([part('f', 'x' x 100_000, 'x')]);
    my $c = connect_raw();
    $c->send(post_head($to, $type, $id, 'json') . ($head || '')
             . 'Content-Length: ' . length($body) . "\r\n\r\n"
             . substr $body, 0, 50_000);
    wait_for(sub { (status($to, $id)->{received} || 0) >= 50_000 })
        or diag 'the upload did not begin';
    return ($c, substr $body, 50_000);
}

{
    my $id = new_id();
    my ($c, $rest) = begun($url, $id);
    refused("in flight already, $_", $url, @form, id => $id, way => $_,
            status => 409, reason => 'BUSY', stateless => 1,
            kept => 1) for 'whole', 'chunks';
    is status($url, $id)->{state}, 'uploading', 'the first one goes on';
    $c->send($rest);
    is $c->answer->{status}, 200, 'and is taken';
}
for my $way (['GET', "$url?clear&"], ['POST', "$url?clear&"],
             ['DELETE', "$url?"]) {
    my ($method, $to) = @$way;
    my $id = new_id();
    my $before = () = runs();
    my ($c, $rest) = begun($url, $id);
    my $log = log_mark();
    my $r = request($method, "${to}X-Progress-ID=$id");
    is_deeply $r->{json}, {success => JSON::PP::true()}, "cleared by $method";
    $c->send($rest);
    my $answer = $c->answer;
    is $answer->{status}, 409, "$method: who uploads is told";
    is $answer->{json}{state}, 'error', "$method: as JSON";
    is scalar(() = error_log_since($log) =~ /UPL0125:/g), 1,
        "$method: one line of the log";
    is scalar(() = runs()), $before, "$method: the application did not run";
    ok !-e pool('refuse') . "/$id", "$method: nothing is left";
    is status($url, $id)->{state}, 'starting', "$method: not even a state";
}
{
    my $auth = '/refuse/auth/count.pl';
    my ($anna, $bert) = map { 'Authorization: Basic '
        . MIME::Base64::encode_base64("$_:secret", '') . "\r\n" } qw(anna bert);
    my $id = new_id();
    my ($r) = send_upload($auth, @form, id => $id, head => $anna);
    is $r->{status}, 200, 'anna uploads';
    refused("bert cannot replace it, $_", $auth, @form, id => $id, way => $_,
            head => $bert, kept => 1, stateless => 1, status => 403, reason => 'OWNER')
        for 'whole', 'chunks';
    my $nobody = request('POST', "$auth?X-Progress-ID=" . new_id(),
                         body => $form[0], headers => ['Content-Type', $form[1]]);
    is $nobody->{status}, 401, 'without a password httpd asks for one';
}

# --- Malformed framing is httpd's own business -------------------------------

for my $framing ('Content-Length: abc', 'Content-Length: -1',
                 'Content-Length: 1, 2', "Content-Length: 5\r\nContent-Length: 6",
                 'Transfer-Encoding: gzip', 'Transfer-Encoding: identity',
                 'Content-Length: ' . '9' x 30) {
    my $before = () = runs();
    my $c = connect_raw();
    my $id = new_id();
    $c->send(post_head($url, $form[1], $id, 'html') . "$framing\r\n\r\n");
    my $status = $c->answer->{status};
    ok $status >= 400 && $status <= 501, "$framing: $status";
    is scalar(() = runs()), $before, "$framing: the application did not run";
    isnt status($url, $id)->{state}, 'done', "$framing: not done";
    ok $c->closed, "$framing: the connection ends";
}
{
    my $c = connect_raw();
    my $id = new_id();
    $c->send(post_head($url, $form[1], $id, 'html')
             . "Transfer-Encoding: chunked\r\n\r\n5\r\n--abc\r\nxyz\r\n");
    is $c->answer->{status}, 400, 'a broken chunk size';
    is status($url, $id)->{state}, 'error', 'a broken chunk size: state';
    ok $c->closed, 'a broken chunk size: the connection ends';
}

# --- Pools that became unusable ----------------------------------------------

{
    my $broken = '/refuse/broken/count.pl';
    my $dir = pool('refuse-broken');
    my ($uid, $gid) = (stat $dir)[4, 5];
    my $root = $> == 0;
    my %spoil = (
        'it is gone' => [qr/does not exist/, sub { rmdir $dir }, sub { }],
        'it is a file' => [qr/not a directory/,
            sub { rmdir $dir; spew($dir, '') }, sub { unlink $dir }],
        'it is a link' => [qr/symbolic link/,
            sub { rmdir $dir; symlink pool('refuse'), $dir },
            sub { unlink $dir }],
        'it is not writable' => [qr/not writable/,
            sub { chmod 0500, $dir }, sub { rmdir $dir }],
        'everybody may write' => [qr/world-writable/,
            sub { chmod 0777, $dir }, sub { rmdir $dir }],
        $root ? ('it belongs to another' => [qr/owned by another|entered/,
            sub { chown 0, 0, $dir; chmod 0755, $dir }, sub { rmdir $dir }])
        : (),
    );
    for my $name (sort keys %spoil) {
        my ($text, $do, $undo) = @{ $spoil{$name} };
        $do->();
        my $log = log_mark();
        for my $how ('json', 'html') {
            my $r = refused("the pool: $name, $how", $broken, @form,
                            how => $how, stateless => 1, status => 500,
                            reason => 'POOL', pool => 'refuse-broken');
            unlike $r->{body}, qr/refuse-broken/, "$name, $how: no path told";
        }
        like error_log_since($log), qr/UPL0126:.*\Q$dir\E.*$text/,
            "$name: the log tells";
        my $s = request('GET', "$broken?status&X-Progress-ID=" . new_id());
        unlike $s->{body}, qr/refuse-broken/, "$name: the status tells no path";
        $undo->();
        mkdir $dir, 0700;
        chown $uid, $gid, $dir;
    }
    taken('the pool is back', $broken, @form);
    # What somebody planted under the name of a bucket.
    my %plant = (
        'a file' => sub { spew($_[0], 'mine') },
        'a link to a directory' => sub { symlink pool('refuse-ran'), $_[0] },
        'a dangling link' => sub { symlink "$dir/nowhere", $_[0] },
        'a FIFO' => sub { system 'mkfifo', $_[0] },
        'a directory of another' => sub { mkdir $_[0], 0755 },
    );
    for my $name (sort keys %plant) {
        my $id = new_id();
        $plant{$name}->("$dir/$id");
        my @inside = pool_files('refuse-ran');
        my ($r) = send_upload($broken, @form, id => $id);
        is $r->{status}, 500, "$name in the place of a bucket: refused";
        is_deeply [pool_files('refuse-ran')], \@inside,
            "$name: nothing was written through it";
        ok -l "$dir/$id" || -e _ || -p _, "$name: it is still there";
        unlink "$dir/$id";
        rmdir "$dir/$id";
    }
}

# --- What the client sees ----------------------------------------------------

{
    my $text = '/refuse/text/count.pl';
    my ($r) = send_upload($text, '--', $form[1], how => 'html');
    is $r->{status}, 400, 'ErrorDocument with a text: status';
    like $r->{body}, qr/our own words/, 'ErrorDocument with a text: body';
    ($r) = send_upload($text, '--', $form[1], how => 'json');
    is $r->{json}{state}, 'error', 'who wants JSON gets JSON all the same';
}
for my $case (['too large', 413, multipart([part('f', 'x' x 2000, 'x')])],
              ['malformed', 400, "--b\r\nx\r\n", 'multipart/form-data; boundary=b'],
              ['no boundary', 400, $form[0], 'multipart/form-data']) {
    my ($name, $status, $body, $type) = @$case;
    for my $way ('whole', 'chunks', 'bytes') {
        my @before = runs();
        my ($r, $then, $id) = send_upload('/refuse/document/count.pl', $body,
                                          $type, how => 'html', way => $way);
        my @ran = runs();
        splice @ran, 0, scalar @before;
        is $r->{status}, $status, "ErrorDocument for $name, $way: status";
        is_deeply \@ran, ["GET /refuse/document/count.pl?X-Progress-ID=$id 0"],
            "ErrorDocument for $name, $way: runs once, as GET without a body";
        is $r->{body}, '', "ErrorDocument for $name, $way: its own answer";
        like $then, qr/^(?:answered|closed)$/,
            "ErrorDocument for $name, $way: what follows is in order";
        is status('/refuse/document/count.pl', $id)->{state}, 'error',
            "ErrorDocument for $name, $way: state";
    }
}
for my $case (['text/html', 'html'], ['*/*', 'html'], ['', 'html'],
              ['application/json', 'json'], ['APPLICATION/JSON', 'json'],
              ['application/json;q=0.1', 'json'],
              ['application/json;q=0', 'html'],
              ['application/json; q=0.000, text/html', 'html'],
              ['application/jsonp', 'html'],
              ['text/html, application/json ; charset=utf-8', 'json']) {
    my ($accept, $want) = @$case;
    my $r = upload($url, ['nonsense'], accept => $accept, id => new_id());
    is $r->{status}, 400, "Accept: $accept: status";
    is $r->{json} ? 'json' : 'html', $want, "Accept: $accept: $want";
}
for my $name (1, 'a%20b', 'alert(1)', 'a' x 65, '', '%00') {
    my $r = request('GET', "$url/status?X-Progress-ID=x&callback=$name",
                    headers => ['Accept', 'application/json']);
    is $r->{status}, 400, "callback \"$name\": status";
    is $r->{json}{state}, 'error', "callback \"$name\": JSON";
}

# Client text never reaches the log as it came.
{
    my $log = log_mark();
    send_upload('/refuse/deny/count.pl', file_named("x\e[31m\"\x{7f}.php"));
    my $text = error_log_since($log);
    like $text, qr/UPL0117:/, 'a name with control characters is refused';
    unlike $text, qr/[\e\x7f]/, 'and the log has none of them';
}

is_deeply [strays('refuse')], [], 'only what was taken is in the pool';
is crashes_since($mark), 0, 'no child died';

done_testing;
