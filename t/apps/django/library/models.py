# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

from django.db import models


class Book(models.Model):
    title = models.CharField(max_length=200)
    scan = models.FileField(upload_to="scans")
    cover = models.FileField(upload_to="covers", blank=True)
