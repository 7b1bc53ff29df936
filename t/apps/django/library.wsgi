# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
os.environ["DJANGO_SETTINGS_MODULE"] = "library.settings"

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
