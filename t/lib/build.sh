# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Sourced by t/run and conf/demo/run: builds with all processors, and says how
# far it is. The caller's exit trap calls upool_build_tidy.

upool_cores=$(getconf _NPROCESSORS_ONLN)
upool_make="make -f Makefile.apxs --no-print-directory"

upool_pid=

# An interrupt does not reach what runs in the background.
upool_build_tidy()
{
    [ -z "$upool_pid" ] || kill "$upool_pid" 2>/dev/null
}

# upool_build LOG GOAL...: prints a line for each tenth of the work, writes what
# make says to LOG, and returns make's exit status.
upool_build()
{
    upool_log=$1
    shift
    # A rule says what it does by a line such as "  CC       src/parse/scan.c".
    upool_all=$($upool_make -n "$@" 2>/dev/null | grep -c "^echo '  [A-Z]")
    upool_said=0
    $upool_make -j "$upool_cores" "$@" >"$upool_log" 2>&1 &
    upool_pid=$!
    while kill -0 $upool_pid 2>/dev/null; do
        sleep 0.5
        upool_done=$(grep -c '^  [A-Z]' "$upool_log")
        if [ $((upool_done * 10)) -ge $((upool_said * 10 + upool_all)) ] &&
            [ "$upool_done" -lt "$upool_all" ]
        then
            echo "building: $upool_done of $upool_all"
            upool_said=$upool_done
        fi
    done
    wait $upool_pid
    upool_code=$?
    upool_pid=
    return $upool_code
}
