#!/bin/sh
# SPDX-License-Identifier: ISC
# The Python package as one end of a pair: build | server KIND | client KIND PORT. SVCONN_PAIRS: a directory in which it is installed already.
set -u
cd "$(dirname "$0")/../.." || exit 1
dir=${SVCONN_PAIRS:-build/pairs/python}
case ${1:-} in
build) sh tests/python.sh install "$dir" ;;
server | client) exec "$dir/venv/bin/python" tests/pairs/python.py "$@" ;;
*) echo "usage: $0 build | server KIND | client KIND PORT" >&2; exit 2 ;;
esac
