# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# T7: a program that httpd runs while uploads arrive, wait, are served and are
# watched inherits none of their files, locks, pools or connections.

use strict;
use warnings FATAL => 'all';
use JSON::PP ();
use Test::More;
use UploadPool::Httpd;
use UploadPool::Test;
use UploadPool::Tus ();

my $httpd = UploadPool::Httpd->new(modules => ['cgi'], children => 1);
my $pool = $httpd->make_pool('pool');
my $bin = $httpd->dir('bin');
my @there = (port => $httpd->port);
my $list = <<'END';
opendir my $dir, '/proc/self/fd' or die;
my %fd = map { $_ => readlink "/proc/self/fd/$_" } grep { /\d/ } readdir $dir;
# perl's own: the directory that it reads, the script that it runs.
delete $fd{$_} for grep { !defined $fd{$_} || $fd{$_} =~ m{^/proc/|/list$} } keys %fd;
END
mkdir $bin, 0755 or die;
spew("$bin/list", "#!/usr/bin/perl\nuse JSON::PP;\n$list"
    . "local \$/; my \$got = <STDIN>;\n"
    . "print qq(Content-Type: application/json\\r\\n\\r\\n),"
    . " encode_json({fd => \\%fd, state => \$ENV{UPLOAD_POOL_STATE}});\n");
spew("$bin/logger", "#!/usr/bin/perl\nuse JSON::PP;\n$list"
    . "open my \$out, '>>', \$ARGV[0] or die;\n"
    . "syswrite \$out, encode_json(\\%fd) . qq(\\n);\n"
    . "1 while <STDIN>;\n");
chmod 0755, glob "$bin/*";
my $logged = $httpd->dir('logs/descriptors');
$httpd->start(<<"END");
ScriptAlias /bin/ "$bin/"
CustomLog "|$bin/logger $logged" "%r"
<Location /bin/list>
    UploadPool "$pool"
    UploadProtocol multipart chunked tus
    UploadChunkedMd5 Off
    UploadServe On
    UploadQuota pool 1G
</Location>
END

# A program finds its own three, and those that this process was given.
my %given = map { $_ => readlink "/proc/self/fd/$_" }
    map { m{(\d+)$} } glob '/proc/self/fd/*';

sub is_clean
{
    my ($fd, $name) = @_;
    my @strange = grep { $_ > 2 && ($given{$_} // '') ne $fd->{$_} }
        sort keys %$fd;
    is_deeply [map { "$_: $fd->{$_}" } @strange], [], "$name: nothing is open";
    is_deeply [grep { m{^\Q$pool\E|anon_inode} } values %$fd], [],
        'and nothing of the pool';
    return;
}

my $url = '/bin/list';
my $plain = request('GET', $url, @there);
is $plain->{json}{state}, undef, 'a program runs';
is_clean($plain->{json}{fd}, 'without uploads');

# --- Uploads around it -----------------------------------------------------------

my @parts = ({name => 'f', filename => 'f', content => 'x' x 200_000});
my ($body, $type) = multipart(\@parts);
my @open;
for my $n (1 .. 2) {
    my $c = connect_raw(@there);
    my $id = "waits-$n";
    $c->send("POST $url?X-Progress-ID=$id HTTP/1.1\r\nHost: x\r\n"
        . "Content-Type: $type\r\nContent-Length: " . length($body)
        . "\r\n\r\n" . substr $body, 0, 100_000);
    wait_for(sub { (status($url, $id, @there)->{received} || 0) >= 100_000 })
        or die 'it does not wait';
    push @open, $c;
}
my $made = UploadPool::Tus::create($url, length => 200_000, @there);
my $resource = $made->{headers}{location};
my $patch = connect_raw(@there);
$patch->send("PATCH $resource HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\n"
    . "Upload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\n"
    . "Content-Length: 200000\r\n\r\n" . 'x' x 100_000);
# One that is given out to somebody who does not take it.
my $served = new_id();
my $large = [{name => 'f', filename => 'f', content => 'y' x 8_000_000}];
is upload($url, $large, id => $served, @there)->{status}, 200, 'a large file';
my $reader = connect_raw(@there);
$reader->send("GET $url/file?X-Progress-ID=$served HTTP/1.1\r\nHost: x\r\n\r\n");
my $watcher = connect_raw(@there);
$watcher->send("GET $url/status?X-Progress-ID=waits-1 HTTP/1.1\r\nHost: x\r\n"
    . "Accept: text/event-stream\r\n\r\n");
push @open, $patch, $reader, $watcher;
wait_for(sub { grep { /\.bin$/ } pool_files($pool) }) or die 'nothing is stored';

is_clean(request('GET', $url, @there)->{json}{fd}, 'a program beside uploads');
my $r = upload($url, \@parts, id => new_id(), @there);
is $r->{json}{state}, 'done', 'a form';
is_clean($r->{json}{fd}, 'the application of a form');
$made = UploadPool::Tus::create($url, length => 3, @there);
$r = UploadPool::Tus::append($made->{headers}{location}, 0, 'abc', @there);
is $r->{json}{state}, 'done', 'the end of a tus upload';
is_clean($r->{json}{fd}, 'its application');
$r = upload($url, [{name => 'f', filename => 'f', content => 'abc'}],
            headers => ['Content-Range', 'bytes 0-2/3'], @there);
$r = request('POST', "$url/complete", @there, body =>
    "upload_id=$r->{json}{upload_id}", headers =>
    ['Content-Type', 'application/x-www-form-urlencoded']);
is $r->{json}{state}, 'done', 'the end of chunks';
is_clean($r->{json}{fd}, 'its application');
my ($resumed) = splice @open, 0, 1;
$resumed->send(substr $body, 100_000);
$r = $resumed->answer;
is $r->{json}{state}, 'done', 'a form that has waited';
is_clean($r->{json}{fd}, 'its application');

# --- And a logger -----------------------------------------------------------------

# Killed, it is started anew, by the server as it is now.
my $first = () = slurp($logged) =~ /\n/g;
ok $first, 'a piped logger runs';
$httpd->restart_graceful;
is upload($url, \@parts, id => new_id(), @there)->{status}, 200, 'an upload';
ok wait_for(sub { (() = slurp($logged) =~ /\n/g) > $first }), 'and another one';
for my $line (split /\n/, slurp($logged)) {
    my $fd = JSON::PP::decode_json($line);
    is_deeply [grep { m{^\Q$pool\E|anon_inode|/dev/zero} } values %$fd], [],
        'which has nothing of ours';
}
$_->close for @open;
$httpd->stop;
unlike $httpd->error_log, qr/exit signal/, 'no child died';

done_testing;
