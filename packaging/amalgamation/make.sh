#!/bin/sh
# SPDX-License-Identifier: ISC
# Writes svconn.h, svconn.c, svconn_transport.h and svconn_transport.c: the library to be copied into another project.
# The same sources give the same bytes, whatever the system.
# Usage: sh packaging/amalgamation/make.sh DIRECTORY      AWK chooses an awk.      --origin in place of it prints where the text comes from.
set -eu
LC_ALL=C
export LC_ALL
here=packaging/amalgamation
if [ $# -ne 1 ]; then echo "usage: sh $here/make.sh DIRECTORY" >&2; exit 2; fi
if [ "$1" != --origin ]; then
    mkdir -p "$1"
    to=$(cd "$1" && pwd)
fi
cd "$(dirname "$0")/../.."

# Where the text comes from: the commit; in a tarball what `make dist` wrote down; else the version alone.
version=$(sed -n 's/^#define SVCONN_VERSION "\([^"]*\)".*/\1/p' svc/svconn.h)
origin="Version ${version:?}"
if [ -e "$here/origin" ]; then origin=$(sed -n 1p "$here/origin")
elif [ -e .git ] && commit=$(git rev-parse HEAD 2>/dev/null); then
    origin="$origin, commit $commit"
    if [ -n "$(git status --porcelain -- crypto svc transport $here LICENSE)" ]; then origin="$origin, with changes"; fi
fi
if [ "$1" = --origin ]; then echo "$origin"; exit 0; fi

tmp=$(mktemp -d "$to/.new.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
for f in crypto/*.[ch] svc/*.[ch] transport/*.[ch]; do echo "$f"; done >"$tmp/all"
mkdir "$tmp/out"
${AWK:-awk} -v dir="$tmp/out" -v origin="$origin." -f $here/join.awk "$tmp/all" LICENSE $here/order
for f in "$tmp/out"/*; do # what is the same keeps its time
    chmod 644 "$f"
    cmp -s "$f" "$to/${f##*/}" || mv "$f" "$to/"
done
