#!/bin/sh
# Sets everything up in .venv beside this file: ./setup.sh for the programs, ./setup.sh test for the tests too.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'

if ! "$python" -c 'import ensurepip' 2>/dev/null; then # Debian keeps it in a package of its own
    as_root=$([ "$(id -u)" -eq 0 ] || echo sudo)
    $as_root apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq python3-venv
fi
if [ ! -x .venv/bin/pip ]; then
    rm -rf .venv # of a try that was interrupted, or that had no ensurepip
    "$python" -m venv .venv
fi
extra=${1:+"[$1]"}
.venv/bin/pip install --quiet --disable-pip-version-check --editable ".$extra"
