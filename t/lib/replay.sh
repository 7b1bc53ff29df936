#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# replay.sh BUILD t/fuzz/fuzz_NAME.c: feeds every corpus file of one fuzz
# target to its plainly compiled form, and says so in TAP. A target without
# corpus fails: an empty directory would otherwise pass for ever.

build=$1
name=${2##*/fuzz_}
name=${name%.c}
dir=t/fuzz/corpus/$name
log=$build/replay/$name.log

count=$(find "$dir" -type f 2>/dev/null | wc -l)
echo 1..1
if [ "$count" -eq 0 ]; then
    echo "not ok 1 - $name: no corpus in $dir"
    exit 1
fi
if find "$dir" -type f -print0 | sort -z |
    xargs -0 "$build/replay/$name" >"$log" 2>&1; then
    echo "ok 1 - $name: $count corpus files"
else
    echo "not ok 1 - $name: $count corpus files"
    tail -n 20 "$log" | sed 's/^/# /'
    exit 1
fi
