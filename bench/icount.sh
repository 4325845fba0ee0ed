#!/bin/sh
# SPDX-License-Identifier: ISC
# Instruction counts of svconn's operations. Usage: sh bench/icount.sh ICOUNT-PROGRAM DIRECTORY
# Each is counted twice; different counts are an error. valgrind 3.19 knows AES-NI and AVX2, but no VAES, AVX-512 and
# SHA: those backends switch themselves off in it. If the compiler itself uses AVX-512 (-march=native), nothing can be
# counted.
set -u
program=$1 dir=$2
mkdir -p "$dir" || exit 1
if ! command -v valgrind >/dev/null 2>&1; then
    echo "icount: valgrind is not installed (Debian: valgrind)" >&2
    exit 1
fi
clean() { env -i PATH="$PATH" valgrind "$@"; } # the environment moves the stack

count() { # MODE OPERATION: instructions
    rm -f "$dir/callgrind.out"
    clean -q --tool=callgrind --toggle-collect=icount_run --callgrind-out-file="$dir/callgrind.out" \
        "$program" "$1" "$2" 2>"$dir/icount.log" &&
        sed -n 's/^totals: *\([0-9]*\).*/\1/p' "$dir/callgrind.out"
}

if ! clean -q --tool=none "$program" --list >"$dir/icount.list" 2>"$dir/icount.log"; then
    echo "icount: the program does not run under valgrind:" >&2
    head -n 5 "$dir/icount.log" >&2
    exit 1
fi
status=0
{
    echo "# $(valgrind --version), $(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo 2>/dev/null | head -n 1)"
    printf 'item\tbytes\tmode\tinstructions\n'
} >"$dir/icount.tsv"
printf '%-18s %6s  %-10s %14s\n' item bytes mode instructions
while read -r mode mode_name operation name bytes; do
    a=$(count "$mode" "$operation") b=$(count "$mode" "$operation")
    if [ -z "$a" ] || [ "$a" != "$b" ]; then
        echo "icount: $name $bytes $mode_name: counted '$a', then '$b'" >&2
        head -n 5 "$dir/icount.log" >&2
        status=1
    fi
    printf '%-18s %6s  %-10s %14s\n' "$name" "$bytes" "$mode_name" "$a"
    printf '%s\t%s\t%s\t%s\n' "$name" "$bytes" "$mode_name" "$a" >>"$dir/icount.tsv"
done <"$dir/icount.list"
echo "$dir/icount.tsv"
exit $status
