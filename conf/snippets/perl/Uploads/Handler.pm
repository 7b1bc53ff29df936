# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

package Uploads::Handler;

=head1 NAME

Uploads::Handler - receives uploads under mod_perl

=head1 SYNOPSIS

    PerlSwitches -I/srv/app
    PerlModule Uploads::Handler
    <Location "/upload">
        UploadPool /var/lib/upload_pool
        UploadKeyFile /etc/apache2/upload_pool.key
        UploadKeep claimed
        SetEnv UPLOADS_KEY /etc/myapp/upload_pool.key
        SetEnv UPLOADS_DIR /srv/uploads
        SetHandler modperl
        PerlResponseHandler Uploads::Handler
    </Location>

=cut

use strict;
use warnings;
use Apache2::RequestRec ();
use Apache2::RequestIO ();
use Apache2::RequestUtil ();
use APR::Table ();
use Apache2::Const -compile => qw(OK);
use Uploads ();

# The few variables of CGI that Uploads asks for.
sub environment
{
    my ($r) = @_;
    my ($env, $in) = ($r->subprocess_env, $r->headers_in);
    return {
        REQUEST_METHOD => $r->method,
        CONTENT_LENGTH => $in->{'Content-Length'},
        HTTP_X_UPLOAD_SIGNATURE => $in->{'X-Upload-Signature'},
        HTTP_X_UPLOAD_IDENTIFIER => $in->{'X-Upload-Identifier'},
        UPLOADS_KEY => $env->{UPLOADS_KEY},
        UPLOADS_DIR => $env->{UPLOADS_DIR},
    };
}

sub handler
{
    my ($r) = @_;
    my ($status, $headers, $text) = Uploads::answer(environment($r), sub {
        $_[0] = '';
        while (length $_[0] < $_[1]) {
            $r->read($_[0], $_[1] - length $_[0], length $_[0]) or last;
        }
    });
    my %header = @$headers;
    $r->status($status);
    $r->content_type(delete $header{'Content-Type'});
    $r->headers_out->set($_ => $header{$_}) for keys %header;
    $r->print($text);
    return Apache2::Const::OK;
}

1;
