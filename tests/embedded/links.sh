#!/bin/sh
# SPDX-License-Identifier: ISC
# What the library asks of the linker on a chip: memcpy, memmove, memset and memcmp, and nothing else. No helper of the compiler either: some of
# them (a division, on ARMv6-M a 64-bit multiplication) take a time that depends on their operands. And no frame of unknown size, no recursion, no
# call through a pointer, so that the stack has a bound (stack.py). First, defects are planted, and each must be caught.
# Usage: sh tests/embedded/links.sh DIRECTORY TARGET [CFLAGS]
set -u
. tests/embedded/targets.sh
target "$2"
flags=${3:--Os}
dir=$1/links-$2
have_target links || exit 0
rm -rf "$dir"
mkdir -p "$dir"
status=0

# A switch with many cases is a call of libgcc on ARMv6-M (__gnu_thumb1_case_..., which only looks at the number of the case) unless this is given.
if [ "$2" = m0 ]; then
    flags="$flags -fno-jump-tables"
    unset EMBEDDED_LIBRARY # built without it
fi

needs() { # OBJECT...: undefined names that no object here defines, beyond what is allowed
    "${prefix}nm" -g --defined-only -P "$@" | awk 'NF > 1 { print $1 }' | sort -u >"$dir/defined"
    "${prefix}nm" -u -P "$@" | awk 'NF > 1 { print $1 }' | sort -u | comm -23 - "$dir/defined" | grep -Evx 'mem(cpy|move|set|cmp)'
}
plant() { # CHECK WHAT CODE
    printf '%s\n' "$3" >"$dir/plant.c"
    rm -f "$dir"/plant.o "$dir"/plant.ci
    if ! compile "$dir/plant.c" "$dir" "$flags -w"; then
        echo "FAIL links $name: the planted defect does not compile: $2"
        status=1
        return
    fi
    found=
    case $1 in
    needs) found=$(needs "$dir/plant.o") ;;
    stack) "${PYTHON:-python3}" $here/stack.py f=svconn_f -- "$dir/plant.ci" >/dev/null 2>&1 || found=yes ;;
    esac
    if [ -n "$found" ]; then echo "pass links $name: would catch $2"
    else
        echo "FAIL links $name: a planted defect was not caught: $2"
        status=1
    fi
}
plant needs "an allocation" 'void *malloc(unsigned); void *svconn_f(void) { return malloc(7); }'
plant needs "output" 'int printf(const char *, ...); int svconn_f(int x) { return printf("%d", x); }'
plant needs "an assertion" 'void __assert_func(void); void svconn_f(int x) { if (x) __assert_func(); }'
plant needs "a 64-bit division" 'unsigned long long svconn_f(unsigned long long a, unsigned long long b) { return a / b; }'
plant needs "a floating-point number" 'double svconn_f(double a, double b) { return a * b; }'
if [ "$2" = m0 ]; then
    plant needs "a 64-bit multiplication" 'unsigned long long svconn_f(unsigned a, unsigned b) { return (unsigned long long)a * b; }'
    plant needs "a division" 'unsigned svconn_f(unsigned a, unsigned b) { return a / b; }'
fi
plant stack "an array of variable length" 'int svconn_f(int n) { volatile char a[n]; a[0] = 1; return a[n - 1]; }'
plant stack "alloca" 'int svconn_f(int n) { volatile char *a = __builtin_alloca(n); a[0] = 1; return a[n - 1]; }'
plant stack "recursion" 'int svconn_f(int n) { volatile int x = n; return n ? svconn_f(x - 1) + x : 1; }'
plant stack "a call through a pointer" 'int svconn_f(int (*g)(int)) { return g(1) + 1; }'
plant stack "a call of a function that is not there" 'int other(int); int svconn_f(int x) { return other(x) + 1; }'

objects=${EMBEDDED_LIBRARY:-$dir/lib}
if ! build_library "$objects" "$flags"; then
    echo "FAIL links $name $flags: does not build"
    exit 1
fi
needed=$(needs "$objects"/*.o)
for symbol in $needed; do
    echo "FAIL links $name $flags: $symbol is needed by$("${prefix}nm" -A -u "$objects"/*.o | awk -v s="$symbol" '$NF == s { sub(/.*\//, "", $1); sub(/:.*/, "", $1); printf " %s", $1 }')"
    status=1
done
if [ -z "$needed" ]; then echo "pass links $name: nothing is needed but memcpy, memmove, memset and memcmp"; fi
libgcc=
printf '#include "board.h"\nint image_main(void) { return 0; }\n' >"$dir/empty.c"
link="$link -Wl,--no-gc-sections"
if build_image "$dir/image" "$objects" "$flags" "$dir/empty.c"; then echo "pass links $name: all of it, without libgcc"
else
    echo "FAIL links $name $flags: does not link without libgcc"
    status=1
fi
exit $status
