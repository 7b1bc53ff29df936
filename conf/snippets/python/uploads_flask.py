# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
"""Flask: uploads of mod_upload_pool in request.files and request.form.

    app = flask.Flask(__name__)
    app.request_class = UploadRequest
    SetEnv UPLOADS_KEY /etc/myapp/upload_pool.key       (httpd with mod_wsgi)
    UPLOADS_KEY=/etc/myapp/upload_pool.key gunicorn …   (behind a proxy)

Views stay as they are; FileStorage.save() renames where it can, and get_data()
is the JSON, before and after. A request that the module did not take is read as
ever: request.upload is None then.
"""

import io

import flask
import werkzeug
from werkzeug.datastructures import FileStorage, ImmutableMultiDict
from werkzeug.http import dump_options_header

import uploads


def type_of(file):
    """As the client sent it, parameters included."""
    params = dict(file["params"])
    if file["charset"]:
        params["charset"] = file["charset"]
    return (file["content-type"]
            and dump_options_header(file["content-type"], params))


class PoolFile(FileStorage):
    """A file of the pool: saved by a move, if it is saved under a name."""

    def __init__(self, file):
        self.path = file.get("path")
        stream = (open(self.path, "rb") if self.path
                  else io.BytesIO(file["content"]))
        super().__init__(stream, file["filename"], file["field"],
                         type_of(file), file["size"])
        self.safe_filename = file["safe-filename"]

    def save(self, dst, buffer_size=16384):
        if self.path and isinstance(dst, str):
            uploads.move(self.path, dst)
            self.path = None
        else:
            super().save(dst, buffer_size)


class UploadRequest(flask.Request):
    upload = None  # the object of the JSON, of a request that is an upload

    def _load_form_data(self):
        if not uploads.is_upload(self.environ):
            super()._load_form_data()
            return
        if "form" in self.__dict__:
            return
        try:
            self.upload = uploads.receive(
                self.environ, uploads.keys_of(self.environ),
                lambda length: self.get_data())
        except uploads.Refused as refused:
            werkzeug.exceptions.abort(refused.status, str(refused))
        self.__dict__["form"] = ImmutableMultiDict(
            (field["name"], field["value"]) for field in self.upload["fields"])
        self.__dict__["files"] = ImmutableMultiDict(
            (file["field"], PoolFile(file)) for file in self.upload["files"])
