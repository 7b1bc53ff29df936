# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Refuse;

=head1 NAME

UploadPool::Refuse - what a refusal must look like to everyone

=head1 SYNOPSIS

    refused('too large', '/refuse/size/count.pl', $body, $type,
            status => 413, reason => 'BODY_TOO_LARGE');

One call sends one upload and compares everything that contract.md, section 5,
says of a refusal: the status, the body, one line in the log at the right level
without the identifier, no data file left, the state, that the application did
not run, and that whatever follows on the connection is an answer to the canary
or its end. Each call is one test, with one comparison.

=cut

use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use Test::More;
use UploadPool::Test;

our @EXPORT = qw(refused taken send_upload pieces_of runs part bodyless
                 reason_of post_head strays);

# As in src/upload/refusal.h: the log tag is 100 and the place in this list.
my $place = 0;
my %number = map { $_ => ++$place } qw(
    BODY_TOO_LARGE FILE_TOO_LARGE TOO_MANY_PARTS FIELD_TOO_LARGE
    FIELDS_TOO_LARGE HEADER_TOO_LARGE BOUNDARY NO_DELIMITER DELIMITER TRUNCATED
    HEADER PADDING LENGTH INCOMPLETE CONTENT_CODING PART_CODING EXTENSION
    NOT_AN_UPLOAD IDENT_MALFORMED IDENT_DOUBLED IDENT_REFUSED OWNER BUSY EXPIRED
    CLEARED POOL CONFIGURATION IO FULL MEMORY TIMEOUT GONE SERVER_LIMIT
    INTERRUPTED HANDLER CALLBACK QUOTA FIELD_MISSING FIELD_FILES FIELD_TYPE
    DIGEST DIGEST_SYNTAX FILE_DIGEST FILE_DIGEST_SYNTAX VIRUS SCANNER SNIFFED
    CHUNK_SIZE CHUNK_FILES CHUNK_NONE CHUNK_HEADER FIELDS TOO_SLOW NOT_FOUND
    OFFSET COMPLETE UPLOAD_LENGTH OVERRUN CHECKSUM TAKEN NOT_WHOLE
    UPLOAD_HEADER VERSION FINAL WATCHERS PIECE IDENT_MISSING PROTOCOL
);

sub reason_of { return 100 + ($number{ $_[0] } || die "no reason $_[0]\n") }

my $canary = "GET /hello.txt HTTP/1.1\r\nHost: localhost\r\n"
    . "Connection: close\r\n\r\n";

=head1 FUNCTIONS

=over

=item part(NAME, VALUE), part(NAME, VALUE, FILENAME)

A field or a file for multipart().

=cut

sub part
{
    my ($name, $value, $filename) = @_;
    return defined $filename
        ? {name => $name, filename => $filename, content => $value}
        : {name => $name, value => $value};
}

=item runs()

How often F<count.pl> ran, and in list context its lines.

=cut

sub runs
{
    my $file = pool('refuse-ran') . '/log';
    my @lines = -e $file ? split /\n/, slurp($file) : ();
    return @lines;
}

=item strays(POOL)

What lies in the pool beside the files of uploads that are done: data files of
others, what is half written, what is no bucket.

=cut

sub strays
{
    my ($name) = @_;
    my %done = map { $_ => 1 } grep { -e pool($name) . "/$_/metadata.json" }
        pool_dirs($name);
    return grep {
        my ($bucket, $file) = m{^([^/]+)/([^/]+)$};
        !defined $bucket || $file !~ /^(?:attempt\.json|metadata\.json|lock)$/
            && !($done{$bucket} && $file =~ /^(?:run|\d+-[0-9a-f]{32}\.bin)$/)
    } pool_files($name);
}

=item pieces_of(WAY, HEAD-WITHOUT-FRAMING, BODY)

The pieces of one way to send a request: whole, cut (at every CR, LF and dash),
bytes (one by one), chunks (of 7), chunks of one.

=cut

