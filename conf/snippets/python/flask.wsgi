# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
"""Receives uploads in Flask; configured as plain.wsgi is."""

import os
import secrets
import sys

sys.path.insert(0, os.path.dirname(__file__))
import flask
import uploads
from uploads_flask import UploadRequest

application = flask.Flask("uploads")
application.request_class = UploadRequest


def size(value):
    return len(value if isinstance(value, bytes) else value.encode())


@application.route("/", methods=["POST"])
def received():
    files = []
    for field, file in flask.request.files.items(multi=True):
        directory = uploads.directory_of(flask.request.environ)
        stored = os.path.join(directory, secrets.token_hex(8))
        file.save(stored)
        files.append({"field": field, "filename": file.filename,
                      "stored": stored})
    if flask.request.upload is None:
        flask.abort(403)
    fields = [{"name": name, "bytes": size(value)}
              for name, value in flask.request.form.items(multi=True)]
    answer = flask.jsonify(identifier=flask.request.upload["identifier"],
                           files=files, fields=fields)
    answer.headers.set(*uploads.claim(flask.request.upload))
    return answer
