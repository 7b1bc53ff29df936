# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# What Django and Werkzeug read from each body of a file of UploadPool::Parsers:
# a line for each, "PARSER NUMBER READING".

import hashlib
import io
import json
import sys

from django.conf import settings

settings.configure()

from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http.multipartparser import MultiPartParser
from werkzeug.formparser import parse_form_data


def digest(file):
    return hashlib.sha256(file.read()).hexdigest()


def by_django(kind, body):
    meta = {"CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(body))}
    handlers = [TemporaryFileUploadHandler()]
    post, files = MultiPartParser(meta, io.BytesIO(body), handlers).parse()
    return {
        "post": list(post.lists()),
        "files": [
            [
                name,
                [
                    [
                        file.name,
                        file.content_type,
                        file.charset,
                        sorted(
                            (key, repr(value))
                            for key, value in file.content_type_extra.items()
                        ),
                        file.size,
                        digest(file),
                    ]
                    for file in several
                ],
            ]
            for name, several in files.lists()
        ],
    }


def by_werkzeug(kind, body):
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    _, form, files = parse_form_data(environ, silent=False)
    return {
        "form": list(form.lists()),
        "files": [
            [
                name,
                [
                    [file.filename, file.content_type, digest(file)]
                    for file in several
                ],
            ]
            for name, several in files.lists()
        ],
    }


def bodies(path):
    with open(path, "rb") as source:
        while line := source.readline():
            number, kind, length = map(int, line.split())
            kind = source.read(kind).decode("latin-1")
            yield number, kind, source.read(length)


for number, kind, body in bodies(sys.argv[1]):
    for name, read in ("django", by_django), ("werkzeug", by_werkzeug):
        try:
            reading = json.dumps(read(kind, body))
        except Exception as error:
            reading = "error: %s" % str(error).replace("\n", " ")
        print(name, number, reading)
