# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# An upload in several requests, by each protocol, to every kind of application,
# which sees what it would see of a form.

use strict;
use warnings FATAL => 'all';
use Digest::SHA qw(sha256_hex);
use Test::More;
use UploadPool::Several;
use UploadPool::Test;

my $mark = log_mark();
my $prefork = var('mpm') eq 'prefork';
my $content = random_bytes(5000);

# URL, who answers.
my @applications = (
    ['/c/cgi/echo.pl', qr/^cgi$/],
    ['/c/cgi/echo.pl/path/info', qr/^cgi$/],
    ['/c/cgi/echo.pl/with%20space/%C3%A4', qr/^cgi$/],
    ['/c/php/echo.php', $prefork ? qr/^php-apache2handler$/ : qr/^php-fpm/],
    ['/c/fpm/echo.php', qr/^php-fpm/],
    ['/c/lua/echo.lua', qr/^mod_lua$/],
    ['/c/perl/x', qr/^mod_perl$/],
    ['/c/wsgi/a', qr/^wsgi$/],
    ['/c/wsgidaemon/a', qr/^wsgi$/],
    ['/c/backend/a', qr/^backend$/],
    ['/c/vhost/echo.pl', qr/^cgi$/],
    ['/c-behind/echo.pl', qr/^cgi$/],
    ['/c/rewritten/echo.pl', qr/^cgi$/],
    ['/c/site/any/path', qr/^cgi$/],
    ['/c/action/hello.txt', qr/^cgi$/],
    ['/c/pass/echo.pl', qr/^cgi$/],
);

# A form and an upload in several requests cannot have these in common: the
# connection, the identifier, the traces of a redirect, and the headers that
# only clients of one of them send.
sub comparable
{
    my ($r) = @_;
    my %env = %{ $r->{json}{env} || {} };
    delete @env{grep { /^REDIRECT_|^REMOTE_PORT$|UNIQUE_ID|^REQUEST_TIME/
        || /^UPLOAD_POOL_(?:IDENTIFIER|PATH|SIZE)$/
        || /^HTTP_X_UPLOAD_(?:IDENTIFIER|CONTENT_(?:TYPE|LENGTH))$/
        || /^CONTENT_LENGTH$|^SCRIPT_UR[IL]$|^mod_wsgi\.|^wsgi\./
        || /^HTTP_X_PROGRESS_ID$|^FCGI_|^PHP_SELF$|^QUERY_STRING$|^argc$|^argv$/ } keys %env};
    return \%env;
}

for my $case (@applications) {
    my ($url, $via) = @$case;
    my $form = upload("$url?x=1&y=%2F", [{name => 'file', filename => 'a.bin',
        content => $content}], id_header => new_id());
    is $form->{status}, 200, "$url: a form" or diag $form->{body};
    my $seen = application($form);
    for my $way (ways()) {
        my $name = "$url: $way";
        my $up = begin($way, "$url?x=1&y=%2F", $content);
        my $r = $up->{finish}->();
        is $r->{status}, 200, $name or diag $r->{body}, explain $up->{failed};
        like $r->{json}{via} || '', $via, "$name: who answers";
        is $r->{json}{method}, 'POST', "$name: the method";
        is $r->{json}{url}, $form->{json}{url}, "$name: the URL";
        is $r->{json}{surplus} || 0, 0, "$name: as long a body as it says";
        my $said = application($r) || {};
        (my $id = $up->{id}) =~ s/:.*//;
        is $said->{identifier}, $id, "$name: the identifier";
        is $said->{state}, 'done', "$name: done";
        is $said->{size}, length $content, "$name: the size";
        is $said->{received}, length $content, "$name: received";
        my $file = $said->{files}[0] || {};
        is scalar @{ $said->{files} || [] }, 1, "$name: one file";
        is slurp($file->{path} || '/dev/null'), $content, "$name: its bytes";
        is $file->{digests}{'sha-256'}, sha256_hex($content), "$name: its digest";
        my %same = map { $_ => $file->{$_} }
            qw(field filename safe-filename content-type charset params size);
        is_deeply \%same, {map { $_ => $seen->{files}[0]{$_} } keys %same},
            "$name: all else of it as of a form's";
        is_deeply [sort keys %$said], [sort keys %$seen],
            "$name: the JSON has the same members";
        my ($here, $there) = map { comparable($_) } $r, $form;
        # Server-wide rewriting comes before the module, which tells a form's
        # application what became of the URL; here it knows what the client
        # sent.
        my $back = delete $here->{UPLOAD_POOL_URL};
        is $back, $url =~ s/^\/c-behind/\/c\/cgi/r, "$name: where a form posts to"
            if defined delete $there->{UPLOAD_POOL_URL};
        is_deeply $here, $there, "$name: the same environment";
        my ($got, $want) = map { $_->{json}{env}{QUERY_STRING} // '' }
            $r, $form;
        is $got, $want, "$name: the query";
        is $r->{json}{env}{HTTP_X_UPLOAD_CONTENT_LENGTH}, length $content,
            "$name: the length of the whole"
            if exists $r->{json}{env}{HTTP_X_UPLOAD_STATE};
    }
}

# Without application.
for my $way (ways()) {
    my $up = begin($way, '/c/alone', 'hello');
    my $r = $up->{finish}->();
    is $r->{status}, 200, "$way, alone";
    is $r->{json}{state}, 'done', "$way, alone: the status object";
    is $r->{json}{received}, 5, "$way, alone: its size";
    ok !exists $r->{json}{files}, "$way, alone: no path";
    $up = begin($way, '/c/none', 'hello');
    like $up->{finish}->()->{status}, qr/^40[45]$/, "$way: no application there";
}

is scalar(crashes_since($mark)), 0, 'no child died';
done_testing;
