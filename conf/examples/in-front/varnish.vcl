# Varnish in front of the upload server
#
#   varnishd -p timeout_idle=300 -p first_byte_timeout=300
#
# Anything but "pass" turns HEAD into GET, but a client asks with HEAD how far
# its upload has come. Varnish completes a chunked body that its client broke off: let
# clients send Upload-Length, or Content-Length.

vcl 4.1;

backend uploads {
    .host = "127.0.0.1";
    .port = "8080";
}

sub vcl_recv {
    if (req.url ~ "^/upload") {
        # Varnish turns an interim answer (104) into 503. Clients that do not
        # name a draft get none.
        if (req.method ~ "^(POST|PUT|PATCH)$") {
            unset req.http.Upload-Draft-Interop-Version;
        }
        return (pass);
    }
}
