# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package Uploads;

=head1 NAME

Uploads - uploads that mod_upload_pool has taken

=head1 SYNOPSIS

    my $upload = Uploads::receive(\%ENV, sub { read STDIN, $_[0], $_[1] },
                                  Uploads::secrets('/etc/myapp/upload_pool.key'));
    Uploads::take($_, '/srv/uploads') for @{ $upload->{files} };

Core Perl alone, 5.14 or later. What is refused dies with
C<{status =E<gt> N, text =E<gt> TEXT}>. Nothing in a body is believed before its
signature is.

=cut

use strict;
use warnings;
use Digest::SHA qw(hmac_sha256_hex);
use Errno qw(EACCES EPERM);
use File::Basename qw(basename dirname);
use File::Copy qw(copy);
use JSON::PP ();
use MIME::Base64 qw(decode_base64);

# Bytes of JSON: UploadMaxFields, and UploadInline as base64.
my $most = 64 << 20;

my $remedy = 'not readable for this user: have httpd say "UploadFileGroup'
    . ' GROUP" and "UploadFileMode 0640", and give that group the pool (chgrp'
    . ' GROUP, chmod 710)';

sub refuse { my ($status, $text) = @_; die {status => $status, text => $text} }

# What is the server's fault: the client is told no path, the log is.
sub trouble
{
    my ($text, $path, $reason) = @_;
    print STDERR "$path: $reason\n";
    refuse(500, $text);
}

