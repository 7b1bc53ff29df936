#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# The probe at another place.
exec ../../../cgi-bin/echo.pl
