#!/bin/sh
# SPDX-License-Identifier: ISC
# The published vectors in Debian's package python3-cryptography-vectors against the library in BUILD. Usage: sh tests/cavp/run.sh BUILD
# CRYPTOGRAPHY_VECTORS: the directory of the package, if it is elsewhere.
set -u
suite=cavp
if [ $# -ne 1 ]; then echo "usage: sh tests/cavp/run.sh BUILD" >&2; exit 2; fi
vectors=${CRYPTOGRAPHY_VECTORS:-/usr/lib/python3/dist-packages/cryptography_vectors}
if [ ! -d "$vectors" ]; then
    echo "skip cavp: no $vectors here (Debian: apt-get install python3-cryptography-vectors, or set CRYPTOGRAPHY_VECTORS)"
    exit 0
fi
. "$(dirname "$0")/common.sh"
exec "$py" "$here/suites.py" cavp "$driver" "$vectors"
