# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# An Express application with multer, behind conf/examples/express.conf.

use strict;
use warnings FATAL => 'all';
use IO::Socket::INET;
use Test::More;
use UploadPool::Applications;
use UploadPool::Test;

my $port = var('fakeport');
my $site = UploadPool::Applications->new;
END { undef $site }
my $own = $site->make_dir('gallery');
$site->daemon('express', sub {
        IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port)
    }, 'env', "PORT=$port", "GALLERY=$own", 'node',
    var('top') . '/t/apps/express/server.js');

sub by_page
{
    my ($agent, $how) = @_;
    my $bytes = random_bytes(3_000_000);
    my $page = $agent->get($site->url('/gallery'));
    my $answer = submit($agent, $page, {title => "Caf\xe9",
        photo => ["Caf\xe9.jpg", $bytes, 'image/jpeg'],
        sheets => ['a b.txt', "hello\n", 'text/plain; charset=utf-8']}, 'send');
    is $answer->code, 200, "$how: status";
    my $said = decode_json_text($answer->content) // {};
    # multer makes up path, filename and destination.
    my @files = map { @$_ } @{ $said->{files} // {} }{qw(photo sheets)};
    for my $file (@files) {
        $file->{digest} = digest(slurp($file->{path}));
        delete @{$file}{qw(path filename destination)};
    }
    is $files[0]{digest}, digest($bytes), "$how: every byte";
    is $files[1]{digest}, digest("hello\n"), "$how: of the other, too";
    delete $files[0]{digest};
    $answer = submit($agent, $page, {title => 'x', token => 'another'}, 'send');
    is $answer->code, 403, "$how: another token";
    delete $said->{body}{token};
    return $said;
}

$site->serve("ProxyPass /gallery http://127.0.0.1:$port/gallery\n");
my $alone = by_page(browser(), 'alone');
$site->serve($site->example('express.conf',
                            '127.0.0.1:3000' => "127.0.0.1:$port"));
my $behind = by_page(browser(), 'behind');
is_deeply $behind, $alone, 'multer says the same';
is_deeply [$site->passed(2)], ['POST /gallery 200', 'POST /gallery 403'],
    'each came out of the pool';
is_deeply [$site->kept], [], 'the pool keeps no file';

done_testing;
