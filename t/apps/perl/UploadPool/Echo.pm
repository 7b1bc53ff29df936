# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The probe of t/cgi-bin/echo.pl as a mod_perl handler.

package UploadPool::Echo;

use strict;
use warnings;
use Apache2::RequestRec ();
use Apache2::RequestIO ();
use Apache2::RequestUtil ();
use APR::Table ();
use Apache2::Const -compile => qw(OK);
use JSON::PP ();
use MIME::Base64 ();
use UploadPool::Modes ();
use UploadPool::Take ();

sub handler
{
    my ($r) = @_;
    my $query = $r->args // '';
    my $body = '';
    my $most = $query =~ /(?:^|&)pieces\b/ ? 7 : 8192;
    my $left = $query =~ /(?:^|&)unread\b/ ? 0
        : $query =~ /(?:^|&)part=(\d+)/ ? $1
        : $query =~ /(?:^|&)by=/ ? 0 : 1e9;
    while ($left > 0
           && $r->read(my $piece, $left < $most ? $left : $most)) {
        $body .= $piece;
        $left -= length $piece;
    }
    $body = UploadPool::Modes::read_by($r, $1) if $query =~ /(?:^|&)by=(\w+)/;
    my %said = (via => 'mod_perl', method => $r->method,
                url => $r->unparsed_uri, length => length $body,
                env => {%{ $r->subprocess_env }},
                headers => {%{ $r->headers_in }});
    $said{taken} = UploadPool::Take::take($body)
        if $query =~ /(?:^|&)take\b/;
    if (utf8::decode(my $copy = $body)) {
        utf8::decode($body);
        $said{body} = $body;
    }
    else {
        $said{body_base64} = MIME::Base64::encode_base64($body, '');
    }
    $r->content_type('application/json');
    $r->print(JSON::PP->new->canonical->utf8->encode(\%said));
    return Apache2::Const::OK;
}

1;
