#!/bin/sh
# Installs the Debian packages that the tests' servers need, if any is missing, without starting a service.
# Elsewhere than as root on Debian it says what the tests will do without them, and succeeds.
set -eu

packages=""
need() { # need PROGRAM PACKAGE
    PATH="$PATH:/usr/sbin:/usr/lib/dovecot" command -v "$1" >/dev/null || packages="$packages $2"
}
need postfix postfix
need imap dovecot-imapd
need lmtp dovecot-lmtpd
need openssl openssl
# Debian keeps each version's programs apart and none of them on the PATH.
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || packages="$packages postgresql"
need faketime faketime
need strace strace
# Debian packs separately what makes virtual environments, and Python's own tests, whose mails ours read too; another
# Python brings both.
system=/usr/bin/python3
if [ "$(command -v python3)" = $system ] || $system -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
    $system -c 'import ensurepip' 2>/dev/null || packages="$packages python3-venv"
    $system -c 'import test.test_email' 2>/dev/null ||
        packages="$packages $($system -c 'import sys; print("libpython%d.%d-testsuite" % sys.version_info[:2])')"
fi
# Cyrus and Courier exclude Dovecot and each other as packages. They run from where they are unpacked, and only the
# libraries they want are installed.
aside=${LOKET_TESTS_CACHE:-/var/cache/loket-tests}
cyrus="cyrus-imapd cyrus-common"
courier="courier-imap courier-base courier-authlib courier-authlib-userdb gamin libgamin0 libcourier-unicode4"
unpacked=""
[ -e "$aside/cyrus/complete" ] || unpacked="$unpacked cyrus"
[ -e "$aside/courier/complete" ] || unpacked="$unpacked courier"
[ -n "$packages$unpacked" ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "tests: not root on Debian, so not installing$packages$unpacked; tests that need these servers are skipped"
    exit 0
fi

# Where its status is asked for, a shell forgets `set -e`: each step says itself that it failed.
unpack() { # unpack FOLDER PACKAGE…: a marker says that all of it is there
    folder=$aside/$1
    shift
    rm -rf "$folder"
    mkdir -p "$folder/packages"
    (cd "$folder/packages" && apt-get download "$@") || return 1
    for package in "$folder"/packages/*.deb; do
        dpkg-deb -x "$package" "$folder" || return 1
        dpkg-deb -f "$package" Depends >>"$folder/depends" || return 1
    done
    # What only a virus scanner, a notifier and the doorkeeper that the tests replace want is left out.
    libraries=$(tr ',' '\n' <"$folder/depends" | sed 's/[|(:].*//; s/ //g' | sort -u | grep '^lib' |
        grep -Ev '^lib(clamav|zephyr|gamin|fam|courier|pam)')
    missing=""
    for library in $libraries; do
        dpkg-query -W -f '${Status}' "$library" 2>/dev/null | grep -q ' installed$' || missing="$missing $library"
    done
    # shellcheck disable=SC2086 # one word per package
    [ -z "$missing" ] || apt-get install -y --no-install-recommends $missing || return 1
    rm -r "$folder/packages" "$folder/depends"
    touch "$folder/complete"
}

# Debian's maintainer scripts ask this file whether they may start what they install (invoke-rc.d); 101 says no.
policy=/usr/sbin/policy-rc.d
earlier=$policy.before-loket
clusters=/etc/postgresql-common/createcluster.conf
put_back() {
    rm -f "$policy"
    if [ -e "$clusters" ]; then sed -i '/^create_main_cluster = false$/d' "$clusters"; fi
    if [ -e "$earlier" ]; then mv "$earlier" "$policy"; fi
}
trap put_back EXIT
trap 'exit 1' HUP INT TERM
# One that a killed run put aside is the earlier one still.
if [ -e "$policy" ] && [ ! -e "$earlier" ]; then mv "$policy" "$earlier"; fi
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

echo "tests: installing$packages$unpacked (no service is started)"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
if ! {
    # Without an answer Postfix would set up a mail system for this machine; the tests bring their own configuration.
    echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
    apt-get update
    # Nor is a database cluster made: which is asked of a file that comes first, and that is left as it came.
    case $packages in
    *postgresql*)
        apt-get install -y --no-install-recommends postgresql-common
        echo "create_main_cluster = false" >>"$clusters"
        ;;
    esac
    # shellcheck disable=SC2086 # one word per package
    { [ -z "$packages" ] || apt-get install -y --no-install-recommends $packages; } &&
        # shellcheck disable=SC2086
        case $unpacked in *cyrus*) unpack cyrus $cyrus ;; esac &&
        case $unpacked in *courier*) unpack courier $courier ;; esac
} >"$log" 2>&1; then
    cat "$log"
    echo "tests: could not install$packages$unpacked"
    rm -f "$log"
    # Elsewhere the rest of the tests still runs; under CI a missing server is a failure.
    [ -z "${CI:-}" ]
    exit
fi
rm -f "$log"
