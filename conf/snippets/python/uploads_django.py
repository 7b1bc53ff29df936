# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
"""Django: uploads of mod_upload_pool in request.FILES and request.POST.

    MIDDLEWARE = ["uploads_django.middleware", …]
    SetEnv UPLOADS_KEY /etc/myapp/upload_pool.key       (httpd)

First in the list, so that CsrfViewMiddleware finds its field. Views, forms and
models stay as they are: a FileField moves the file to its storage as it does
those of TemporaryFileUploadHandler. Upload handlers of Django do not run; what
they would refuse is for the server's directives. The name of a file is its safe
one, since httpd's locale may know no letters but ASCII; what the client called
it is client_name.
"""

import io

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, QueryDict
from django.utils.datastructures import MultiValueDict

import uploads


class PoolFile(UploadedFile):
    """Shaped as a TemporaryUploadedFile, whose path a storage moves."""

    def __init__(self, file):
        super().__init__(open(file["path"], "rb"), file["safe-filename"],
                         file["content-type"], file["size"], file["charset"],
                         file["params"])

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
        made = UploadedFile(io.BytesIO(file["content"]), file["safe-filename"],
                            file["content-type"], file["size"])
    else:
        made = PoolFile(file)
    made.client_name = file["filename"]
    return made


def text(value):
    """As Django reads fields of a form."""
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def fill(request):
    secrets = uploads.keys(request.META["UPLOADS_KEY"])
    upload = uploads.receive(request.META, secrets)
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
        if "HTTP_X_UPLOAD_SIGNATURE" not in request.META:
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
