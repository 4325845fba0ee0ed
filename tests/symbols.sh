#!/bin/sh
# SPDX-License-Identifier: ISC
# What the core asks of its surroundings and what it gives them. Usage: sh tests/symbols.sh ARCHIVE-OR-OBJECT...
# Run it on a plain build: a sanitizer's own symbols are let through, its writable tables are not.
#
#   1. it needs memcpy, memmove, memset and memcmp, and nothing else: no allocation, no I/O, no helper of the compiler
#   2. every name that it exports begins with svconn_
#   3. it has no writable data: no global state but the word in cpu.c, no table of pointers that the loader must change
#
# First, small defects are planted, and each must be caught.
set -u
CC=${CC:-cc} NM=${NM:-nm}
if [ $# -eq 0 ]; then
    echo "usage: sh tests/symbols.sh ARCHIVE-OR-OBJECT..." >&2
    exit 2
fi
for tool in "$NM" readelf; do
    if ! command -v "$tool" >/dev/null 2>&1; then echo "skip symbols: no $tool here (Debian: binutils)"; exit 0; fi
done
for f in "$@"; do
    if [ ! -r "$f" ]; then echo "FAIL symbols: $f is not there"; exit 1; fi
done
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT INT TERM

# The members of all archives and objects, one object file each, in $dir/$1
unpack() { # NAME FILE...
    mkdir "$dir/$1" || exit 1
    to=$dir/$1 n=0
    shift
    for f in "$@"; do
        n=$((n + 1))
        case $f in
        *.a) mkdir "$to/$n" && (p=$(cd "$(dirname "$f")" && pwd)/$(basename "$f") && cd "$to/$n" && ${AR:-ar} x "$p") ;;
        *) cp "$f" "$to/$n.o" ;;
        esac
    done
    find "$to" -name '*.o'
}

# Undefined names that no object here defines, beyond what is allowed
needs() { # OBJECT...
    "$NM" -g --defined-only -P "$@" 2>/dev/null | awk 'NF > 1 { print $1 }' | sort -u >"$dir/defined"
    "$NM" -u -P "$@" | awk 'NF > 1 { print $1 }' | sort -u | comm -23 - "$dir/defined" |
        grep -Evx 'mem(cpy|move|set|cmp)|__stack_chk_fail(_local)?|_GLOBAL_OFFSET_TABLE_' |
        grep -Ev '^__(asan|ubsan|msan|tsan|sanitizer|sancov)_'
}

# Exported names that do not begin with svconn_
exports() { # OBJECT...
    "$NM" -g --defined-only -P "$@" | awk 'NF > 1 && $1 !~ /^svconn_/ && $1 !~ /^__x86\.get_pc_thunk/ { print $1 }'
}

# Common symbols (nm: C), and sections that are writable and not empty: .data, .bss, .data.rel.ro, thread-local ones
writable() { # OBJECT...
    "$NM" -P "$@" | awk 'NF > 1 && ($2 == "C" || $2 == "c") { print $1 " (common)" }'
    readelf -SW "$@" | sed -n 's/^ *\[ *[0-9]*\] *//p' |
        awk '$1 != "NULL" && $5 !~ /^0+$/ && $7 ~ /W/ && $7 ~ /A/ { print $1 " (" $5 " bytes, hexadecimal)" }'
}

# One line: pass, or FAIL and what was found
judge() { # NAME FOUND
    if [ -z "$2" ]; then echo "pass symbols: $1"
    else
        echo "FAIL symbols: $1: $(echo "$2" | tr '\n' ' ')"
        status=1
    fi
}

# A planted defect: the check must find something in it
plant() { # CHECK WHAT CODE
    printf '%s\n' "$3" >"$dir/plant.c"
    if ! $CC -std=c11 -O1 -fPIC -c -o "$dir/plant.o" "$dir/plant.c" 2>"$dir/log"; then
        echo "FAIL symbols: the planted defect does not compile: $2"
        status=1
    elif [ -z "$("$1" "$dir/plant.o")" ]; then
        echo "FAIL symbols: a planted defect was not caught: $2"
        status=1
    else echo "pass symbols: would catch $2"; fi
}

status=0
if command -v "${CC%% *}" >/dev/null 2>&1; then
    plant needs "an allocation" 'void *malloc(unsigned long); void *svconn_f(void) { return malloc(7); }'
    plant needs "a call of the C library" 'int puts(const char *); int svconn_f(void) { return puts("x"); }'
    plant exports "a name without svconn_" 'int helper(int x) { return x + 1; }'
    plant exports "a constant without svconn_" 'const int table[2] = {1, 2};'
    plant writable "a global variable that is set" 'int svconn_global = 7;'
    plant writable "a global variable that is zero" 'int svconn_global;'
    plant writable "a static variable" 'int svconn_f(void) { static int n; return ++n; }'
    plant writable "a common variable" 'int svconn_global __attribute__((common));'
    plant writable "a thread-local variable" '_Thread_local int svconn_global;'
    plant writable "a table of pointers (.data.rel.ro)" \
        'static int f(int x) { return x; } static int g(int x) { return -x; }
         int (*const svconn_table[2])(int) = {f, g};'
else echo "skip symbols: no compiler ${CC%% *} here: no defects were planted"; fi

objects=$(unpack core "$@")
if [ -z "$objects" ]; then
    echo "FAIL symbols: no object in $*"
    exit 1
fi
# A tool that cannot read the objects finds nothing wrong with them either.
# shellcheck disable=SC2086 # names made here, without spaces
for o in $objects; do
    if ! readelf -h "$o" >/dev/null 2>&1; then
        echo "skip symbols: not ELF, readelf cannot look at them"
        exit $status
    fi
    if ! "$NM" -a -P "$o" 2>/dev/null | grep -q .; then
        echo "FAIL symbols: $NM reads nothing in $(basename "$o")"
        exit 1
    fi
done
# shellcheck disable=SC2086 # names made here, without spaces
{
    judge "the core needs nothing but memcpy, memmove, memset, memcmp" "$(needs $objects)"
    judge "every exported name begins with svconn_" "$(exports $objects)"
    # cpu.c, also as a part of dist/svconn.c, keeps one word: what the CPU can do. Not with -DSVCONN_PORTABLE_ONLY.
    judge "the core has no writable data but one word in cpu.c" \
        "$(for o in $objects; do
            case $o in */cpu.o | */svconn.o) writable "$o" | grep -v '^\.bss (000004 ' ;; *) writable "$o" ;; esac
        done)"
}
exit $status
