#!/bin/sh
# SPDX-License-Identifier: ISC
# The C peer of the pair tests (peer.c), from the repository's root after make: build, server KIND or client KIND PORT
set -eu
dir=build/pairs/c
case ${1:-} in
build)
    mkdir -p $dir
    ${CC:-cc} -std=c11 -O2 -Wall -Wextra -Isvc -Itransport -o $dir/peer tests/pairs/peer.c build/libsvconn_transport.a build/libsvconn.a
    ;;
*) exec $dir/peer "$@" ;;
esac
