# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Answers with the body that it reads, byte for byte, and its media type in
# X-Seen-Type.

package UploadPool::Raw;

use strict;
use warnings;
use Apache2::RequestRec ();
use Apache2::RequestIO ();
use Apache2::Response ();
use APR::Table ();
use Apache2::Const -compile => qw(OK);

sub handler
{
    my ($r) = @_;
    my $body = '';
    while ($r->read(my $piece, 65536)) {
        $body .= $piece;
    }
    my $in = $r->headers_in;
    $r->headers_out->set('X-Seen-Type' => $in->get('Content-Type') // '');
    $r->headers_out->set('X-Seen-Length' => $in->get('Content-Length') // '');
    $r->content_type('application/octet-stream');
    $r->set_content_length(length $body);
    $r->print($body);
    return Apache2::Const::OK;
}

1;
