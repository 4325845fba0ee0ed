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

# What the library still asked of libgcc when this check was written. Told, not a failure; nothing is to be added.
case $2 in
m0) known='__aeabi_idiv __aeabi_idivmod __aeabi_uidiv __aeabi_uidivmod __aeabi_llsl __aeabi_llsr __aeabi_lasr __gnu_thumb1_case_(uqi|sqi|uhi|shi|si)' ;;
rv32) known='__lshrdi3 __ashldi3 __ashrdi3' ;;
*) known= ;;
esac

needs() { # OBJECT...: undefined names that no object here defines, beyond what is allowed
    "${prefix}nm" -g --defined-only -P "$@" | awk 'NF > 1 { print $1 }' | sort -u >"$dir/defined"
    "${prefix}nm" -u -P "$@" | awk 'NF > 1 { print $1 }' | sort -u | comm -23 - "$dir/defined" | grep -Evx 'mem(cpy|move|set|cmp)'
}
compile() { # FILE: to an object beside it
    # shellcheck disable=SC2086 # lists of flags
    ${prefix}gcc $CODE $arch $flags -w -fstack-usage -fcallgraph-info=su -c -o "${1%.c}.o" "$1"
}
plant() { # CHECK WHAT CODE
    printf '%s\n' "$3" >"$dir/plant.c"
    rm -f "$dir"/plant.o "$dir"/plant.ci
    if ! compile "$dir/plant.c"; then
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
new=$needed
for k in $known; do new=$(echo "$new" | grep -Evx "$k"); done
# Divisions are known in two files, of public numbers (ct.sh), and in no other.
for object in "$objects"/*.o; do
    case ${object##*/} in export.o | handshake.o) continue ;; esac
    new="$new $("${prefix}nm" -u "$object" | awk '$2 ~ /div|mod/ { print $2 }')"
done
new=$(echo "$new" | xargs -n 1 | sort -u)
if [ -n "$new" ]; then
    for symbol in $new; do
        echo "FAIL links $name $flags: $symbol is needed by$("${prefix}nm" -A -u "$objects"/*.o | awk -v s="$symbol" '$NF == s { sub(/.*\//, "", $1); sub(/:.*/, "", $1); printf " %s", $1 }')"
    done
    status=1
else echo "pass links $name: nothing is needed that was not before"; fi
if [ -n "$needed" ]; then echo "skip links $name $flags: without libgcc: it still wants $(echo "$needed" | tr '\n' ' ')"
else
    libgcc=
    printf '#include "board.h"\nint image_main(void) { return 0; }\n' >"$dir/empty.c"
    link="$link -Wl,--no-gc-sections"
    if build_image "$dir/image" "$objects" "$flags" "$dir/empty.c"; then echo "pass links $name: all of it, without libgcc"
    else
        echo "FAIL links $name $flags: does not link without libgcc"
        status=1
    fi
fi
exit $status
