#!/bin/sh
# SPDX-License-Identifier: ISC
# Builds the package of npm and the page, from the repository's root: sh bindings/web/build.sh [DIRECTORY]
#   DIRECTORY (default build/web)/package   what npm gets: svconn.wasm, the same on vectors of 128 bits, svconn.js, its types
#   DIRECTORY/page                          the page, with the module beside it: to be served as it is
# Needs clang with the target wasm32, and wasm-ld (Debian: clang, lld). CLANG and WASM_LD may be set; EXTRA has more flags for the compiler.
set -eu
dir=${1:-build/web} clang=${CLANG:-clang} wasm_ld=${WASM_LD:-wasm-ld}
web=bindings/web

# What svconn.js calls, beside what svconn_web.c exports itself
exports='identity_ed25519 identity_psk identity_custom identity_bytes strerror reason_name
         status error peer accept refuse give_psk proof_message prove peer_proof
         wire_in wire_eof wire_out wire_sent tick send recv recv_done close abort renew
         export authenticator fingerprint key_ids'

# FE: no 64 x 64 -> 128 bit product here
flags="--target=wasm32 -std=c11 -O2 -mbulk-memory -ffunction-sections -DSVCONN_FE=29 ${EXTRA:-}
       -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wcast-align
       -Wpointer-arith -Wwrite-strings -Wundef -Wvla -Werror -I$web/libc -Isvc -Icrypto"
names=
for name in $exports; do names="$names --export=svconn_$name"; done

# The stack first: what overflows it leaves the memory, and is stopped
module() { # NAME FLAG
    mkdir -p "$dir/obj/$1"
    objects=
    for file in crypto/*.c svc/*.c $web/svconn_web.c $web/libc/libc.c; do
        object=$dir/obj/$1/$(basename "$file" .c).o
        builtin=
        [ "$file" != $web/libc/libc.c ] || builtin=-fno-builtin
        "$clang" $flags $2 $builtin -c "$file" -o "$object"
        objects="$objects $object"
    done
    "$wasm_ld" --no-entry --gc-sections --strip-all --stack-first -z stack-size=65536 --export=__heap_base $names \
        -o "$dir/package/$1.wasm" $objects
}
mkdir -p "$dir/package" "$dir/page"
module svconn -DSVCONN_PORTABLE_ONLY
module svconn-simd -msimd128
cp $web/package.json $web/svconn.js $web/svconn.d.ts $web/README.md LICENSE "$dir/package/"
cp $web/page/* $web/svconn.js "$dir"/package/*.wasm "$dir/page/"
