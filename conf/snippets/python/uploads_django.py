# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
"""Django: uploads of mod_upload_pool in request.FILES and request.POST.

    MIDDLEWARE = ["uploads_django.middleware", …]
    SetEnv UPLOADS_KEY /etc/myapp/upload_pool.key       (httpd with mod_wsgi)
    UPLOADS_KEY=/etc/myapp/upload_pool.key gunicorn …   (behind a proxy)

First in the list, so that CsrfViewMiddleware finds its field. Views, forms and
models stay as they are: a FileField moves the file to its storage as it does
those of TemporaryFileUploadHandler; request.body is the JSON. Upload handlers of
Django do not run; what they would refuse is for the server's directives. A file
is called as Django would call it, or by its safe name where this process may
use no letters but ASCII (httpd's locale); what the client called it is
client_name.
"""

import html
import io
import os

from django.core.files.uploadedfile import InMemoryUploadedFile, UploadedFile
from django.http import HttpResponse, QueryDict
from django.utils.datastructures import MultiValueDict

import uploads


def name_of(file):
    """As MultiPartParser has it: the last component, printable."""
    name = html.unescape(file["filename"]).replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(c for c in name if c.isprintable())
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        name = ""
    return file["safe-filename"] if name in ("", ".", "..") else name


def params_of(file):
    charset = {"charset": file["charset"]} if file["charset"] else {}
    return {**file["params"], **charset}


class PoolFile(UploadedFile):
    """Shaped as a TemporaryUploadedFile, whose path a storage moves."""

    def __init__(self, file):
        super().__init__(open(file["path"], "rb"), name_of(file),
                         file["content-type"], file["size"], file["charset"],
                         params_of(file))

    def temporary_file_path(self):
        return self.file.name

    def close(self):
        # Moved away, most likely.
        try:
            return self.file.close()
        except FileNotFoundError:
            return None


def uploaded(file):
    if "content" in file:
        made = InMemoryUploadedFile(
            io.BytesIO(file["content"]), file["field"], name_of(file),
            file["content-type"], file["size"], file["charset"],
            params_of(file))
    else:
        made = PoolFile(file)
    made.client_name = file["filename"]
    return made


def text(value):
    """As Django reads fields of a form."""
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def fill(request):
    def read(length):
        # request.body has a limit for what is no file.
        request._body = request.read(length)
        return request._body

    upload = uploads.receive(request.META, uploads.keys_of(request.META), read)
    post = QueryDict(mutable=True)
    for field in upload["fields"]:
        post.appendlist(field["name"], text(field["value"]))
    files = MultiValueDict()
    for file in upload["files"]:
        files.appendlist(file["field"], uploaded(file))
    post._mutable = False
    request._post, request._files = post, files
    request.upload = upload


def middleware(get_response):
    def receive(request):
        if not uploads.is_upload(request.META):
            return get_response(request)
        try:
            fill(request)
        except uploads.Refused as refused:
            return HttpResponse(str(refused), status=refused.status)
        response = get_response(request)
        if response.status_code < 400:
            name, value = uploads.claim(request.upload)
            response[name] = value
        for _, files in request.FILES.lists():
            for file in files:
                file.close()
        return response

    return receive
