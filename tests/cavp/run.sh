#!/bin/sh
# SPDX-License-Identifier: ISC
# The library in BUILD against the published vectors in Debian's package python3-cryptography-vectors, and the curve
# against slow arithmetic on random inputs.
# Usage: sh tests/cavp/run.sh BUILD
# CRYPTOGRAPHY_VECTORS: the directory of the package, if it is elsewhere.
set -u
suite=cavp
if [ $# -ne 1 ]; then echo "usage: sh tests/cavp/run.sh BUILD" >&2; exit 2; fi
vectors=${CRYPTOGRAPHY_VECTORS:-/usr/lib/python3/dist-packages/cryptography_vectors}
. "$(dirname "$0")/common.sh"
status=0
"$py" "$here/random_curve.py" "$driver" || status=1
if [ -d "$vectors" ]; then each_backend "$py" "$here/suites.py" cavp "$driver" "$vectors" || status=1
else echo "skip cavp: no $vectors here (Debian: python3-cryptography-vectors; or set CRYPTOGRAPHY_VECTORS)"; fi
exit $status
