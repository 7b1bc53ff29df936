# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadField: what single fields of the form must contain, and what they must
# not.

use strict;
use warnings FATAL => 'all';
use File::Path ();
use Test::More;
use UploadPool::Httpd;
use UploadPool::Refuse;
use UploadPool::Test;

my $mark = log_mark();
my $photo = '/policy/photo/count.pl';
my @pool = (pool => 'policy');

sub file
{
    my ($field, $name, $type, $content) = @_;
    return {name => $field, filename => $name, type => $type,
            content => defined $content ? $content : 'content'};
}

sub no_good
{
    my ($name, $url, $status, $reason, @parts) = @_;
    return refused($name, $url, multipart(\@parts), status => $status,
                   reason => $reason, @pool);
}

sub good { my ($name, $url, @parts) = @_;
           return taken($name, $url, multipart(\@parts)) }

my @jpeg = ('image/jpeg');
my $title = part('title', 'A title');
my $ok = file('photo', 'a.jpg', @jpeg);

# --- A form as the configuration asks for ------------------------------------

good('photo and title', $photo, $ok, $title);
good('in the other order', $photo, $title, $ok);
good('two of them', $photo, $ok, file('photo', 'B.PNG', 'image/png'), $title);
good('another type of the list', $photo,
     file('photo', 'a.png', 'application/pdf'), $title);
good('just the size', $photo, file('photo', 'a.jpg', @jpeg, 'x' x 1000),
     $title);
good('an empty file', $photo, file('photo', 'a.jpg', @jpeg, ''), $title);
good('type with parameters', $photo,
     file('photo', 'a.jpg', 'Image/JPEG; x="y"'), $title);
good('a dot that the safe name loses', $photo, file('photo', 'a.jpg.', @jpeg),
     $title);
good('a field without a rule', $photo, $ok, $title, part('more', ''),
     file('other', 'x.exe', 'a/b', 'x' x 5000));
good('text where no file may be', $photo, $ok, $title, part('note', 'text'));
good('a file where text would do', $photo, $ok, file('title', 'x', 'a/b'));

no_good('no photo', $photo, 400, 'FIELD_MISSING', $title);
no_good('an empty input', $photo, 400, 'FIELD_MISSING', $title,
        file('photo', '', 'application/octet-stream', ''));
no_good('text instead of a file', $photo, 400, 'FIELD_MISSING', $title,
        part('photo', 'a.jpg'));
no_good('another letter case', $photo, 400, 'FIELD_MISSING', $title,
        file('Photo', 'a.jpg', @jpeg));
no_good('no title', $photo, 400, 'FIELD_MISSING', $ok);
no_good('an empty title', $photo, 400, 'FIELD_MISSING', $ok,
        part('title', ''));
no_good('three', $photo, 413, 'FIELD_FILES', $title, ($ok) x 3);
no_good('one where none may be', $photo, 413, 'FIELD_FILES', $ok, $title,
        file('note', 'x.jpg', @jpeg));
no_good('too large', $photo, 413, 'FILE_TOO_LARGE', $title,
        file('photo', 'a.jpg', @jpeg, 'x' x 1001));
no_good('the second is too large', $photo, 413, 'FILE_TOO_LARGE', $title, $ok,
        file('photo', 'a.jpg', @jpeg, 'x' x 70_000));
no_good("named $_", $photo, 415, 'EXTENSION', $title,
        file('photo', $_, @jpeg))
    for 'a.gif', 'a', 'jpg', 'a.php.png', 'a.png.php';
good('a name that is an extension alone', $photo, file('photo', '.jpg', @jpeg),
     $title);
