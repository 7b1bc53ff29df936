# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
"""Receives uploads under mod_wsgi, without a framework.

    WSGIScriptAlias /upload /srv/app/plain.wsgi
    <Location "/upload">
        UploadPool /var/lib/upload_pool
        UploadKeyFile /etc/apache2/upload_pool.key
        UploadKeep claimed
        SetEnv UPLOADS_KEY /etc/myapp/upload_pool.key
        SetEnv UPLOADS_DIR /srv/uploads
    </Location>
"""

import http
import json
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
import uploads


def size(value):
    return len(value if isinstance(value, bytes) else value.encode())


def answer(environ):
    """What there is to say, and further headers."""
    upload = uploads.receive(environ, uploads.keys_of(environ))
    files = [{"field": file["field"], "filename": file["filename"],
              "stored": uploads.take(file, uploads.directory_of(environ))}
             for file in upload["files"]]
    fields = [{"name": field["name"], "bytes": size(field["value"])}
              for field in upload["fields"]]
    return ({"identifier": upload["identifier"], "files": files,
             "fields": fields}, [uploads.claim(upload)])


def application(environ, start_response):
    status, headers = 200, []
    try:
        said, headers = answer(environ)
    except uploads.Refused as refused:
        status, said = refused.status, {"error": str(refused)}
    body = json.dumps(said).encode()
    start_response("%d %s" % (status, http.HTTPStatus(status).phrase),
                   [("Content-Type", "application/json"),
                    ("Content-Length", str(len(body)))] + headers)
    return [body]
