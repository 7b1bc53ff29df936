# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# D6: all processes are killed while uploads are in every phase of their lives:
# what is left expires and is removed by the next server's sweep or by
# upload-pool clean, and the pool is empty.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Bucket ();
use UploadPool::Httpd;
use UploadPool::Test;
use UploadPool::Tus ();

# A thread for each upload, where it does not wait without one.
my $httpd = UploadPool::Httpd->new(children => 3);
my $workers = var('mpm') eq 'prefork' ? 'MaxRequestWorkers 24' : '';
my $pool = $httpd->make_pool('pool');
my $bin = $httpd->dir('bin');
my @there = (port => $httpd->port);
my $url = '/bin/wait';
mkdir $bin, 0755 or die;
# For as long as somebody may be killed in.
spew("$bin/wait", "#!/bin/sh\necho \$\$ >>$pool.pids\n"
    # mod_cgid may lose the answer of one that leaves its input unread.
    . "cat >/dev/null\n"
    . "printf 'Content-Type: text/plain\\r\\n\\r\\n'\n"
    . "case \$QUERY_STRING in *wait*) sleep 4 ;; esac\necho done\n");
chmod 0755, "$bin/wait";
spew("$pool.pids", '');
chmod 0666, "$pool.pids";
my $config = <<"END";
$workers
ScriptAlias /bin/ "$bin/"
UploadSweepInterval 1s
<Location /bin>
    UploadPool "$pool"
    UploadProtocol multipart chunked tus resumable
    UploadChunkedMd5 Off
    UploadExpires %s
</Location>
END

my @two = map { {name => $_, filename => $_, content => $_ x 40_000} } 'a', 'b';
my ($body, $type) = multipart(\@two);
my $all = length $body;
my @open;

# A request that has sent so many bytes of what it announces.
sub part
{
    my ($head, $bytes, $sent, %o) = @_;
    my $c = connect_raw(@there);
    $c->send("$head HTTP/1.1\r\nHost: x\r\n" . join('', map { "$_\r\n" }
        @{ $o{headers} || [] }, $o{chunked} ? 'Transfer-Encoding: chunked'
            : 'Content-Length: ' . length $bytes) . "\r\n"
        . ($o{chunked} ? sprintf("%x\r\n", $sent) : '') . substr $bytes, 0, $sent);
    push @open, $c;
    return;
}

sub form
{
    my ($id, $sent, %o) = @_;
    return part("POST $url?X-Progress-ID=$id" . ($o{query} || ''), $body, $sent,
                headers => ["Content-Type: $type", @{ $o{more} || [] }],
                chunked => $o{chunked});
}

sub stored
{
    my ($id) = @_;
    return -s (glob "$pool/$id/*.bin")[0] || 0;
}

sub whole
{
    my $r = upload($url, \@two, id => $_[0], @there);
    $r->{status} == 200 or die join ' ', 'not taken:', $r->{status},
        grep { defined } @{$r}{qw(error body)};
    return;
}

sub create { return UploadPool::Tus::create($url, @_, @there)->{headers}{location} }
sub id_of { return $_[0] =~ m{/([^/:?]+)[^/]*$} ? $1 : die "no upload: $_[0]" }

