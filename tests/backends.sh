#!/bin/sh
# SPDX-License-Identifier: ISC
# The tests of cryptography and of sessions with each backend that this CPU has alone; BACKENDS_ALL=1: and beside each of the other primitives (the best of all
# together is what every other test runs). Usage: sh tests/backends.sh TESTS
# DIRECTORY: where test_gcm and the others are.
set -u
dir=$1
for gcm in portable=0 vector128=0x10 vector256=0x20 vector512=0x40 aesni=0x01 vaes256=0x02 vaes512=0x04 armv8=0x08; do
    for other in none=0 avx2=0x80 ifma=0x400 sha=0x100 arm-sha=0x200; do
        [ $gcm = portable=0 ] || [ $other = none=0 ] || [ "${BACKENDS_ALL:-}" ] || continue
        mask=$((${gcm#*=} + ${other#*=})) name="${gcm%=*}, ${other%=*}"
        for test in gcm hash curve session renewal secrets svc_vectors; do
            SVCONN_TEST_CPU=$mask "$dir/test_$test" >"$dir/backends.log" 2>&1
            case $? in
            0) echo "pass backends: $name: test_$test" ;;
            77) if [ $test = gcm ]; then echo "skip backends: $name: not in this CPU"; fi ;;
            *) grep -v '^pass' "$dir/backends.log" | head -n 20; echo "FAIL backends: $name: test_$test" ;;
            esac
        done
    done
done
