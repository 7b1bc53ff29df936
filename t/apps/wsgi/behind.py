# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
"""Flask and Django with the adapters of conf/snippets, as a server of its own
that waits for every byte it is promised: behind.py PORT. /flask and /django say
what their views see."""

import os
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.util import shift_path_info

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "../../../conf/snippets/python"))
import django.core.wsgi
import flask
from django.conf import settings
from django.http import JsonResponse
from django.urls import re_path
from uploads_flask import UploadRequest

app = flask.Flask("behind")
app.request_class = UploadRequest


@app.route("/", methods=["POST"])
def received():
    """?before and ?after: get_data() before or after request.files."""
    request = flask.request
    said = {}
    if "before" in request.args:
        said["before"] = len(request.get_data())
    if "file" not in request.files:
        return flask.jsonify(error="No file part"), 400
    said["files"] = [{"name": file.filename, "type": file.content_type,
                      "mimetype": file.mimetype, "params": file.mimetype_params,
                      "bytes": len(file.read())}
                     for file in request.files.getlist("file")]
    said["fields"] = list(request.form.items(multi=True))
    if "after" in request.args:
        said["after"] = len(request.get_data())
    said["state"] = (request.get_json(silent=True) or {}).get("state")
    return flask.jsonify(said)


def viewed(request):
    files = [{"name": file.name, "type": file.content_type,
              "charset": file.charset, "extra": file.content_type_extra,
              "kind": type(file).__name__,
              "bytes": sum(len(chunk) for chunk in file.chunks())}
             for file in request.FILES.getlist("file")]
    return JsonResponse({"files": files, "fields": list(request.POST.items()),
                         "body": len(request.body)})


settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__,
                   SECRET_KEY=os.urandom(32).hex(),
                   MIDDLEWARE=["uploads_django.middleware"])
urlpatterns = [re_path("", viewed)]
views = {"flask": app, "django": django.core.wsgi.get_wsgi_application()}


def dispatch(environ, start_response):
    return views[shift_path_info(environ)](environ, start_response)


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


make_server("127.0.0.1", int(sys.argv[1]), dispatch,
            handler_class=Quiet).serve_forever()
