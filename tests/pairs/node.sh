#!/bin/sh
# SPDX-License-Identifier: ISC
# The peer of the pair tests on Node.js: bindings/web over sockets. From the repository's root:
#   node.sh build | node.sh server KIND | node.sh client KIND PORT        KIND: key, hidden, psk
set -eu
dir=build/pairs/node
if [ "$1" = build ]; then
    for tool in node clang wasm-ld; do
        command -v $tool >/dev/null || { echo "node.sh: no $tool here (Debian: nodejs, clang, lld)" >&2; exit 77; }
    done
    sh bindings/web/build.sh $dir
else exec node tests/pairs/node.mjs $dir/package "$@"; fi
