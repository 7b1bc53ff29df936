# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

from django.contrib import admin
from django.urls import path

urlpatterns = [path("admin/", admin.site.urls)]
