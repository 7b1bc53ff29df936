# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# A Django site with nothing but its admin and a model that has a file. LIBRARY
# is the directory of its database and of the files.
