# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Neighbours;

=head1 NAME

UploadPool::Neighbours - uploads of every kind through a context in which
another module works

=head1 SYNOPSIS

    goes_through('buffer', '/n/buffer/echo.lua');
    my ($c, $id) = trickle('/n/kept/echo.lua', tls => 1);

=head1 FUNCTIONS

=over

=item goes_through(NAME, URL, %OPTIONS)

A form in one piece and in chunks, a slow one (which event parks), the same
through TLS, one over HTTP/2, and a file by each protocol of
L<UploadPool::Several>: the application behind URL is told of each once, the
bytes are those that were sent, and the connection stays usable. Options:
C<headers> of all requests, C<only>, a pattern for the names of the kinds.

=item trickle(URL, %OPTIONS)

Sends a form with C<content> in pieces, some milliseconds between them, and
returns the answer, the identifier and the connection, which is open. Options:
C<chunked>, C<tls>, C<headers>, C<content>, C<pieces>.

=item arrived(NAME, ANSWER, CONTENT, IDENTIFIER)

Asserts that ANSWER is the echo of an application that was told of CONTENT.

=back

=cut

use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use Test::More;
use Time::HiRes qw(sleep);
use UploadPool::Several;
use UploadPool::Test;

our @EXPORT = qw(goes_through trickle arrived);

sub arrived
{
    my ($name, $r, $content, $id) = @_;
    my $seen = application($r) || {};
    like $r->{status}, qr/^20[014]$/, "$name: status"
        or diag $r->{error} // '', $r->{body} // '';
    is $seen->{identifier}, $id, "$name: identifier" if defined $id;
    is $seen->{state}, 'done', "$name: done";
    my $path = $seen->{files}[0]{path};
    ok defined $path && -f $path && slurp($path) eq $content,
        "$name: every byte";
    return $seen;
}

sub _pieces
{
    my ($body, %o) = @_;
    my $size = int(length($body) / ($o{pieces} || 4)) + 1;
    my @pieces = unpack "(a$size)*", $body;
    return @pieces unless $o{chunked};
    my @coded = map { sprintf "%x\r\n%s\r\n", length, $_ } @pieces;
    # A piece ends within a chunk's own line, too.
    @coded = map { (substr($_, 0, 2), substr($_, 2)) } @coded;
    return (@coded, "0\r\n\r\n");
}

sub trickle
{
    my ($url, %o) = @_;
    my $id = new_id();
    my ($body, $type) = multipart([{name => 'f', filename => 'f.bin',
        content => $o{content} // 'x' x 3000}]);
    my @headers = @{ $o{headers} || [] };
    my $lines = '';
    while (my ($name, $value) = splice @headers, 0, 2) {
        $lines .= "$name: $value\r\n";
    }
    my $c = connect_raw(tls => $o{tls}, port => $o{port});
    my $q = $url =~ /\?/ ? '&' : '?';
    $c->send("POST $url${q}X-Progress-ID=$id HTTP/1.1\r\n"
        . ($lines =~ /^Host:/m ? '' : "Host: localhost\r\n")
        . "Content-Type: $type\r\n$lines"
        . ($o{chunked} ? 'Transfer-Encoding: chunked'
           : 'Content-Length: ' . length $body) . "\r\n\r\n");
    for my $piece (_pieces($body, %o)) {
        sleep 0.015;
        $c->send($piece) or last;
    }
    return ($c->answer, $id, $c);
}

sub _slow
{
    my ($name, $url, $content, $o) = @_;
    for my $tls (0, 1) {
        for my $chunked (0, 1) {
            my $how = join ', ', $name, 'slow', $tls ? 'TLS' : (),
                $chunked ? 'in chunks' : ();
            next if $o->{only} && $how !~ $o->{only};
            my ($r, $id, $c) = trickle($url, %$o, tls => $tls,
                chunked => $chunked, content => $content);
            arrived($how, $r, $content, $id);
            $c->send("GET /hello.txt HTTP/1.1\r\nHost: localhost\r\n\r\n");
            is $c->answer->{status}, 200, "$how: the next request";
            $c->close;
        }
    }
    return;
}

sub _http2
{
    my ($name, $url, $content, $o) = @_;
    my $file = var('t_logs') . '/neighbours.bin';
    my @headers = @{ $o->{headers} || [] };
    my @lines;
    while (my ($header, $value) = splice @headers, 0, 2) {
        push @lines, '-H', "$header: $value";
    }
    spew($file, $content);
    my $id = new_id();
    my $r = curl('--http2-prior-knowledge', @lines, '-F', "f=\@$file",
                 base() . "$url?X-Progress-ID=$id");
    arrived("$name, HTTP/2", $r, $content, $id);
    return;
}

sub goes_through
{
    my ($name, $url, %o) = @_;
    my $content = random_bytes(20_000);
    my @file = {name => 'f', filename => 'f.bin', content => $content};
    for my $how (['form'], ['form in chunks', chunked => 777]) {
        my ($said, @how) = @$how;
        next if $o{only} && $said !~ $o{only};
        my $id = new_id();
        arrived("$name, $said", upload($url, \@file, id => $id, @how,
                headers => [@{ $o{headers} || [] }]), $content, $id);
    }
    _slow($name, $url, $content, \%o);
    _http2($name, $url, $content, \%o) if !$o{only} || 'HTTP/2' =~ $o{only};
    for my $way (ways()) {
        next if $o{only} && $way !~ $o{only};
        my $up = begin($way, $url, $content, headers => $o{headers} || []);
        arrived("$name, $way", $up->{finish}->(), $content, $up->{id});
    }
    return;
}

1;
