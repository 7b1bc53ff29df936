# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# ErrorDocument programs, for requests that other modules and the application
# refuse, in every way that an upload can come in. t/http/handoff/redirects.t
# has those for requests that this module refuses.
#
# S5: a document is no detour by which the bytes of a form pass unread.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Several;
use UploadPool::Test;

my $mark = log_mark();
my @file = {name => 'f', filename => 'f', content => 'x' x 3000};

# The document answers, and finds no body.
sub documented
{
    my ($name, $r, $status) = @_;
    my $said = $r->{json} || {};
    is $r->{status}, $status, "$name: $status" or diag $r->{body} // '';
    is $said->{env}{QUERY_STRING}, "document=$status", "$name: the document";
    is $said->{body} // '', '', "$name: finds no body";
    return;
}

for my $how (['length'], ['chunked', chunked => 700],
             ['slow', step => 1000, pause => 0.02]) {
    my ($name, @how) = @$how;
    for my $case (['mod_security', '/n-errors/echo.pl', 403,
                   {name => 'title', value => 'forbidden'}],
                  ['mod_rewrite', '/n-errors/echo.pl?forbidden', 403],
                  ['no program', '/n-errors/nothere.pl', 404],
                  ['a program that dies', '/n-errors/echo.pl?die', 500]) {
        my ($what, $url, $status, @more) = @$case;
        my $id = new_id();
        documented("$what, $name", upload($url, [@more, @file], id => $id,
                                          @how), $status);
        ok wait_for(sub { !grep { /^\Q$id\E/ } pool_files('neighbours') }),
            "$what, $name: nothing stays";
    }
}
for my $case (['HTTP/2', '--http2-prior-knowledge'],
              ['Expect', '--http1.1', '-H', 'Expect: 100-continue']) {
    my ($name, @how) = @$case;
    for my $bytes (3000, 300_000) {
        my $file = var('t_logs') . '/neighbours.bin';
        spew($file, 'x' x $bytes);
        my $r = curl(@how, '-F', "f=\@$file",
                     base() . '/n-errors/echo.pl?forbidden');
        documented("mod_rewrite, $name, $bytes bytes", $r, 403);
    }
}
for my $way (ways()) {
    for my $case (['no program', '/n-errors/nothere.pl', 404],
                  ['a program that dies', '/n-errors/echo.pl?die', 500]) {
        my ($what, $url, $status) = @$case;
        my $up = begin($way, $url, 'x' x 3000);
        documented("$what, $way", $up->{finish}->(), $status);
    }
}
is crashes_since($mark), 0, 'no child died';

done_testing;
