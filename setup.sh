#!/bin/sh
# Sets everything up in .venv beside this file: ./setup.sh for the programs, ./setup.sh test for the tests too.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-python3}

say() { echo "setup: $*"; }

# Runs a command; shows its output only if it fails.
quietly() {
    output=$("$@" 2>&1) || { status=$?; printf '%s\n' "$output" >&2; exit "$status"; }
}

is_recent() {
    "$python" -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
}

found=$(command -v "$python") || found= # a small Debian has no Python at all
[ -z "$found" ] || is_recent
if ! "$python" -c 'import ensurepip' 2>/dev/null; then # Debian has it in a package of its own
    say "installing Python's venv module (apt)"
    as_root=$([ "$(id -u)" -eq 0 ] || echo sudo)
    quietly $as_root apt-get update -qq
    quietly $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv
    [ -n "$found" ] || is_recent
fi
if [ ! -x .venv/bin/pip ]; then
    say "making .venv"
    rm -rf .venv # left by an interrupted attempt, or made without ensurepip
    "$python" -m venv .venv
fi
say "installing the chatroom and its libraries, about half a minute"
extra=${1:+"[$1]"}
.venv/bin/pip install --quiet --disable-pip-version-check --editable ".$extra"
say "done"
