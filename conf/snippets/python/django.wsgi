# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
"""Receives uploads in Django, a whole site in one file; configured as
plain.wsgi is."""

import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
import uploads
from django.conf import settings
from django.core.files.storage import FileSystemStorage
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponseForbidden, JsonResponse
from django.urls import re_path

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__,
                   SECRET_KEY=os.urandom(32).hex(),
                   MIDDLEWARE=["uploads_django.middleware"])


def received(request):
    if not hasattr(request, "upload"):
        return HttpResponseForbidden("no upload")
    storage = FileSystemStorage(uploads.directory_of(request.META))
    files = [{"field": field, "filename": file.client_name,
              "stored": storage.path(storage.save(None, file))}
             for field in request.FILES
             for file in request.FILES.getlist(field)]
    fields = [{"name": name, "bytes": len(value.encode())}
              for name in request.POST
              for value in request.POST.getlist(name)]
    return JsonResponse({"identifier": request.upload["identifier"],
                         "files": files, "fields": fields})


urlpatterns = [re_path("", received)]
application = get_wsgi_application()
