#!/bin/sh
# SPDX-License-Identifier: ISC
# The constant-time check by valgrind (tests/ct/ct_session.c) for every compiler here, every optimisation level, and what machines of 64 and of 32
# bits get; at -Os and -O2 also what microcontrollers get (crypto/profile.h; without a long multiply; small). Usage: sh tests/ct/run.sh DIRECTORY
# CT_COMPILERS, CT_LEVELS, CT_FLAGS (sets of flags, each with commas between them) and CT_LIBRARY (the sources; "-include svconn.c", whose inside is
# static and for that file alone) choose.
set -u
dir=$1
chips='-DSVCONN_FORCE_32,-DSVCONN_FE=13,-DSVCONN_NARROW_MUL -DSVCONN_SMALL,-DSVCONN_FORCE_32 -DSVCONN_SMALL,-DSVCONN_FORCE_32,-DSVCONN_FE=13
       -DSVCONN_SMALL,-DSVCONN_FAST_AES,-DSVCONN_FORCE_32'
mkdir -p "$dir"
if ! command -v valgrind >/dev/null 2>&1; then echo "skip ct: valgrind is not installed"; exit 0; fi
if ! echo '#include <valgrind/memcheck.h>' | ${CC:-cc} -fsyntax-only -x c - 2>/dev/null; then
    echo "skip ct: no <valgrind/memcheck.h> (Debian: valgrind)"
    exit 0
fi
# The bits of crypto/cpu.h. (SHA-NI, VAES, AVX-512 and IFMA are unknown to valgrind 3.19.)
backends='portable=0x00 vector128=0x10 vector256=0x20 aesni=0x01 avx2=0x80 sha=0x100 vector512=0x40 vaes256=0x02 vaes512=0x04 ifma=0x400'
check() { valgrind -q --error-exitcode=9 "$@" >"$dir/log" 2>&1; }
for cc in ${CT_COMPILERS:-gcc clang clang-16 clang-19}; do
    command -v "$cc" >/dev/null 2>&1 || { echo "skip ct $cc: not installed"; continue; }
    for level in ${CT_LEVELS:--O0 -O1 -Os -O2 -O3}; do
        case $level in
        -Os | -O2) sets="-DSVCONN_FORCE_32 $chips -g" ;;
        *) sets="-DSVCONN_FORCE_32 ${CT_LEVELS:+$chips} -g" ;; # unless a level is asked for: time
        esac
        for flags in ${CT_FLAGS:-$sets}; do
            words=$(echo "$flags" | tr , ' ')
            name="$cc $level $words"
            # DWARF 4: valgrind 3.19 gives up on newer debug information, and then reports nothing
            if ! $cc -std=c11 $level $words -g -gdwarf-4 -include tests/ct/release.h -Isvc -Icrypto -o "$dir/ct" \
                tests/ct/ct_session.c ${CT_LIBRARY:-svc/*.c crypto/*.c}; then echo "FAIL ct $name: does not build"; continue; fi
            if check "$dir/ct" branch || check "$dir/ct" index; then echo "FAIL ct $name: a planted leak was not reported"; continue; fi
            for backend in $backends; do
                check "$dir/ct" "${backend#*=}"
                case $? in
                0) echo "pass ct $name ${backend%=*}" ;;
                3) ;; # told once, below
                *) head -n 30 "$dir/log"; echo "FAIL ct $name ${backend%=*}" ;;
                esac
            done
        done
    done
done
for backend in $backends; do
    valgrind -q "$dir/ct" "${backend#*=}" >/dev/null 2>&1
    if [ $? -eq 3 ]; then echo "skip ct ${backend%=*}: this CPU, or valgrind, does not have it"; fi
done
