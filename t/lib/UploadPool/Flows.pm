# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package UploadPool::Flows;

=head1 NAME

UploadPool::Flows - clients of every protocol, step by step

=head1 SYNOPSIS

    for my $name (flows()) {
        my $up = flow($name, '/up', $httpd->port, $pool);
        $up->{prepare}->();
        for my $step (@{ $up->{steps} }) {
            my $answer = $step->();
            last if $answer->{status} >= 400;
        }
        my $answer = $up->{resume}->();      # as such a client goes on
    }

=head1 DESCRIPTION

flow() gets the directory of the pool, and how long the
first file is (20011). A flow is a hash:

    id, ids   the identifier that counts; all that it has used
    files     the bytes of the files that there are when it is done
    old       those of the upload that it replaces, where there is one
    prepare   what has to be there before
    steps     requests, one after the other
    resume    what a client does after a failure: it asks where it is, and goes
              on; returns the last answer, which says 200 where all went well
    offset    the offset that the server tells; undef where it tells none
    usual     the status where nothing fails, if it is no success
    judge     for what is no upload: gets the last answer of the steps, returns
              what is wrong with it, '' for nothing

ask(PORT, METHOD, URL, \@HEADERS, BODY) is one request on its own connection. An
answer that was incomplete, or had something behind it, has C<error>.
stored(DIR, ID): the bytes of the files that the complete upload ID has in the
pool DIR; undef if there is no such upload, or a file is missing or has the
wrong length.

=cut

use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use Digest::MD5 qw(md5_hex);
use MIME::Base64 qw(encode_base64);
use UploadPool::Test;

our @EXPORT = qw(flows flow ask stored post_form);

my %make = (form => \&_form, replace => \&_replace, chunked => \&_chunked,
            tus => \&_tus, checksum => \&_checksum, ietf => \&_ietf,
            concat => \&_concat, clear => \&_clear, steal => \&_steal,
            overwrite => \&_overwrite, intrude => \&_intrude, status => \&_status,
            head => \&_head, serve => \&_serve);

sub flows
{
    return qw(form replace chunked tus checksum ietf concat clear steal
              overwrite intrude status head serve);
}

sub flow
{
    my ($name, $url, $port, $dir, $bytes) = @_;
    my %up = (name => $name, url => $url, port => $port, id => new_id(),
              dir => $dir,
              prepare => sub { }, files => [random_bytes($bytes || 20_011)]);
    $up{ids} = [$up{id}];
    $make{$name}->(\%up);
    return \%up;
}

sub ask
{
    my ($port, $method, $url, $headers, $body) = @_;
    my $text = "$method $url HTTP/1.1\r\nHost: localhost\r\n"
        . "Connection: close\r\nAccept: application/json\r\n";
    my @headers = @{ $headers || [] };
    while (my ($name, $value) = splice @headers, 0, 2) {
        $text .= "$name: $value\r\n";
    }
    $text .= 'Content-Length: ' . length($body) . "\r\n" if defined $body;
    my $c = connect_raw(port => $port);
    $c->send("$text\r\n" . (defined $body ? $body : ''));
    my $answer = $c->answer(head => $method eq 'HEAD');
    my $length = $answer->{headers}{'content-length'};
    $answer->{error} = 'cut short'
        if $answer->{status} && $method ne 'HEAD' && defined $length
        && $length != length $answer->{body};
    # The server has tidied up when it closes.
    $answer->{error} ||= 'something behind the answer' unless $c->closed(20);
    $c->close;
    return $answer;
}

sub _ask
{
    my ($up, $method, $rest, $headers, $body) = @_;
    return ask($up->{port}, $method, "$up->{url}$rest", $headers, $body);
}

