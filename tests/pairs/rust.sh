#!/bin/sh
# SPDX-License-Identifier: ISC
# The peer in Rust (bindings/rust); see run.sh
set -eu
case $1 in
build)
    build=build
    . tests/rust/cargo.sh
    mkdir -p build/pairs/rust
    (cd bindings/rust && "$CARGO" build --release -p peer)
    cp "$CARGO_TARGET_DIR/release/peer" build/pairs/rust/
    ;;
*) exec build/pairs/rust/peer "$@" ;;
esac
