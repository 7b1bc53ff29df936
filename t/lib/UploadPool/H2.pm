# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::H2;

=head1 NAME

UploadPool::H2 - a client of HTTP/2 that decides on each DATA frame

=head1 SYNOPSIS

    my $h2 = UploadPool::H2->new;
    my $r = $h2->request('POST', '/u', $body, {'content-type' => $type},
                         piece => 1);

=head1 DESCRIPTION

t/http/hostile/h2.js does the work; the options of request are its options, and
the answers are like those of L<UploadPool::Test>. The requests of one object
share a connection. C<reset> and C<go> are subs that are called before the
client resets or goes; they return when they have seen what they wait for.

=cut

use strict;
use warnings FATAL => 'all';
use IO::Handle ();
use IPC::Open2 qw(open2);
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use UploadPool::Test qw(decode_json_text port var);

sub new
{
    my ($class) = @_;
    my $pid = open2(my $out, my $in, $ENV{NODE} || 'node',
                    var('top') . '/t/http/hostile/h2.js');
    $in->autoflush(1);
    return bless {pid => $pid, out => $out, in => $in}, $class;
}

sub request
{
    my ($self, $method, $path, $body, $headers, %o) = @_;
    my ($when) = grep { ref } @o{qw(reset go)};
    my %line = (port => port(), method => $method, path => $path,
                body => encode_base64($body, ''), headers => $headers, %o);
    $line{$_} = $line{$_} ? JSON::PP::true() : JSON::PP::false()
        for grep { exists $line{$_} } qw(end reset go);
    print { $self->{in} } JSON::PP->new->encode(\%line), "\n";
    if ($when) {
        $when->();
        print { $self->{in} } "now\n";
    }
    my $out = $self->{out};
    my $answer = JSON::PP->new->decode(scalar <$out>);
    $answer->{json} = decode_json_text($answer->{body});
    return $answer;
}

sub DESTROY
{
    my ($self) = @_;
    local ($?, $!, $@);
    close $self->{in};
    kill 'TERM', $self->{pid};
    waitpid $self->{pid}, 0;
    return;
}

1;
