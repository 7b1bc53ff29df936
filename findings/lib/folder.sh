# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_upload_pool authors
#
# Sourced by each finding: a temporary folder with exact versions of public
# packages, what is started from it, and the end of both. A finding ends with
# `finish`: 0 when everything was seen as its header says.

set -u
LC_ALL=C
export LC_ALL
unset http_proxy HTTP_PROXY
folder=$(mktemp -d "${TMPDIR:-/tmp}/finding.XXXXXX") || exit 2
chmod 755 "$folder"
started=
failed=0

tidy_up()
{
    code=$?
    trap - EXIT
    for pid in $started; do
        kill "$pid" 2>/dev/null
    done
    for file in "$folder"/root/run/*.pid; do
        [ -s "$file" ] && kill "$(cat "$file")" 2>/dev/null
    done
    # What was started may have children that end after it.
    tries=0
    sleep 1
    while [ -e "$folder/root/proc/self" ] &&
            ! umount "$folder/root/proc" 2>"$folder/umount.log"; do
        tries=$((tries + 1))
        if [ "$tries" -ge 100 ]; then
            cat "$folder/umount.log" >&2
            echo "left: $folder" >&2
            exit 2
        fi
        sleep 0.2
    done
    rm -rf "$folder"
    exit $code
}
trap tidy_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

fail()
{
    echo "$1" >&2
    exit 2
}

# is WHAT SEEN EXPECTED
is()
{
    if [ "$2" = "$3" ]; then
        echo "ok - $1: $2"
    else
        failed=$((failed + 1))
        echo "not ok - $1"
        echo "# now:  $2"
        echo "# seen: $3"
    fi
}

finish()
{
    [ "$failed" -eq 0 ] || echo "$failed differ from what the header says"
    exit $((failed > 0))
}

# npm_packages NAME@VERSION ...: into $folder/node_modules.
npm_packages()
{
    command -v npm >/dev/null || fail "needs npm"
    printf '{"private":true}\n' >"$folder/package.json"
    (cd "$folder" && npm install --no-audit --no-fund --ignore-scripts \
        --save-exact --loglevel=error "$@" >npm.log 2>&1) || {
        tail -n 20 "$folder/npm.log" >&2
        fail "npm cannot install $*"
    }
}

# debian_root SUITE NAME=VERSION ...: the packages and all they depend on,
# unpacked into $folder/root, from the archives that this machine uses.
# Nothing is installed, and no script of a package runs.
debian_root()
{
    [ "$(id -u)" -eq 0 ] || fail "needs root, for chroot"
    suite=$1
    shift
    apt=$folder/apt
    root=$folder/root
    mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$root"
    : >"$apt/status"
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
        sort -u | while read -r uri; do
        case $uri in
        *security*) echo "deb $uri $suite-security main" ;;
        *) echo "deb $uri $suite main" ;;
        esac
    done >"$apt/sources.list"
    cat >"$apt/conf" <<EOF
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "-";
Dir::State "$apt";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
APT::Sandbox::User "root";
EOF
    APT_CONFIG=$apt/conf apt-get -qq update >"$apt/log" 2>&1 &&
        APT_CONFIG=$apt/conf apt-get -y -qq --no-install-recommends \
            --download-only install "$@" >>"$apt/log" 2>&1 || {
        tail -n 20 "$apt/log" >&2
        fail "apt cannot fetch $*"
    }
    for package in "$apt"/archives/*.deb; do
        dpkg-deb -x "$package" "$root" || fail "cannot unpack $package"
    done
    for name in bin sbin lib lib64; do
        [ -e "$root/$name" ] || ln -s "usr/$name" "$root/$name"
    done
    mkdir -p "$root/tmp" "$root/run" "$root/srv" "$root/dev/shm" \
        "$root/proc"
    chmod 1777 "$root/tmp" "$root/dev/shm" "$root/run"
    mknod -m 666 "$root/dev/null" c 1 3
    mknod -m 666 "$root/dev/urandom" c 1 9
    echo 'nobody:x:65534:65534::/:/bin/sh' >"$root/etc/passwd"
    echo 'nogroup:x:65534:' >"$root/etc/group"
    echo '127.0.0.1 localhost' >"$root/etc/hosts"
    mount -t proc proc "$root/proc" || fail "cannot mount /proc"
}

# inside COMMAND ...: in the root.
inside()
{
    chroot "$folder/root" "$@"
}

# httpd: the root's, by /srv/httpd.conf, which logs to /run/error.log.
httpd()
{
    inside /usr/sbin/apache2 -f /srv/httpd.conf || {
        tail -n 20 "$folder/root/run/error.log" >&2
        fail "httpd does not start"
    }
}

# start COMMAND ...: in the background, until the finding ends.
start()
{
    "$@" &
    started="$started $!"
}

# listening PORT: waits until something answers there, 20 seconds at most.
listening()
{
    tries=0
    until perl -MIO::Socket::INET -e \
            'exit !IO::Socket::INET->new("127.0.0.1:$ARGV[0]")' "$1"; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || fail "nothing listens on port $1"
        sleep 0.2
    done
}
