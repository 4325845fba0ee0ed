#!/bin/sh
# SPDX-License-Identifier: ISC
# The C peer of the pair tests (peer.c) as a program for Windows, under wine: build, server KIND or client KIND PORT
# BITS=32 for the 32-bit one.
set -eu
case ${BITS:-64} in 64) cpu=x86_64 ;; *) cpu=i686 ;; esac
dir=build/pairs/windows${BITS:-64} cc=$cpu-w64-mingw32-gcc
export WINEDEBUG=-all WINEPREFIX="$PWD/build/wine" DISPLAY=
case ${1:-} in
build)
    for tool in $cc wine; do
        if ! command -v $tool >/dev/null; then
            echo "no $tool is here (Debian packages: gcc-mingw-w64-x86-64, gcc-mingw-w64-i686, wine64, wine)" >&2
            exit 77
        fi
    done
    make --no-print-directory CC=$cc AR=$cpu-w64-mingw32-ar BUILD=$dir lib >/dev/null
    $cc -std=c11 -O2 -Wall -Wextra -Isvc -Itransport -o $dir/peer.exe tests/pairs/peer.c $dir/libsvconn_transport.a $dir/libsvconn.a -lws2_32 -lbcrypt
    wine wineboot >/dev/null 2>&1 # makes its directory, if this is the first time
    ;;
*)
    exec ${WINE:-wine} $dir/peer.exe "$@" ;;
esac