no_good("of type " . ($_ // 'none'), $photo, 415, 'FIELD_TYPE', $title,
        file('photo', 'a.jpg', $_))
    for 'text/html', 'application/octet-stream', 'application/pdfx',
        'imagex/png', 'text/html; x="image/png"', undef;

# --- "*" ------------------------------------------------------------------------

my $only = '/policy/only/count.pl';
good('files in named fields', $only, (file('a', 'x', 'y/z')) x 3,
     part('b', 'text'));
no_good('a file in another field', $only, 413, 'FIELD_FILES',
        file('a', 'x', 'y/z'), file('b', 'x', 'y/z'));
no_good('a file in a field of that name', $only, 413, 'FIELD_FILES',
        file('*', 'x', 'y/z'));
my $each = '/policy/each/count.pl';
good('one each', $each, map { file($_, 'x.txt', 'text/plain') } 'a' .. 'e');
no_good('two of one', $each, 413, 'FIELD_FILES',
        map { file($_, 'x.txt', 'text/plain') } qw(a b a));
no_good('its size', $each, 413, 'FILE_TOO_LARGE',
        file('a', 'x.txt', 'text/plain', 'x' x 1025));
no_good('its type', $each, 415, 'FIELD_TYPE', file('a', 'x.txt', 'text/html'));

# --- Beside other directives -----------------------------------------------------

my $allow = '/policy/allow/count.pl';
good('both lists', $allow, file('a', 'x.png', 'y/z'), file('c', 'x.gif',
                                                           'y/z'));
no_good('the field\'s list', $allow, 415, 'EXTENSION',
        file('a', 'x.jpg', 'y/z'));
no_good('the list for all', $allow, 415, 'EXTENSION', file('b', 'x.txt', 'y/z'));
my $chain = '/policy/chain/count.pl';
good('another chain', $chain, file('f', 'x.png', 'y/z'));
no_good('another chain, still judged', $chain, 415, 'EXTENSION',
        file('f', 'x.php', 'y/z'));
no_good('another chain, still required', $chain, 400, 'FIELD_MISSING',
        file('g', 'x.php', 'y/z'));
my $r = upload('/policy/photo/echo.pl', [$ok], id => new_id());
is $r->{status}, 200, 'a narrower context takes the rule of a name away';
$r = upload('/policy/photo/echo.pl', [$ok, (file('title', 'x', 'y/z')) x 2],
            id => new_id(), accept => 'application/json');
is $r->{status}, 413, 'and sets its own';
is upload('/policy/photo/echo.pl', [file('title', 'x', 'y/z')],
          id => new_id())->{status}, 400, 'those of other names stay';

# --- In every way that a body may come ---------------------------------------

for my $way (qw(cut bytes chunks)) {
    refused("too large, $way", $photo,
            multipart([$title, file('photo', 'a.jpg', @jpeg, 'x' x 1100)]),
            way => $way, status => 413, reason => 'FILE_TOO_LARGE', @pool);
    refused("missing, $way", $photo, multipart([$title]), way => $way,
            status => 400, reason => 'FIELD_MISSING', @pool);
    taken("all there, $way", $photo, multipart([$title, $ok]), way => $way);
}

# --- What is told, and when ---------------------------------------------------

my %text = (
    'Form field photo is required' => [$title],
    'Form field title is required' => [$ok],
    'Form field photo has too many files' => [($ok) x 3],
    'Form field note takes no file' => [file('note', 'x', 'y/z')],
    'Form field photo has a file that is too large' =>
        [file('photo', 'a.jpg', @jpeg, 'x' x 1001)],
    'Form field photo does not take files of this type' =>
        [file('photo', 'evil<b>.gif', @jpeg)],
);
for my $text (sort keys %text) {
    my $id = new_id();
    $r = upload($photo, $text{$text}, id => $id, accept => 'application/json');
    is $r->{json}{error}, $text, $text;
    is status($photo, $id)->{error}, $text, 'and the status says the same';
}
$r = upload($only, [file('evil "field"', 'x', 'y/z')], id => new_id(),
            accept => 'application/json');
is $r->{json}{error}, 'A form field has too many files',
    'what the client named is not told back';

# The head of a part is enough: the answer does not wait for the file.
for my $case ([415, 'a.gif', 'image/gif'], [415, 'a.jpg', 'text/html'],
              [413, 'x.jpg', 'image/jpeg', 'note']) {
    my ($status, $name, $type, $field) = @$case;
    my $c = connect_raw();
    $c->send("POST $photo?X-Progress-ID=" . new_id() . " HTTP/1.1\r\nHost: x\r\n"
        . "Content-Type: multipart/form-data; boundary=b\r\n"
        . "Accept: application/json\r\nContent-Length: 100000\r\n\r\n"
        . "--b\r\nContent-Disposition: form-data; name=\""
        . ($field || 'photo') . "\"; filename=\"$name\"\r\n"
        . "Content-Type: $type\r\n\r\nx");
    is $c->answer->{status}, $status, "$name as $type: before its bytes";
    $c->close;
}
my $c = connect_raw();
$c->send("POST $photo?X-Progress-ID=" . new_id() . " HTTP/1.1\r\nHost: x\r\n"
    . "Content-Type: multipart/form-data; boundary=b\r\n"
    . "Content-Length: 1000000\r\n\r\n--b\r\nContent-Disposition: form-data; "
    . "name=\"photo\"; filename=\"a.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n"
    . 'x' x 1002);
is $c->answer->{status}, 413, 'a size is told as soon as it is passed';
$c->close;

# --- .htaccess, and mistakes ----------------------------------------------------

my $httpd = UploadPool::Httpd->new;
my $fixed = $httpd->make_pool('fixed');
my $docs = $httpd->dir('htdocs');
File::Path::make_path("$docs/site/in");
$httpd->start("<Directory \"$docs/site\">\nAllowOverride All\n"
    . "SetHandler upload-pool\nUploadPool \"$fixed\"\n"
    . "UploadField f max=2 ext=png,jpg\n</Directory>\n");

sub at
{
    my ($url, @parts) = @_;
    return upload($url, \@parts, id => new_id(), port => $httpd->port,
                  accept => 'application/json')->{status};
}

my @png = (file('f', 'x.png', 'image/png'));
my @jpg = (file('f', 'x.jpg', 'image/jpeg'));
is at('/site/x', @png, @jpg), 200, 'what the server says';
is at('/site/x', @png, @png, @png), 413, 'at most two';
spew("$docs/site/.htaccess", "UploadField f max=9 ext=png,gif\n"
     . "UploadField g required\n");
is at('/site/x', @png, part('g', 'x')), 200, '.htaccess adds to it';
is at('/site/x', @png, @png, @png, part('g', 'x')), 413,
    'and takes nothing away';
is at('/site/x', file('f', 'x.gif', 'image/gif'), part('g', 'x')), 415,
    'nor widens a list';
is at('/site/x', @jpg, part('g', 'x')), 415, 'but narrows it';
is at('/site/x', @png), 400, 'and requires more';
spew("$docs/site/in/.htaccess", "UploadField f\n");
is at('/site/in/x', @jpg, part('g', 'x')), 200,
    'a deeper one changes what the first says';
is at('/site/in/x', @jpg), 400, 'where it names it';
is at('/site/in/x', @jpg, @jpg, @jpg, part('g', 'x')), 413,
    'and the server\'s holds all the same';
spew("$docs/site/.htaccess", "UploadField f max=x\n");
is at('/site/x', @png), 500, 'a mistake';
like $httpd->error_log, qr/UploadField: "max=x" is no number of files/,
    'is in the log';
$httpd->stop;

for my $case (
    ['', qr/takes the name/], ['""', qr/takes the name/],
    ['x' x 65, qr/takes the name/], ["\"\xff\"", qr/takes the name/],
    ['* required', qr/needs the name/],
    ['a needed', qr/is none of required/], ['a max=', qr/number of files/],
    ['a max=-1', qr/number of files/], ['a max=1000001', qr/number of files/],
    ['a size=0', qr/size above 0/], ['a size=x', qr/size above 0/],
    ['a size=2000000', qr/size above 0/],
    ['a ext=', qr/list of extensions/], ['a ext=a,', qr/list of extensions/],
    ['a ext=tar.gz', qr/list of extensions/],
    ['a type=', qr/list of types/], ['a type=image', qr/list of types/],
    ['a type=*/*', qr/list of types/], ['a type=a/b/c', qr/list of types/],
    ['a type=image/*x', qr/list of types/], ['a type=a/,b/c', qr/list of types/],
    ["a max=1\nUploadField a", qr/has a rule already/]) {
    my ($args, $said) = @$case;
    my ($exit, $text) = $httpd->check("<Location /x>\nUploadField $args\n"
                                      . "</Location>\n");
    isnt $exit, 0, "UploadField $args: refused" =~ s/[\n\xff]/?/gr;
    like $text, qr/UploadField.*$said/, 'with a reason';
}
for my $args ('a', 'a REQUIRED Max=0', '"a b[]" size=1G', '* Ext=.a,B_c-d',
              'x type=a.b+c/d-e,f/*') {
    my ($exit) = $httpd->check("<Location /x>\nUploadField $args\n"
                               . "</Location>\n");
    is $exit, 0, "UploadField $args: taken";
}

is crashes_since($mark), 0, 'no child died';
done_testing;
