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

sub handler
{
    my ($r) = @_;
    my $body = '';
    while ($r->read(my $piece, 8192)) {
        $body .= $piece;
    }
    my %said = (via => 'mod_perl', method => $r->method,
                url => $r->unparsed_uri, length => length $body,
                env => {%{ $r->subprocess_env }},
                headers => {%{ $r->headers_in }});
    utf8::decode($body);
    $said{body} = $body;
    $r->content_type('application/json');
    $r->print(JSON::PP->new->canonical->utf8->encode(\%said));
    return Apache2::Const::OK;
}

1;
