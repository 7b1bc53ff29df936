# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# An application sees what it would have seen without the module: what PHP,
# Django, Werkzeug, Rack, busboy, multer, formidable, Go, CGI.pm and Mojolicious
# read from the form that the module hands on is what they read from the
# client's own bytes, for every body that the parser's unit tests accept, and
# for a thousand forms of the kinds that clients send.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Parsers;
use UploadPool::Test;

# Where they read something else: who, which bodies, and why, in the words of
# the manual. Each line has to be true of a body.
my @differences = (
    [qr/mojolicious/, sub { $_[0]{body} =~ /name=[^"]/i },
     'finds names only in double quotes'],
    [qr/busboy|formidable|mojolicious|multer|php|rack/,
     qr/blanks behind (?:a|each) boundary/,
     'loses parts behind a delimiter that has blanks behind it'],
    [qr/cgi\.pm|django|mojolicious|rack|werkzeug/,
     qr/delimiters_bare: a delimiter|headers: a boundary in a quoted/,
     'takes text of a file or a header for a delimiter'],
    [qr/./, qr/filename_star/,
     'knows no filename*, or takes filename first where there are both'],
    # (Rack 3.1 has no answer to a Content-Type without a text.)
    [qr/./, qr/disposition:[ ](?:semi|unknown|filename|blanks)|letter[ ]case
              |an[ ]empty[ ]Content-Type/x,
     'understands a header only as browsers spell it'],
    [qr/cgi\.pm/, qr/multipart\/mixed/,
     'reads a part of type multipart/mixed up to its own last delimiter'],
    # (Rack 3.1 gives them another encoding, Werkzeug 3 leaves them encoded.)
    [qr/cgi\.pm|php|rack|werkzeug/,
     sub { $_[0]{body} =~ /filename=[^"]/i
           || $_[0]{name} =~ /decoys: single quotes/ },
     'reads names without quotes, or in single quotes, in another way'],
    [qr/busboy|formidable/, qr/encodings/,
     'reports Content-Transfer-Encoding, which is not handed on'],
    [qr/django|go|php|rack/,
     qr/epilogue: (?:an epilogue with delim|LF ends|blanks and LF)/,
     'keeps reading after the last delimiter'],
    [qr/cgi\.pm|django|rack|werkzeug/, qr/preamble/,
     'requires the first delimiter at the very beginning'],
    [qr/cgi\.pm|rack/, sub { $_[1]{body} =~ /\A--\S+--\r\n\z/ },
     'requires a form without parts to be nothing but its last delimiter'],
    [qr/django/, qr/limits_headers: a long block/,
     'loses a part whose header is longer than 1,024 bytes'],
);

# Which of them it is; undef: none.
sub why
{
    my ($parser, @forms) = @_;
    for my $n (0 .. $#differences) {
        my ($who, $which) = @{ $differences[$n] };
        next unless $parser =~ /^(?:$who)/;
        return $n if ref $which eq 'CODE' ? $which->(@forms)
            : $forms[0]{name} =~ $which;
    }
    return undef;
}

my @forms = (vectors(var('top') . '/t/unit/vectors'), generated(14, 1000));
my (@sent, @rebuilt);
my $c = connect_raw();
for my $form (@forms) {
    $c->send("POST /parsers/raw HTTP/1.1\r\nHost: localhost\r\n"
        . "Content-Type: $form->{type}\r\nContent-Length: "
        . length($form->{body}) . "\r\n\r\n$form->{body}");
    my $answer = $c->answer;
    if ($answer->{status} != 200) {
        fail "$form->{name}: is taken";
        diag $answer->{status}, $answer->{error} // '', $answer->{body} // '';
        $c = connect_raw() if $answer->{closed} || !$answer->{status};
        next;
    }
    push @sent, $form;
    push @rebuilt, {name => $form->{name}, body => $answer->{body},
                    type => $answer->{headers}{'x-seen-type'}};
}
$c->close;
cmp_ok scalar @sent, '>', 1100, 'bodies are compared';

my ($read, $again) = map { readings(@$_) } \@sent, \@rebuilt;
is_deeply [sort keys %$read], [qw(busboy cgi.pm django formidable go mojolicious
    multer php rack werkzeug)], 'parsers';
my %seen;
for my $parser (sort keys %$read) {
    my @unlike;
    for my $n (0 .. $#sent) {
        next if $read->{$parser}[$n] eq $again->{$parser}[$n];
        my $why = why($parser, $sent[$n], $rebuilt[$n]);
        defined $why ? $seen{$why}++ : push @unlike, $n;
    }
    is scalar @unlike, 0, "$parser reads the same";
    diag "$sent[$_]{name}:\nfrom the client: $read->{$parser}[$_]\n",
        "from the module: $again->{$parser}[$_]"
        for @unlike;
}
my $manual = slurp(var('top') . '/conf/manual/handoff') =~ s/\s+/ /gr;
for my $n (0 .. $#differences) {
    my $reason = $differences[$n][2];
    ok $seen{$n}, "differs: $reason";
    ok index($manual, $reason) >= 0, 'which the manual says';
}

done_testing;