sub post_form
{
    my ($port, $url, $id, @files) = @_;
    my ($body, $type) = multipart([
        {name => 'title', value => 'of both'},
        map { {name => "f$_", filename => "$_.bin", content => $files[$_]} }
            0 .. $#files]);
    return ask($port, 'POST', "$url?X-Progress-ID=$id", ['Content-Type', $type],
               $body);
}

sub stored
{
    my ($dir, $id) = @_;
    my $file = "$dir/$id/metadata.json";
    my $record = -e $file && decode_json_text(slurp($file)) or return undef;
    return undef unless $record->{state} eq 'done';
    my @files;
    for my $about (@{ $record->{files} }) {
        my $data = "$dir/$id/$about->{stored}";
        return undef unless -e $data && -s $data == $about->{size};
        push @files, slurp($data);
    }
    return \@files;
}

# --- Forms ------------------------------------------------------------------

sub _form
{
    my ($up) = @_;
    push @{ $up->{files} }, random_bytes(70);
    my $post = sub { post_form(@{$up}{qw(port url id)}, @{ $up->{files} }) };
    $up->{steps} = [$post];
    $up->{resume} = $post;
    return;
}

sub _replace
{
    my ($up) = @_;
    _form($up);
    $up->{old} = [random_bytes(9_000), random_bytes(10)];
    $up->{prepare}
        = sub { post_form(@{$up}{qw(port url id)}, @{ $up->{old} }) };
    return;
}

# --- In several requests ----------------------------------------------------

my $FIRST = 8_000;

sub _chunk
{
    my ($up, $from, $to) = @_;
    my $bytes = $up->{files}[0];
    my ($body, $type) = multipart([
        $from ? {name => 'upload_id', value => $up->{id}} : (),
        {name => 'file', filename => 'a.bin',
         content => substr $bytes, $from, $to - $from}]);
    return _ask($up, 'POST', "?X-Progress-ID=$up->{id}", ['Content-Type', $type,
        'Content-Range', sprintf 'bytes %d-%d/%d', $from, $to - 1,
        length $bytes], $body);
}

sub _chunked
{
    my ($up) = @_;
    my $length = length $up->{files}[0];
    my $complete = sub {
        return _ask($up, 'POST', '/complete', ['Content-Type',
            'application/x-www-form-urlencoded'],
            "upload_id=$up->{id}&md5=" . md5_hex($up->{files}[0]));
    };
    $up->{offset} = sub {
        my $status = status(@{$up}{qw(url id)}, port => $up->{port});
        return $status->{state} eq 'uploading' ? $status->{received} : undef;
    };
    $up->{steps} = [sub { _chunk($up, 0, $FIRST) },
                    sub { _chunk($up, $FIRST, $length) }, $complete];
    $up->{resume} = sub {
        my $at = $up->{offset}->() || 0;
        my $answer = $at < $length ? _chunk($up, $at, $length) : {status => 200};
        $answer = $complete->() if $answer->{status} == 200;
        # As Django's clients do, where the last answer was lost.
        return _is_complete($answer) ? {status => 200} : $answer;
    };
    return;
}

sub _is_complete
{
    my ($answer) = @_;
    return $answer->{status} == 400 && $answer->{json}
        && ($answer->{json}{detail} || '') =~ /already/;
}

my @TUS = ('Tus-Resumable', '1.0.0');
my $RAW = 'application/offset+octet-stream';

sub _tus_create
{
    my ($up) = @_;
    return _ask($up, 'POST', "?X-Progress-ID=$up->{id}", [@TUS, 'Upload-Length',
        length $up->{files}[0], 'Upload-Metadata',
        'filename ' . encode_base64('a.bin', '')], '');
}

sub _tus_patch
{
    my ($up, $from, $to, @more) = @_;
    my $bytes = substr $up->{files}[0], $from, $to - $from;
    return _ask($up, 'PATCH', "/$up->{id}", [@TUS, 'Upload-Offset', $from,
        'Content-Type', $RAW, $up->{checksum} ? ('Upload-Checksum',
        'md5 ' . encode_base64(pack('H*', md5_hex($bytes)), '')) : (), @more],
        $bytes);
}

sub _tus
{
    my ($up) = @_;
    my $length = length $up->{files}[0];
    $up->{offset} = sub {
        my $answer = _ask($up, 'HEAD', "/$up->{id}", [@TUS]);
        $up->{gone} = $answer->{status};
        return $answer->{headers}{'upload-offset'};
    };
    $up->{steps} = [sub { _tus_create($up) },
                    sub { _tus_patch($up, 0, $FIRST) },
                    sub { _tus_patch($up, $FIRST, $length) }];
    $up->{resume} = sub {
        my $at = $up->{offset}->();
        my $answer = defined $at || $up->{gone} !~ /^(?:404|410)$/
            ? {status => $up->{gone}} : _tus_create($up);
        return $answer if $answer->{status} >= 300;
        $answer = _tus_patch($up, $at || 0, $length);
        return $answer->{status} == 204 ? {status => 200} : $answer;
    };
    return;
}

sub _checksum
{
    my ($up) = @_;
    $up->{checksum} = 1;
    return _tus($up);
}

my @IETF = ('Upload-Draft-Interop-Version', '8');

sub _ietf_create
{
    my ($up, $to) = @_;
    my $length = length $up->{files}[0];
    return _ask($up, 'POST', "?X-Progress-ID=$up->{id}", [@IETF,
        'Upload-Complete', $to < $length ? '?0' : '?1', 'Upload-Length',
        $length, 'Content-Disposition', 'attachment; filename="a.bin"',
        'Content-Type', 'image/png'], substr $up->{files}[0], 0, $to);
}

sub _ietf_patch
{
    my ($up, $from) = @_;
    return _ask($up, 'PATCH', "/$up->{id}", [@IETF, 'Upload-Complete', '?1',
        'Upload-Offset', $from, 'Content-Type', 'application/partial-upload'],
        substr $up->{files}[0], $from);
}

sub _ietf
{
    my ($up) = @_;
    my $length = length $up->{files}[0];
    $up->{offset} = sub {
        my $answer = _ask($up, 'HEAD', "/$up->{id}", [@IETF]);
        $up->{gone} = $answer->{status};
        return $answer->{headers}{'upload-offset'};
    };
    $up->{steps} = [sub { _ietf_create($up, $FIRST) },
                    sub { _ietf_patch($up, $FIRST) }];
    $up->{resume} = sub {
        my $at = $up->{offset}->();
        return _ietf_patch($up, $at) if defined $at;
        return {status => $up->{gone}} if $up->{gone} !~ /^(?:404|410)$/;
        return _ietf_create($up, $length);
    };
    return;
}

# The server names partial uploads; what it has not told of goes when it expires.
sub _concat
{
    my ($up) = @_;
    my @part = (substr($up->{files}[0], 0, $FIRST),
                substr $up->{files}[0], $FIRST);
    my @steps = map { my $bytes = $_; sub {
        my $answer = _ask($up, 'POST', '', [@TUS, 'Upload-Length',
            length $bytes, 'Upload-Concat', 'partial', 'Content-Type', $RAW],
            $bytes);
        push @{ $up->{ids} }, ($answer->{headers}{location} || '') =~ m{([^/]+)$};
        return $answer;
    } } @part;
    $up->{steps} = [@steps, sub {
        return _ask($up, 'POST', "?X-Progress-ID=$up->{id}", [@TUS,
            'Upload-Concat', 'final;' . join ' ',
            map { "$up->{url}/$_" } @{ $up->{ids} }[-2, -1]], '');
    }];
    $up->{resume} = sub {
        my $answer;
        for my $step (@{ $up->{steps} }) {
            $answer = $step->();
            last if $answer->{status} >= 300;
        }
        return $answer->{status} < 300 ? {status => 200} : $answer;
    };
    return;
}

# --- What is no upload ------------------------------------------------------

sub _is_error { return $_[0]{status} =~ /^50[037]$/ }

sub _clear
{
    my ($up) = @_;
    _form($up);
    $up->{prepare} = $up->{steps}[0];
    $up->{steps} = [sub { _ask($up, 'DELETE', "?X-Progress-ID=$up->{id}") }];
    $up->{judge} = sub {
        my ($answer) = @_;
        my $state = status(@{$up}{qw(url id)}, port => $up->{port})->{state};
        return $answer->{status} == 200 && $state ne 'starting'
            ? 'said to be cleared, and is not'
            : $answer->{status} == 200 || _is_error($answer) ? ''
            : 'strange answer';
    };
    return;
}

# One that only the disk knows: a copy of the upload's bucket.
sub _copy
{
    my ($up, $copy, $owner) = @_;
    my ($from, $to) = map { "$up->{dir}/$_" } $up->{id}, $copy;
    system('cp', '-pr', $from, $to) == 0 or die "cp: $?";
    my $text = slurp("$to/metadata.json");
    $text =~ s/\Q$up->{id}\E/$copy/;
    $text =~ s/"owner":null/"owner":"$owner"/ if defined $owner;
    spew("$to/metadata.json", $text);
    return;
}

# Somebody else's upload: whatever fails, it is his.
sub _foreign
{
    my ($up, $step) = @_;
    _form($up);
    my $post = $up->{steps}[0];
    my $his = new_id();
    $up->{prepare} = sub { $post->(); _copy($up, $his, 'somebody else') };
    $up->{steps} = [sub { $step->({%$up, id => $his}) }];
    $up->{usual} = 403;
    $up->{judge} = sub {
        my ($answer) = @_;
        my $there = stored($up->{dir}, $his);
        my $whole = $there && join('', @$there) eq join '', @{ $up->{files} };
        my $more = -e "$up->{dir}/$his/resumable.json";
        system 'rm', '-rf', "$up->{dir}/$his";
        return !$whole || $more ? 'a stranger got at it'
            : $answer->{status} == 403 || _is_error($answer) ? ''
            : 'strange answer';
    };
    return;
}

sub _steal
{
    return _foreign($_[0], sub {
        _ask($_[0], 'DELETE', "?X-Progress-ID=$_[0]{id}") });
}

sub _overwrite
{
    return _foreign($_[0], sub { post_form(@{ $_[0] }{qw(port url id)}, 'mine') });
}

sub _intrude { return _foreign($_[0], \&_tus_create) }

sub _status
{
    my ($up) = @_;
    _form($up);
    my $copy = new_id();
    my $post = $up->{steps}[0];
    push @{ $up->{ids} }, $copy;
    $up->{prepare} = sub { $post->(); _copy($up, $copy) };
    $up->{steps} = [sub { _ask($up, 'GET', "/status?X-Progress-ID=$copy") }];
    $up->{judge} = sub {
        my ($answer) = @_;
        return _is_error($answer) || ($answer->{json}{state} || '') eq 'done'
            ? '' : "of one that is done: $answer->{status} $answer->{body}";
    };
    return;
}

sub _head
{
    my ($up) = @_;
    _tus($up);
    my ($create, $patch) = @{ $up->{steps} };
    $up->{prepare} = sub { $create->(); $patch->() };
    $up->{steps} = [sub { _ask($up, 'HEAD', "/$up->{id}", [@TUS]) }];
    $up->{judge} = sub {
        my ($answer) = @_;
        my $offset = $answer->{headers}{'upload-offset'};
        return _is_error($answer) && !defined $offset
            || $answer->{status} == 200 && $offset == $FIRST
            ? '' : "of one that is there: $answer->{status} "
                . ($offset // 'without offset');
    };
    return;
}

sub _serve
{
    my ($up) = @_;
    _form($up);
    $up->{prepare} = $up->{steps}[0];
    $up->{steps} = [sub {
        _ask($up, 'GET', "/file?X-Progress-ID=$up->{id}") }];
    $up->{judge} = sub {
        my ($answer) = @_;
        # An answer that is on its way when the disk fails can only be cut
        # short.
        return _is_error($answer) ? ''
            : $answer->{status} != 200 ? 'strange answer'
            : $answer->{body} eq $up->{files}[0] ? ''
            : delete $answer->{error} && $answer->{body}
                eq substr $up->{files}[0], 0, length $answer->{body}
            ? '' : 'wrong bytes';
    };
    return;
}

1;