sub pieces_of
{
    my ($way, $head, $body) = @_;
    my $framed = "${head}Content-Length: " . length($body) . "\r\n\r\n";
    my $coded = "${head}Transfer-Encoding: chunked\r\n\r\n";
    return $way eq 'whole' ? "$framed$body"
        : $way eq 'cut' ? ($framed, split /(?<=[\r\n-])/, $body)
        : $way eq 'bytes' ? ($framed, split //, $body)
        : $way eq 'chunks' ? $coded . chunked($body, 7)
        : $way eq 'chunks of one' ? ($coded, chunked($body, 1))
        : die "no way $way\n";
}

=item post_head(URL, TYPE, ID, HOW)

The head of a POST without its framing. HOW is what of an answer is asked for:
json, ajax or html.

=cut

sub post_head
{
    my ($url, $type, $id, $how) = @_;
    $url .= ($url =~ /\?/ ? '&' : '?') . "X-Progress-ID=$id" if defined $id;
    return "POST $url HTTP/1.1\r\nHost: localhost\r\n"
        . (defined $type ? "Content-Type: $type\r\n" : '')
        . ($how eq 'json' ? "Accept: text/html;q=0.5, application/json\r\n"
           : $how eq 'ajax' ? "X-Requested-With: XMLHttpRequest\r\n"
           : "Accept: text/html\r\n");
}

# The answer, and what came behind it: "answered" or "closed" when all is well.
sub _converse
{
    my ($pieces, %o) = @_;
    my $c = connect_raw(port => $o{port});
    # A refusal may come before everything is sent.
    $c->send_all([@$pieces, $o{silent} ? () : $canary]);
    my $answer = $c->answer;
    my $next = $c->answer;
    my $then = $next->{status} == 0 ? 'closed'
        : $next->{status} == 200 && $next->{body} eq slurp(var('documentroot')
                                                    . '/hello.txt')
            ? 'answered' : "garbage: $next->{status}";
    $then .= ', and more' unless $c->closed(5);
    $c->close;
    return ($answer, $then);
}

sub _shape
{
    my ($answer, $how) = @_;
    my $json = $answer->{json};
    return 'nothing' unless $answer->{status};
    return 'json' if $json && join(',', sort keys %$json) eq 'detail,error,state'
        && $json->{detail} eq $json->{error}
        && $json->{state} eq 'error' && length $json->{error}
        && $answer->{headers}{'content-type'} eq 'application/json'
        && $answer->{headers}{'cache-control'} eq 'no-store';
    return 'html' if $answer->{body} =~ /<!DOCTYPE HTML/i
        && $answer->{headers}{'content-type'} =~ m{^text/html};
    return "something else: $answer->{body}";
}

=item refused(NAME, URL, BODY, TYPE, %WANT)

C<status>, C<reason> (of refusal.h), C<state> (error) are wanted. Options:
C<pieces> (already complete, instead of a way), C<way> (of
pieces_of; whole), C<id>, C<how> (json, ajax, html), C<head> (further header
lines), C<pool> (refuse), C<level> (warn, error for 5xx), C<port>, C<stateless> (the identifier has no
state), C<kept> (it has files of another upload), C<silent> (no canary),
C<curl> (HTTP/2).

=cut

my $turn = 0;

sub refused
{
    my ($name, $url, $body, $type, %o) = @_;
    my $id = exists $o{id} ? $o{id} : new_id();
    my $how = $o{how} || (qw(json ajax html))[$turn++ % 3];
    my $mark = log_mark();
    my $before = () = runs();
    my $head = post_head($url, $type, $id, $how) . ($o{head} || '');
    my ($answer, $then);
    if ($o{curl}) {
        ($answer, $mark) = _by_http2($url, $type, $id, $how, $body);
        $then = 'closed';
    }
    else {
        ($answer, $then) = _converse([
            $o{pieces} ? ($head, @{ $o{pieces} })
            : pieces_of($o{way} || 'whole', $head, $body)], %o);
    }
    my $log = error_log_since($mark);
    my @lines = grep { /UPL01\d\d:/ } split /\n/, $log;
    my $all = @lines ? $lines[0] : '';
    my $plain = defined $id && $id =~ /^([A-Za-z0-9-]+)/ ? $1 : undef;
    my $state = defined $plain && !$o{stateless} ? status($url, $id) : {};
    my $pool = $o{pool} || 'refuse';
    my $now = () = runs();
    my $left = "";
    if (defined $plain && !$o{kept} && -d pool($pool) . "/$plain") {
        $left = join " ", grep { !/^(?:attempt\.json|metadata\.json|lock)$/ }
            pool_files(pool($pool) . "/$plain");
    }
    my $number = reason_of($o{reason});
    my %got = (
        status => $answer->{status},
        shape => _shape($answer, $how),
        interim => scalar @{ $answer->{interim} || [] },
        then => $then =~ /^(?:answered|closed)$/ ? 'in order' : $then,
        tags => join(' ', map { /UPL(\d+):/ } @lines),
        level => $all =~ /upload_pool:(\w+)/ ? $1 : 'none',
        'identifier in the log' => defined $plain && length $plain > 3
            && $all =~ /upload \Q$plain\E / ? 1 : 0,
        ran => $now - $before,
        left => $left,
        state => $state->{state},
        text => $how ne 'html' && $state->{state} && $answer->{json}
            && ($state->{error} || '') ne ($answer->{json}{error} || '')
            && $state->{state} eq 'error' ? 'differs' : 'same',
    );
    my $wanted = exists $o{state} ? $o{state} : 'error';
    my %want = (
        status => $o{status}, interim => $o{interim} || 0,
        shape => $how eq 'html' ? 'html' : 'json', then => 'in order',
        tags => sprintf('%04d', $number),
        level => $o{level} || ($o{status} >= 500 ? 'error' : 'warn'),
        'identifier in the log' => 0, ran => 0, left => "",
        state => defined $plain && !$o{stateless} ? $wanted : undef,
        text => 'same',
    );
    is_deeply \%got, \%want, "$name: refused"
        or diag explain(\%got), $answer->{body}, $answer->{error} || '', $log;
    return $answer;
}

# mod_http2 resets the stream of a request whose body nobody read to the end,
# whatever the handler (a "Redirect 415" too), and curl then sometimes drops the
# answer (exit 92): such a try says nothing about us.
sub _by_http2
{
    my ($url, $type, $id, $how, $body) = @_;
    my $file = var('t_logs') . '/refuse-body';
    my ($answer, $mark);
    spew($file, $body);
    for (1 .. 20) {
        $mark = log_mark();
        $answer = curl(
            '--http2-prior-knowledge', '--data-binary', "\@$file",
            '--max-time', 60, '-H', "Content-Type: $type", '-H', 'Expect:',
            '-H', $how eq 'json' ? 'Accept: application/json'
            : $how eq 'ajax' ? 'X-Requested-With: x' : 'Accept: text/html',
            base() . "$url?X-Progress-ID=$id");
        last if $answer->{exit} == 0;
    }
    return ($answer, $mark);
}

=item send_upload(URL, BODY, TYPE, %OPTIONS)

The same request and its answer, judged by the caller.

=item taken(NAME, URL, BODY, TYPE, %OPTIONS)

The same request must be taken: 200, state done, the application ran once.

=back

=cut

sub send_upload
{
    my ($url, $body, $type, %o) = @_;
    my $id = exists $o{id} ? $o{id} : new_id();
    my $head = post_head($url, $type, $id, $o{how} || 'json') . ($o{head} || '');
    my ($answer, $then)
        = _converse([pieces_of($o{way} || 'whole', $head, $body)], %o);
    return ($answer, $then, $id);
}

sub taken
{
    my ($name, $url, $body, $type, %o) = @_;
    my $before = () = runs();
    my ($answer, $then, $id) = send_upload($url, $body, $type, %o);
    my $now = () = runs();
    my %got = (status => $answer->{status}, then => $then,
               state => status($url, $id)->{state}, ran => $now - $before);
    is_deeply \%got, {status => 200, then => 'answered', state => 'done',
                      ran => 1}, "$name: taken"
        or diag explain(\%got), $answer->{body};
    return $answer;
}

1;
