#!/bin/sh
# SPDX-License-Identifier: ISC
# The tarball of `make dist`: the same bytes each time, and a tree that builds, runs and makes itself again without git and Python.
set -u
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
good() { echo "pass dist: $*"; }
bad() { echo "FAIL dist: $*"; }
if ! tar --version 2>/dev/null | grep -q 'GNU tar'; then echo "pass nothing was run"; echo "skip dist: tar is not GNU tar"; exit 0; fi

archive=$(sh packaging/dist.sh) || exit 1
cp "$archive" "$tmp/first"
same() { if cmp "$tmp/first" "$2"; then good "the same bytes $1"; else bad "the same bytes $1"; fi; }
(umask 077 && TZ=Asia/Tokyo LC_ALL=tr_TR.UTF-8 sh packaging/dist.sh >/dev/null) && same "with another umask, time zone and locale" "$archive"

name=$(basename "$archive" .tar.gz)
tar -tzvf "$tmp/first" | awk '{ print $1, $2, $4, $5 }' | sort -u | awk '{ print $1, $2 }' | sort -u >"$tmp/kinds"
if [ "$(cat "$tmp/kinds")" = "$(printf -- '-rw-r--r-- 0/0\n-rwxr-xr-x 0/0\ndrwxr-xr-x 0/0')" ] && [ "$(tar -tzvf "$tmp/first" | awk '{ print $4, $5 }' | sort -u | wc -l)" -eq 1 ] &&
    [ "$(tar -tzf "$tmp/first" | grep -cv "^$name/")" -eq 0 ]; then good "one time, no owner, two modes, one directory"
else
    cat "$tmp/kinds"
    bad "one time, no owner, two modes, one directory"
fi

# From here on as somebody who has only the tarball
mkdir "$tmp/a b" && cd "$tmp/a b" && tar -xzf "$tmp/first" && cd "$name" || exit 1
GIT_DIR=/nonexistent PYTHON=/nonexistent
export GIT_DIR PYTHON
unset MAKEFLAGS MFLAGS MAKELEVEL # a make of its own
if find . -type f | sed 's,^\./,,' | LC_ALL=C sort | cmp - MANIFEST; then good "MANIFEST names every file"; else bad "MANIFEST names every file"; fi
cp -R dist "$tmp/joined"
(umask 027 && sh packaging/dist.sh >/dev/null) && same "from the tarball itself" "dist/$name.tar.gz"
SOURCE_DATE_EPOCH=1000000000 sh packaging/dist.sh >/dev/null
if cmp -s "$tmp/first" "dist/$name.tar.gz"; then bad "SOURCE_DATE_EPOCH changes nothing"
elif tar -tzvf "dist/$name.tar.gz" | grep -qv 2001-09-0; then bad "SOURCE_DATE_EPOCH is not the time of all"
else good "SOURCE_DATE_EPOCH is the time of all"; fi
rm "dist/$name.tar.gz"
echo '/* changed */' >>svc/errors.c
if sh packaging/dist.sh >/dev/null && cmp -s "$tmp/first" "dist/$name.tar.gz"; then bad "a change of a source changes nothing"; else good "a change of a source is seen"; fi
sed '$d' svc/errors.c >"$tmp/errors.c" && cp "$tmp/errors.c" svc/errors.c
rm "dist/$name.tar.gz"

run() { # WHAT COMMAND...
    what=$1
    shift
    if "$@" >"$tmp/log" 2>&1; then good "$what"
    else
        tail -n 30 "$tmp/log"
        bad "$what"
    fi
}
run "it builds" make
run "make demo" make demo
run "make amalgamation" make amalgamation
run "which gives the files that were in it" diff -r dist "$tmp/joined"
for t in session svc_vectors calls transport; do run "test_$t" make "build/tests/test_$t" && run "test_$t passes" "build/tests/test_$t"; done
run "symbols" sh tests/symbols.sh build/libsvconn.a
run "headers" sh tests/headers.sh
