# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The probe of t/cgi-bin/echo.pl as a WSGI application.

import base64
import hashlib
import json
import os


def take(body):
    """Moves every file to the sibling "taken" of the pool."""
    taken = []
    for file in json.loads(body)["files"]:
        path = file["path"]
        with open(path, "rb") as handle:
            digest = hashlib.sha256(handle.read()).hexdigest()
        to = os.path.join(os.path.dirname(path), "../../taken",
                          os.path.basename(path))
        os.rename(path, to)
        taken.append({"alg": "sha-256", "hex": digest,
                      "to": os.path.realpath(to)})
    return taken


def read(environ):
    """The body, in the way that the query asks for."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    query = environ["QUERY_STRING"].split("&")
    stream = environ["wsgi.input"]
    if "unread" in query:
        return b""
    for word in query:
        if word.startswith("part="):
            return stream.read(min(length, int(word[5:])))
    if "pieces" in query:
        return b"".join(iter(lambda: stream.read(7), b""))
    return stream.read(length)


def application(environ, start_response):
    body = read(environ)
    said = {
        "via": "wsgi",
        "method": environ["REQUEST_METHOD"],
        "url": environ["REQUEST_URI"],
        "length": len(body),
        "env": {k: v for k, v in environ.items() if isinstance(v, str)},
    }
    said["mode"] = environ["mod_wsgi.process_group"] or "embedded"
    if "take" in environ["QUERY_STRING"].split("&"):
        said["taken"] = take(body)
    try:
        said["body"] = body.decode("utf-8")
    except UnicodeDecodeError:
        said["body_base64"] = base64.b64encode(body).decode("ascii")
    answer = json.dumps(said).encode("utf-8")
    start_response("200 OK", [("Content-Type", "application/json"),
                              ("Content-Length", str(len(answer)))])
    return [answer]
