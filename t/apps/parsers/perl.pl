#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# What CGI.pm and Mojolicious read from each body of a file of
# UploadPool::Parsers: a line for each, "PARSER NUMBER READING".

use strict;
use warnings;
use CGI ();
use Digest::SHA qw(sha256_hex);
use File::Temp ();
use JSON::PP ();
use Mojo::Message::Request ();

$CGI::LIST_CONTEXT_WARN = 0;
my $json = JSON::PP->new->canonical->ascii->allow_nonref;
my $standard_input = File::Temp->new;

sub by_cgi
{
    my ($type, $body) = @_;
    truncate $standard_input, 0;
    seek $standard_input, 0, 0;
    syswrite $standard_input, $body;
    open STDIN, '<:raw', $standard_input->filename or die "STDIN: $!";
    local @ENV{qw(REQUEST_METHOD CONTENT_TYPE CONTENT_LENGTH QUERY_STRING
                  GATEWAY_INTERFACE)}
        = ('POST', $type, length $body, '', 'CGI/1.1');
    CGI::initialize_globals();
    my $form = CGI->new;
    die $form->cgi_error . "\n" if $form->cgi_error;
    my %said;
    for my $name ($form->param) {
        my @handles = $form->upload($name);
        $said{$name} = [map { "$_" } $form->multi_param($name)];
        for my $handle (@handles) {
            my $about = $form->uploadInfo($handle);
            local $/;
            binmode $handle;
            push @{ $said{"file $name"} }, ["$handle", $about->{'Content-Type'},
                                            sha256_hex(<$handle> // '')];
        }
    }
    return \%said;
}

sub by_mojolicious
{
    my ($type, $body) = @_;
    my $request = Mojo::Message::Request->new;
    $request->parse("POST / HTTP/1.1\r\nHost: localhost\r\n"
        . "Content-Type: $type\r\nContent-Length: " . length($body)
        . "\r\n\r\n");
    $request->parse($body);
    die $request->error->{message} . "\n" if $request->error;
    die "is not finished\n" unless $request->is_finished;
    return {
        fields => $request->body_params->pairs,
        files => [map { [$_->name, $_->filename, $_->headers->content_type,
                         sha256_hex($_->slurp)] } @{ $request->uploads }],
    };
}

my @parsers = (['cgi.pm', \&by_cgi], ['mojolicious', \&by_mojolicious]);
open my $in, '<:raw', $ARGV[0] or die "$ARGV[0]: $!";
while (my $line = <$in>) {
    my ($number, $type_length, $length) = split ' ', $line;
    read $in, my ($type), $type_length;
    read $in, my ($body), $length;
    for my $parser (@parsers) {
        my ($name, $read) = @$parser;
        my $reading = eval { $json->encode($read->($type, $body)) }
            // "error: $@" =~ s/\n/ /gr;
        print "$name $number $reading\n";
    }
}
