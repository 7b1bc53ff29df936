# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The probe of t/cgi-bin/echo.pl as a WSGI application.

import base64
import json


def application(environ, start_response):
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length)
    said = {
        "via": "wsgi",
        "method": environ["REQUEST_METHOD"],
        "url": environ["REQUEST_URI"],
        "length": len(body),
        "env": {k: v for k, v in environ.items() if isinstance(v, str)},
    }
    try:
        said["body"] = body.decode("utf-8")
    except UnicodeDecodeError:
        said["body_base64"] = base64.b64encode(body).decode("ascii")
    answer = json.dumps(said).encode("utf-8")
    start_response("200 OK", [("Content-Type", "application/json"),
                              ("Content-Length", str(len(answer)))])
    return [answer]
