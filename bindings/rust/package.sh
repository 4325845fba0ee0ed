#!/bin/sh
# SPDX-License-Identifier: ISC
# The package svconn-sys with the C sources in it, in two files (packaging/amalgamation). Usage: sh bindings/rust/package.sh [OPTIONS of cargo package]
# (To publish: the same with `publish` as the first word, then `cargo publish -p svconn`.)
set -eu
cd "$(dirname "$0")"
what=package
if [ "${1:-}" = publish ]; then what=$1 && shift; fi
trap 'rm -rf svconn-sys/c' EXIT
sh ../../packaging/amalgamation/make.sh svconn-sys/c >/dev/null
rm svconn-sys/c/svconn_transport.[ch]
cp ../../LICENSE svconn-sys/c/
"${CARGO:-cargo}" $what -p svconn-sys --allow-dirty "$@"
