#!/bin/sh
# SPDX-License-Identifier: ISC
# The second implementation (tests/interop, Python): replays the vectors, and talks to the program over TCP. Usage: sh tests/interop.sh path/to/svconn
set -u
py=
for p in ${PYTHON:-} /usr/bin/python3 python3; do
    if "$p" -c 'import cryptography' 2>/dev/null; then py=$p; break; fi
done
if [ -z "$py" ]; then
    echo "skip interop: the second implementation needs Python 3 and its cryptography package (Debian: python3-cryptography)"
    exit 0
fi
status=0
if [ "${SVCONN_SLOW:-}" ]; then quick='' long=--long; else quick=--quick long=''; fi
# shellcheck disable=SC2086 # one option or none
"$py" tests/interop/check_vectors.py $quick || status=1
# shellcheck disable=SC2086
"$py" tests/interop/run.py "$1" $long || status=1
exit $status
