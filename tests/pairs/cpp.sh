#!/bin/sh
# SPDX-License-Identifier: ISC
# The peer in C++ (bindings/cpp); see run.sh
set -eu
dir=build/pairs/cpp
case $1 in
build)
    mkdir -p $dir
    if ! command -v "${CXX:-c++}" >/dev/null 2>&1; then echo "no ${CXX:-c++} here (Debian: g++)" >&2; exit 77; fi
    ${CXX:-c++} -std=c++17 -O2 -Wall -Wextra -Isvc -Ibindings/cpp -o $dir/peer tests/cpp/peer.cpp build/libsvconn.a
    ;;
*) exec $dir/peer "$@" ;;
esac