my @tus = ('Tus-Resumable: 1.0.0', "Content-Type: $UploadPool::Tus::BYTES");
my @phase = (
    'the headers have come' => sub { form($_[0], 0) },
    'in the first part\'s header' => sub { form($_[0], 60) },
    'in a file' => sub { form($_[0], 20_000) },
    'in the second file' => sub { form($_[0], 60_000) },
    'all but the last byte' => sub { form($_[0], $all - 5) },
    'in a body of unknown length' => sub { form($_[0], 30_000, chunked => 1) },
    'in the first chunk' => sub {
        form($_[0], 20_000, more => ["Content-Range: bytes 0-39999/90000"]) },
    'after the first chunk' => sub {
        my ($chunk, $of) = multipart([$two[0]]);
        my $r = request('POST', "$url?X-Progress-ID=$_[0]", body => $chunk,
                        headers => ['Content-Type', $of, 'Content-Range',
                                    'bytes 0-39999/90000'], @there);
        $r->{status} == 200 or die "chunk: $r->{status} $r->{body}";
    },
    'a tus upload is made' => sub { id_of(create(length => 5)) },
    'in a PATCH' => sub {
        my $at = create(length => 90_000);
        part("PATCH $at", 'x' x 90_000, 30_000,
             headers => [@tus, 'Upload-Offset: 0']);
        id_of($at);
    },
    'between two PATCHes' => sub {
        my $at = create(length => 6);
        UploadPool::Tus::append($at, 0, 'abc', @there);
        id_of($at);
    },
    'a part of a concatenation' => sub {
        my $at = create(length => 3, concat => 'partial');
        UploadPool::Tus::append($at, 0, 'abc', @there);
        id_of($at);
    },
    'in the IETF protocol\'s creation' => sub {
        part("POST $url?X-Progress-ID=$_[0]", 'x' x 50_000, 20_000,
             headers => ['Upload-Complete: ?1', 'Upload-Draft-Interop-Version: 8',
                         'Content-Type: image/png']) },
    'the application runs' => sub { form($_[0], $all, query => '&wait') },
    'the application has run' => sub { whole($_[0]) },
    'refused' => sub {
        request('POST', "$url?X-Progress-ID=$_[0]", body => 'bad', @there,
                headers => ['Content-Type', 'multipart/form-data; boundary=x']) },
    'replaced by another' => sub {
        whole($_[0]);
        form($_[0], 20_000);
    },
);

# All of them are on the disk: the identifier is held from the head on.
my $unseen = 0;

sub names
{
    opendir my $dir, $pool or die "$pool: $!";
    return sort grep { !/^\.\.?$/ } readdir $dir;
}

sub kill_all
{
    my $parent = $httpd->pid;
    my %parent_of;
    for my $file (glob '/proc/[0-9]*/stat') {
        open my $in, '<', $file or next;
        my $stat = <$in> // next;
        $parent_of{$1} = $2 if $stat =~ /^(\d+) \(.*\) \S (\d+) /s;
    }
    my @pids = ($parent, grep { $parent_of{$_} == $parent } keys %parent_of);
    kill 'KILL', @pids;
    wait_for(sub { !grep { kill 0, $_ } @pids }) or die 'not killed';
    delete $httpd->{running};
    unlink $httpd->dir('logs/pid');
    $_->close for splice @open;
    return;
}

# Begins them all, and kills every process of the server.
sub crash
{
    my ($round) = @_;
    $httpd->start(sprintf $config, '1h');
    my %id;
    for my $n (0 .. @phase / 2 - 1) {
        my $id = "phase-$round-$n";
        my $own = $phase[2 * $n + 1]->($id);
        $id{$n} = defined $own && !ref $own && -d "$pool/$own" ? $own : $id;
    }
    my @begun;
    wait_for(sub {
        @begun = grep { -d "$pool/$id{$_}" } sort { $a <=> $b } keys %id;
        @begun == keys(%id) - $unseen && -s "$pool.pids"
            && stored($id{9}) >= 30_000;
    });
    is_deeply [map { $phase[2 * $_] } @begun],
        [map { $phase[2 * $_] } $unseen .. @phase / 2 - 1], 'all have begun';
    kill_all();
    my @left = names();
    cmp_ok scalar(@left), '>=', 12, 'killed, they leave something behind';
    return;
}

crash(1);
$httpd->start(sprintf $config, '1s');
ok wait_for(sub { !names() }), 'the next server\'s sweep removes all of it'
    or diag join "\n", map { ("$pool/$_", glob "$pool/$_/*") } names();
$httpd->stop;

crash(2);
my ($exit, $said) = UploadPool::Bucket::tool('clean', '-e', 3600, $pool);
like $said, qr/^0 uploads, 0 files/m, 'upload-pool clean leaves what is young';
select undef, undef, undef, 1.1;
($exit, $said) = UploadPool::Bucket::tool('clean', '-e', 1, $pool);
is $exit, 0, 'and removes what is not';
is_deeply [names()], [], 'all of it' or diag $said;

done_testing;