# The secrets of the server's UploadKeyFile, one a line, without its comments.
# The file has to be readable for the application, and for nobody else.
sub secrets
{
    my ($path) = @_;
    open my $in, '<:raw', $path
        or trouble('the key cannot be read', $path, $!);
    my @keys = grep { /^[^#]/ } map { s/^\s+|\s+$//gr } <$in>;
    @keys or trouble('the key cannot be read', $path, 'no key in it');
    return \@keys;
}

# Takes the same time wherever the two differ.
sub same
{
    my ($one, $two) = @_;
    return 0 unless length $one == length $two;
    return ($one ^ $two) =~ tr/\0//c == 0;
}

# Over the bytes as they came: JSON that was decoded and encoded again is
# another text.
sub is_signed
{
    my ($body, $signature, $keys) = @_;
    return scalar grep {
        same('sha256=' . hmac_sha256_hex($body, $_), $signature)
    } @$keys;
}

# The upload of a request with this environment, as CGI has it: the object of
# the JSON, its strings as UTF-8 bytes, the values of its fields decoded. $read
# fills its first argument with as many bytes as its second says.
sub receive
{
    my ($env, $read, $keys) = @_;
    my $length = $env->{CONTENT_LENGTH} || 0;
    refuse(413, 'too much JSON') if $length > $most;
    # In any case: of a CGI program that leaves its input unread, mod_cgid may
    # lose the answer.
    $read->(my $body, $length);
    refuse(405, 'only POST') unless $env->{REQUEST_METHOD} eq 'POST';
    my $signature = $env->{HTTP_X_UPLOAD_SIGNATURE}
        or refuse(403, 'not signed');
    is_signed($body, $signature, $keys) or refuse(403, 'wrong signature');
    my $upload = bytes_of(JSON::PP->new->utf8->decode($body));
    # A signed body stays signed: it may not pass for another upload's.
    refuse(403, 'another upload')
        unless $upload->{state} eq 'done'
        && $upload->{identifier} =~ /\A[A-Za-z0-9-]{1,64}\z/
        && $upload->{identifier} eq ($env->{HTTP_X_UPLOAD_IDENTIFIER} // '');
    for my $field (@{ $upload->{fields} }) {
        $field->{value} = decode_base64($field->{value})
            if ($field->{encoding} // '') eq 'base64';
    }
    for my $file (@{ $upload->{files} }) {
        must_be_there($file) unless defined $file->{content};
    }
    return $upload;
}

# Gone is final for a client: what only cannot be read is not gone.
sub must_be_there
{
    my ($file) = @_;
    my $path = $file->{path} // '';
    my @stat = stat $path;
    if (!@stat && ($! == EACCES || $! == EPERM) || @stat && !-r _) {
        trouble('the file cannot be read', $path, $remedy);
    }
    refuse(410, 'the file is gone') unless @stat && $stat[7] == $file->{size};
    return;
}

# The upload with that identifier in the directory POOL, for an application that
# was told its identifier alone: as receive() gives it, without fields. Nothing
# where there is no such upload that is done. The name is checked first, because
# it becomes part of a path.
sub find
{
    my ($pool, $identifier) = @_;
    return unless $identifier =~ /\A[A-Za-z0-9-]{1,64}\z/;
    my $bucket = "$pool/$identifier";
    my $in;
    if (!open $in, '<:raw', "$bucket/metadata.json") {
        trouble('the upload cannot be read', $bucket, $remedy)
            if $! == EACCES || $! == EPERM;
        return;
    }
    local $/;
    my $upload = bytes_of(JSON::PP->new->utf8->decode(scalar <$in>));
    return unless $upload->{state} eq 'done';
    for my $file (@{ $upload->{files} }) {
        $file->{path} = "$bucket/" . basename($file->{stored});
        must_be_there($file);
    }
    return $upload;
}

# File names and fields are bytes for all that follows.
sub bytes_of
{
    my ($value) = @_;
    if (ref $value eq 'HASH') {
        return {map { $_ => bytes_of($value->{$_}) } keys %$value};
    }
    return [map { bytes_of($_) } @$value] if ref $value eq 'ARRAY';
    utf8::encode($value) if defined $value && !ref $value;
    return $value;
}

# Moves a file to DIRECTORY/RANDOM/NAME and returns that path. Two files never
# meet, whatever their clients call them.
sub take
{
    my ($file, $directory) = @_;
    my $random = defined $file->{content} ? random()
        : basename($file->{path}, '.bin');
    my $target = "$directory/$random/$file->{'safe-filename'}";
    -d dirname($target) || mkdir dirname($target), 0750
        or trouble('cannot store', $directory, $!);
    my $part = "$target.part";
    (defined $file->{content} ? spew($part, decode_base64($file->{content}))
        : move($file->{path}, $part)) or trouble('cannot store', $directory, $!);
    # Complete, or not there under its name.
    rename $part, $target or trouble('cannot store', $target, $!);
    return $target;
}

# A rename fails where the file is to go to another file system, or the
# application is another user than httpd.
sub move
{
    my ($from, $to) = @_;
    return 1 if rename $from, $to;
    copy($from, $to) or return 0;
    unlink $from;
    return 1;
}

sub spew
{
    my ($path, $bytes) = @_;
    open my $out, '>:raw', $path or return 0;
    return print({$out} $bytes) && close $out;
}

sub random
{
    open my $in, '<:raw', '/dev/urandom' or refuse(500, "random: $!");
    read $in, my $bytes, 8;
    return unpack 'H*', $bytes;
}

# What the examples answer: takes the files and says what there was, as status,
# headers and text. The claim, with "UploadKeep claimed": the upload was
# received; else it is deleted, also when the application dies.
sub answer
{
    my ($env, $read) = @_;
    my ($status, $said, @claim) = (200);
    eval {
        my $upload = receive($env, $read, secrets($env->{UPLOADS_KEY}));
        $said = {
            identifier => $upload->{identifier},
            files => [map { {
                field => $_->{field}, filename => $_->{filename},
                stored => take($_, $env->{UPLOADS_DIR}),
            } } @{ $upload->{files} }],
            fields => [map { {
                name => $_->{name}, bytes => length $_->{value},
            } } @{ $upload->{fields} }],
        };
        @claim = ('X-Upload-Claim' => $upload->{identifier});
        1;
    } or do {
        die $@ unless ref $@ eq 'HASH';
        ($status, $said) = ($@->{status}, {error => $@->{text}});
    };
    # Bytes went in; bytes come out.
    my $text = JSON::PP->new->canonical->encode($said);
    utf8::downgrade($text);
    return ($status, ['Content-Type' => 'application/json', @claim], $text);
}

1;
