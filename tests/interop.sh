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
"$py" tests/interop/check_vectors.py --quick || status=1
"$py" tests/interop/run.py "$1" || status=1
exit $status
