# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Parsers;

=head1 NAME

UploadPool::Parsers - forms, and what other programs' parsers read from them

=head1 SYNOPSIS

    my @forms = (vectors("$top/t/unit/vectors"), generated(14, 1000));
    my $reading = readings(@forms);         # {rack => [TEXT, ...], ...}

=head1 DESCRIPTION

A form is a hash: C<name>, C<type> (its Content-Type) and C<body>.

=over

=item vectors(DIRECTORY)

The bodies of those cases of t/unit/vectors that the parser accepts, with the
names of file and case.

=item generated(SEED, COUNT)

Forms as clients write them, the same ones for the same seed: text, empty
inputs, files, several parts with one name, names with brackets, quotes, percent
signs and letters of all kinds, directories, values that are not UTF-8 or look
like a boundary.

=item readings(FORM, ...)

For each parser what it read from each form, as one line of text; C<error: …> if
it reads nothing. PHP answers behind httpd, at /fpm/parsed.php.

=back

=cut

use strict;
use warnings FATAL => 'all';
use Carp qw(croak);
use Exporter 'import';
use UploadPool::Test;

our @EXPORT = qw(vectors generated readings);

# --- The bodies of the unit tests -------------------------------------------

sub _unescaped
{
    my ($text) = @_;
    my %of = (r => "\r", n => "\n", t => "\t", 0 => "\0", '\\' => '\\');
    $text =~ s/\\\{(\d+)\*((?:[^}\\]|\\.)*)\}/_unescaped($2) x $1/ge;
    $text =~ s/\\(?:x([0-9a-fA-F]{2})|([rnt0\\]))/
        defined $1 ? chr hex $1 : $of{$2}/gex;
    return $text;
}

sub vectors
{
    my ($directory) = @_;
    my @forms;
    for my $file (sort glob "$directory/*.mp") {
        my ($theme) = $file =~ m{([^/]+)\.mp$};
        my (undef, @case) = split /^case /m, slurp($file);
        for my $case (@case) {
            next unless $case =~ /^> ok/m;
            my ($name) = $case =~ /^(.*)/;
            my $boundary = _unescaped($case =~ /^boundary (.*)/m ? $1 : 'b');
            $boundary = qq("$boundary") if $boundary =~ /[^-\w]/;
            push @forms, {name => "$theme: $name",
                type => "multipart/form-data; boundary=$boundary",
                body => join '', map { _unescaped($_) }
                    $case =~ /^\|(.*)/mg};
        }
    }
    return @forms;
}

# --- Forms that are made up -------------------------------------------------

sub _one_of { return $_[rand @_] }

my @names = ('a', 'title', 'files[]', 'a[x]', 'a[x][y]', 'a[]', 'b.c',
    'two words', 'say "hi"', '100%', '%41', "caf\xc3\xa9",
    "\xe6\x97\xa5\xe6\x9c\xac", 'semi;colon', 'equals=', 'a,b', "it's", 'A',
    '_charset_', 'MAX_FILE_SIZE');
my @filenames = ('a.txt', 'photo.JPG', 'no suffix', '.hidden', 'a.tar.gz',
    'say "hi".txt', '100%.txt', '%41.txt', "caf\xc3\xa9.png",
    "\xe6\x97\xa5\xe6\x9c\xac.pdf", "\xf0\x9f\x98\x80.gif",
    'semi;colon.txt', 'equals=.txt', 'dir/a.txt', 'dir/sub dir/b.txt',
    'a, b.txt', "it's.txt", 'x' x 200, '(1).txt', '[1].txt');
my @types = ('text/plain', 'application/octet-stream', 'image/png',
    'text/plain; charset=utf-8', 'text/plain; charset=iso-8859-1',
    'application/vnd.oasis.opendocument.text', 'text/html;charset="utf-8"',
    'application/x-php', 'audio/x; q="a;b"');
my @boundaries = ('----WebKitFormBoundary7MA4YWxkTrZu0gW',
    '---------------------------41184676334', 'b',
    '------------------------d74496d66958873e',
    '----formdata-undici-012345678901', 'geckoformboundaryabcdef0123');

sub _bytes { return join '', map { chr rand 256 } 1 .. rand $_[0] }

