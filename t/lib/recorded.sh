#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# recorded.sh record PROGRAM: runs it, and keeps its TAP and how it ended.
# recorded.sh PROGRAM: says that again, and ends so, for prove, which shows no
# TAP of several at a time.

if [ "$1" = record ]; then
    rm -f "$2.ended"
    "$2" >"$2.tap" 2>&1
    echo $? >"$2.ended"
    exit 0
fi
cat "$1.tap"
exit "$(cat "$1.ended")"
