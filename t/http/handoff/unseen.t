# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# UPL0331: the log says when an application was handed JSON and has not seen the
# upload, once a minute for each location; it never does so for an application
# that has.

use strict;
use warnings FATAL => 'all';
use Test::More;
use UploadPool::Test;

my $mark = log_mark();
my @parts = ({name => 'f', filename => 'a.txt', content => 'hello' x 1000});

# The warnings that an upload leaves.
sub warnings
{
    my ($url, %o) = @_;
    my $at = log_mark();
    my $r = upload($url, $o{parts} || \@parts, %o);
    is $r->{status}, $o{status} || 200, "$url: status" or diag $r->{body};
    # It is written when the request is over, which the client does not see.
    request('GET', '/hu/cgi/echo.pl') for 1 .. 3;
    $o{none} ? sleep 1 : wait_for(sub { error_log_since($at) =~ /UPL0331/ });
    return grep { /UPL0331: / } split /\n/, error_log_since($at);
}

# First those that have seen it, or say that they know, or that nobody can tell
# of: none of them has a word in the log.
my @silent = (
    ['/hu/fpm/echo.php?take', 'moves the files'],
    ['/hu/cgi/echo.pl?take', 'moves the files'],
    ['/hu/backend/a?take', 'moves the files'],
    ['/hu/wsgi/a', 'reads the JSON'],
    ['/hu/perl/x', 'reads the JSON'],
    ['/hu/cgi/echo.pl?claim', 'claims the upload'],
    ['/hu/cgi/echo.pl?status=404', 'answers 404', status => 404],
    ['/hu/explicit/echo.pl', 'UploadPassAs json'],
    ['/hu/form/echo.pl', 'UploadPassAs form'],
    ['/hu/keyed/echo.pl', 'a key for the hand-off'],
    ['/hu/cgi/echo.pl', 'an identifier of the client', id => new_id()],
    ['/hu/cgi/echo.pl', 'no file', parts => [{name => 'a', value => 'b'}]],
    ['/hu/cgi/echo.pl', 'a file without bytes',
     parts => [{name => 'f', filename => 'x', content => ''}]],
);
for my $case (@silent) {
    my ($url, $why, %o) = @$case;
    my @said = warnings($url, none => 1, %o);
    is_deeply \@said, [], "$url, $why: not a word";
}

# A program that opens a file and leaves it where it is has seen it, too.
{
    my $at = log_mark();
    my $r = upload('/hu/claims/read.pl', \@parts);
    is $r->{status}, 200, 'one that reads: status' or diag $r->{body};
    is $r->{body}, 'hello' x 1000, 'one that reads the file';
    request('GET', '/hu/cgi/echo.pl') for 1 .. 3;
    sleep 1;
    unlike error_log_since($at), qr/UPL0331/,
        'one that reads: not a word';
}

# Then those that have not.
for my $case (['/hu/cgi/echo.pl', qr/cgi-script/, qr/not touched any file/],
              ['/hu/fpm/form.php', qr/proxy:fcgi/, qr/not touched any file/],
              ['/hu/backend/a', qr/proxy-server/, qr/not touched any file/],
              ['/hu/wsgi/a?unread', qr/wsgi-script/, qr/neither read the body/],
              ['/hu/perl/x?unread', qr/perl-script/, qr/neither read the body/]) {
    my ($url, $handler, $what) = @$case;
    my @said = warnings($url);
    is scalar @said, 1, "$url: it is told";
    like $said[0] // '', qr/:warn\]/, "$url: as a warning";
    like $said[0] // '', $handler, "$url: who it was";
    like $said[0] // '', $what, "$url: what it has not done";
    like $said[0] // '', qr/"UploadPassAs form" in \/hu\//, "$url: the way out";
    @said = warnings($url, none => 1);
    is_deeply \@said, [], "$url: once a minute";
}
is scalar(warnings('/hu/second/echo.pl')), 1, 'another location has its own';
is crashes_since($mark), 0, 'no child died';

done_testing;