sub _value
{
    my ($boundary) = @_;
    return _one_of('', 'x', 'Holiday', "two\r\nlines\r\n", "\r\n", '--',
        "--${boundary}x", "\r\n--", "\r\n--" . substr($boundary, 0, -1),
        "caf\xc3\xa9", "caf\xe9", "\xff\xfe\0", 'a=b&c=d', '%41+%42',
        '<b>&amp;</b>', _bytes(300));
}

# Browsers escape three characters, and no others.
sub _quoted
{
    my ($text) = @_;
    $text =~ s/(["\r\n])/sprintf '%%%02X', ord $1/ge;
    return qq("$text");
}

sub _part
{
    my ($boundary) = @_;
    my $name = _quoted(_one_of(@names));
    my $kind = int rand 10;
    return ("Content-Disposition: form-data; name=$name", _value($boundary))
        if $kind < 4;
    # A few clients say what kind of text a field is.
    return ("Content-Disposition: form-data; name=$name\r\nContent-Type: "
            . _one_of('text/plain', 'text/plain; charset=utf-8',
                      'application/json'), _value($boundary)) if $kind == 4;
    return ("Content-Disposition: form-data; name=$name; filename=\"\"\r\n"
            . 'Content-Type: application/octet-stream', '') if $kind == 5;
    my $content = _one_of('', "hello\n", _value($boundary), _bytes(5000));
    my $head = "Content-Disposition: form-data; name=$name; filename="
        . _quoted(_one_of(@filenames));
    $head .= "\r\nContent-Type: " . _one_of(@types) if $kind != 6;
    return ($head, $content);
}

sub generated
{
    my ($seed, $count) = @_;
    srand $seed;
    my @forms;
    for my $n (1 .. $count) {
        my $boundary = _one_of(@boundaries);
        my $body = '';
        for (1 .. rand 7) {
            my ($head, $content) = _part($boundary);
            # Would be no part of this form.
            redo if "\r\n$content" =~ /\r\n--\Q$boundary\E/;
            $body .= "--$boundary\r\n$head\r\n\r\n$content\r\n";
        }
        push @forms, {name => "generated $n", body => "$body--$boundary--\r\n",
                      type => "multipart/form-data; boundary=$boundary"};
    }
    return @forms;
}

# --- The parsers ------------------------------------------------------------

sub _programs
{
    my $dir = var('top') . '/t/apps/parsers';
    my $go = var('t_logs') . '/parser';
    # Debian's own, whatever else comes first in the path.
    my ($python, $ruby, $perl) = map { "/usr/bin/$_" } qw(python3 ruby perl);
    local $ENV{GOCACHE} = "$go.cache";
    local $ENV{GO111MODULE} = 'off';
    system('go', 'build', '-o', $go, "$dir/go/main.go") == 0
        or croak 'go does not build its parser';
    return (['node', "$dir/node.js"], [$python, "$dir/python.py"],
            [$ruby, "$dir/rack.rb"], [$perl, "$dir/perl.pl"], [$go]);
}

sub _by_php
{
    my (@forms) = @_;
    my @said;
    my $c = connect_raw();
    for my $form (@forms) {
        $c->send("POST /fpm/parsed.php HTTP/1.1\r\nHost: localhost\r\n"
            . "Content-Type: $form->{type}\r\nContent-Length: "
            . length($form->{body}) . "\r\n\r\n$form->{body}");
        my $answer = $c->answer;
        croak "PHP: $answer->{status} $answer->{error}"
            if $answer->{status} != 200;
        push @said, $answer->{body};
    }
    $c->close;
    return \@said;
}

my $programs;

sub readings
{
    my (@forms) = @_;
    my %said = (php => _by_php(@forms));
    my $file = var('t_logs') . '/forms';
    my $number = 0;
    spew($file, join '', map { join '', $number++, ' ', length $_->{type}, ' ',
        length $_->{body}, "\n", $_->{type}, $_->{body} } @forms);
    $programs ||= [_programs()];
    my @running = map {
        open my $pipe, '-|', @$_, $file or croak "$_->[0]: $!";
        $pipe;
    } @$programs;
    for my $pipe (@running) {
        while (my $line = <$pipe>) {
            my ($parser, $n, $reading) = $line =~ /^(\S+) (\d+) (.*)/
                or croak "a parser says $line";
            $said{$parser}[$n] = $reading;
        }
        close $pipe or croak 'a parser dies';
    }
    return \%said;
}

1;
