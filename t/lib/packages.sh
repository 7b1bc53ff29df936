# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Sourced by t/run, conf/demo/run and the runs that have programs of npm's:
# installs the Debian packages of $1 that are missing, saying how far it is, from
# the machine's own package source. No service is started. UPOOL_INSTALL=no installs
# nothing. The caller's exit trap calls upool_packages_tidy.

upool_policy=
upool_apt_pid=

# An interrupt does not reach what runs in the background.
upool_packages_tidy()
{
    [ -z "$upool_apt_pid" ] || kill "$upool_apt_pid" 2>/dev/null
    [ -z "$upool_policy" ] || rm -f "$upool_policy"
    upool_policy=
}

# A command from elsewhere will do as well as its package.
upool_provided()
{
    case $1 in
    nodejs) command -v node >/dev/null ;;
    npm | chromium) command -v "$1" >/dev/null ;;
    *) false ;;
    esac
}

upool_missing()
{
    for upool_package in $1; do
        dpkg-query -W -f '${Status}' "$upool_package" 2>/dev/null |
            grep -q 'ok installed' ||
            upool_provided "$upool_package" || echo "$upool_package"
    done
}

# What apt-get does right now: "dlstatus:" while it fetches, "pmstatus:" while it
# installs, and in the third field how many hundredths of that are done.
upool_apt_said()
{
    awk -F: '/^(dl|pm)status:/ { word = $1; share = int($3 / 10) * 10 }
        END { if (word) print (word == "dlstatus" ? "fetching" : "installing"), share }' \
        "$1" 2>/dev/null
}

# upool_apt LOG ARGUMENT...: apt-get with a line for each tenth of fetching and of
# installing; what it says in LOG, its exit status.
upool_apt()
{
    upool_log=$1
    shift
    upool_last=
    : >"$upool_log.status"
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o APT::Status-Fd=3 "$@" \
        >>"$upool_log" 2>&1 3>"$upool_log.status" &
    upool_apt_pid=$!
    while kill -0 $upool_apt_pid 2>/dev/null; do
        upool_now=$(upool_apt_said "$upool_log.status")
        if [ -n "$upool_now" ] && [ "$upool_now" != "$upool_last" ]; then
            echo "$upool_now %"
            upool_last=$upool_now
        fi
        sleep 0.5
    done
    wait $upool_apt_pid
    upool_code=$?
    upool_apt_pid=
    rm -f "$upool_log.status"
    return $upool_code
}

upool_packages()
{
    [ "${UPOOL_INSTALL:-yes}" = yes ] || return 0
    command -v dpkg-query >/dev/null || return 0
    upool_list=$(upool_missing "$1" | tr '\n' ' ')
    [ -n "$upool_list" ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        echo "these packages are missing: $upool_list"
        return 1
    fi
    upool_since=$(date +%s)
    echo "installing, with what they need: $upool_list"
    # Packages such as php-fpm start their service unless a policy forbids it.
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        upool_policy=/usr/sbin/policy-rc.d
        printf '#!/bin/sh\nexit 101\n' >"$upool_policy"
        chmod 755 "$upool_policy"
    fi
    mkdir -p build
    : >build/install.log
    # Unquoted on purpose: a list of names.
    if ! { upool_apt build/install.log update &&
        upool_apt build/install.log install -y --no-install-recommends \
            $upool_list; }
    then
        tail -n 30 build/install.log
        upool_packages_tidy
        return 1
    fi
    upool_packages_tidy
    echo "installed in $(($(date +%s) - upool_since)) s"
}

# upool_npm PACKAGE.JSON DIRECTORY: what it lists is in DIRECTORY/node_modules,
# in those versions; nothing is done where it was there before.
upool_npm()
{
    if cmp -s "$1" "$2/package.json"; then
        return 0
    fi
    rm -rf "$2/package.json" "$2/new"
    mkdir -p "$2/new" && cp "$1" "$2/new/package.json" || return 1
    (cd "$2/new" && npm install --ignore-scripts --no-audit --no-fund \
        --no-package-lock) || return 1
    rm -rf "$2/node_modules"
    mv "$2/new/node_modules" "$2/node_modules" &&
        mv "$2/new/package.json" "$2/package.json"
    rm -rf "$2/new"
}
