# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

from django.contrib import admin

from .models import Book

admin.site.register(Book)
