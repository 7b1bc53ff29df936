# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UploadPassAs form, and what stands around an application: readers that stop,
# error documents, sub-requests, what becomes of the upload afterwards.

use strict;
use warnings FATAL => 'all';
use Digest::SHA qw(sha256_hex);
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my @parts = ({name => 'text', value => 'y' x 20_000},
             {name => 'file', filename => 'a.bin', content => 'x' x 400_000},
             {name => 'last', value => 'z'});
my ($body, $type) = multipart(\@parts);
my $length = length($body)
    + 4 * (length('----UploadPool') + 32 - length '----UploadPoolTest7MA4YWxkTrZu0gW');

# Readers that stop: the next request of the connection is understood.
my %modes = ('/hf/perl/x' => [qw(unread part=10 part=30000)],
             '/hf/wsgi/a' => [qw(unread part=10 part=30000)],
             '/hf/fpm/form.php' => [''], '/hf/backend/a' => ['']);
$modes{'/hf/cgi/echo.pl'} = [qw(unread part=10 part=30000)]
    if var('mpm') eq 'prefork';
for my $url (sort keys %modes) {
    for my $mode (@{ $modes{$url} }) {
        my $c = connect_raw();
        my $id = new_id();
        for my $n (1, 2) {
            $c->send("POST $url?$mode&X-Progress-ID=$id HTTP/1.1\r\n"
                . "Host: localhost\r\nContent-Type: $type\r\nContent-Length: "
                . length($body) . "\r\n\r\n$body");
            my $r = $c->answer;
            is $r->{status}, 200, "$url?$mode, $n: status"
                or diag $r->{error} // $r->{body};
            is $r->{json}{length}, $mode =~ /=(\d+)/ ? $1
                : $mode eq 'unread' ? 0 : $length, "$url?$mode, $n: read"
                unless $mode eq 'unread' && !exists $r->{json}{length};
        }
        $c->send("GET $url?next HTTP/1.1\r\nHost: localhost\r\n\r\n");
        my $next = $c->answer;
        is $next->{status}, 200, "$url?$mode: the next request";
        is $next->{json}{method}, 'GET', "$url?$mode: is the next request";
        $c->close;
    }
}

# The document for an error gets nothing of it.
for my $status (404, 500) {
    my $r = upload("/hf/errors/echo.pl?status=$status", \@parts);
    is $r->{status}, $status, "ErrorDocument $status: status";
    my $said = $r->{json} || {};
    like $said->{env}{QUERY_STRING} // '', qr/status=$status|document=$status/,
        "ErrorDocument $status: an application answered";
}
for my $status (404, 500) {
    my $r = upload('/hf/errors/no-such-program.pl', \@parts);
    is $r->{status}, 404, 'no application: 404';
    is $r->{json}{env}{QUERY_STRING}, 'document=404', 'its ErrorDocument';
    is $r->{json}{length}, 0, 'which reads nothing';
}

# Sub-requests read what was kept, as often as they like.
for my $context (qw(ssi keptssi)) {
    my $r = upload("/hf/$context/ssi.pl", \@parts);
    is $r->{status}, 200, "$context: status" or diag $r->{body};
    like $r->{body}, qr/^state=done read=$length/, "$context: the page's form";
    my @included = map { decode_json_text($_) || {} }
        grep { /^\{/ } split /\n/, $r->{body} =~ s/\}\{/}\n{/gr;
    is scalar @included, 2, "$context: two programs are included";
    for my $part (@included) {
        is $part->{length}, $context eq 'ssi' ? 0 : $length,
            "$context: what they read";
        is scalar(() = ($part->{body} // '') =~ /x/g) > 400_000 ? 1 : 0,
            $context eq 'ssi' ? 0 : 1, "$context: the file's bytes";
    }
}

# Afterwards.
empty_pool('handlers/cleaned');
my @text = ({name => 'f', filename => 'a', content => 'hello'});
is upload('/hf/cleaned/echo.pl?status=500', \@text)->{status}, 500, 'a 500';
ok wait_for(sub { !pool_files(pool('handlers/cleaned')) }),
    'UploadCleanup: nothing is left';
is upload('/hf/cleaned/echo.pl', \@text)->{status}, 200, 'a 200';
ok scalar(pool_files(pool('handlers/cleaned'))), 'UploadCleanup: it stays';
empty_pool('handlers/cleaned');
is upload('/hf/claimed/echo.pl', \@text)->{status}, 200, 'not claimed';
ok wait_for(sub { !pool_files(pool('handlers/cleaned')) }),
    'UploadKeep claimed: nothing is left';
is upload('/hf/claimed/echo.pl?claim', \@text)->{status}, 200, 'claimed';
ok scalar(pool_files(pool('handlers/cleaned'))), 'UploadKeep claimed: it stays';

# PHP moves the copies that it has made; ours stays.
empty_pool('handlers/taken');
my $r = upload('/hf/fpm/form.php?move=' . pool('handlers/taken'), \@text);
is $r->{json}{files}{f}{sha256}, sha256_hex('hello'), 'move_uploaded_file()';
is scalar(pool_files(pool('handlers/taken'))), 1, 'has moved it';

# The JSON tells of empty inputs where there are any.
$r = upload('/h/cgi/echo.pl', [{name => 'a', filename => ''},
                               {name => 'b', filename => ''}, @text]);
is_deeply application($r)->{empty}, ['a', 'b'], 'JSON: empty inputs';
ok !exists application(upload('/h/cgi/echo.pl', \@text))->{empty},
    'JSON: no such member where there are none';
is crashes_since($mark), 0, 'no child died';

done_testing;
