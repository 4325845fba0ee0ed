#!/bin/sh
# SPDX-License-Identifier: ISC
# Constant time on a chip: the trace of ct.c over several secrets, and a look at the instructions. Usage: sh tests/embedded/ct.sh DIRECTORY TARGET small|fast [unit]
# Of the sources as objects; or of svconn.c as one unit, where compilers see through more.
set -u
. tests/embedded/targets.sh
profile "$3"
target "$2"
have_target ct || exit 0
unit=${4:-}
title="ct $2 $3${unit:+ $unit}"
dir=$1/ct-$2-$3$unit
status=0
rm -rf "$dir"
mkdir -p "$dir"
build() {
    if [ -z "$unit" ]; then build_objects "$dir/lib" "$flags"; return; fi
    build_unit "$dir/lib-open" "$flags $open" || return 1
    mkdir "$dir/lib"
    sed 's,^/\* =* svc/parts\.h .*,#include "ct_pause.h"\n&,' "$dir/lib-open/svconn.c" >"$dir/lib/svconn.c"
    grep -q ct_pause "$dir/lib/svconn.c" && compile "$dir/lib/svconn.c" "$dir/lib" "$flags -I$dir/lib-open -I$here"
}
if ! build; then echo "FAIL $title: does not build"; exit 1; fi

# ---- instructions whose time depends on their operands
# Found: lines "OBJECT FUNCTION INSTRUCTION"
disassemble() { # PATTERN OBJECT...
    pattern=$1
    shift
    "${prefix}objdump" -d "$@" | awk -v pattern="^($pattern)\$" '
        /file format/ { o = $1; sub(/.*\//, "", o); sub(/:$/, "", o) }
        /^[0-9a-f]+ <[^.]/ { f = $2 }
        { split($0, part, "\t"); m = part[3]; sub(/[. ].*/, "", m); if (m ~ pattern) print o, f, m }' | sort | uniq -c
}
case $2 in
rv32) divide='(div|rem)u?' ;;
*) divide='[us]div' ;;
esac
compile_plant() { # CODE
    echo "$1" >"$dir/plant.c"
    # shellcheck disable=SC2086 # lists of flags
    ${prefix}gcc $CODE $arch $flags -c -o "$dir/plant.o" "$dir/plant.c"
}
if [ "$2" != m0 ]; then # which has no division: links.sh finds the helper
    compile_plant 'unsigned f(unsigned a, unsigned b) { return a / b; }'
    if [ -n "$(disassemble "$divide" "$dir/plant.o")" ]; then echo "pass $title: would see a division"
    else
        echo "FAIL $title: a planted division was not seen"
        status=1
    fi
    found=$(disassemble "$divide" "$dir"/lib/*.o)
    if [ -z "$found" ]; then echo "pass $title: no division"
    else
        echo "FAIL $title: a division, which may take longer for some operands: $found"
        status=1
    fi
fi
if [ "$2" = m3 ]; then
    # Arm, Cortex-M3 Technical Reference Manual, table 2-1: UMULL, SMULL, UMLAL, SMLAL end early, depending on the values
    long='[us]m(ull|lal)'
    compile_plant 'unsigned long long f(unsigned a, unsigned b) { return (unsigned long long)a * b; }'
    if [ -n "$(disassemble "$long" "$dir/plant.o")" ]; then echo "pass $title: would see a long multiplication"
    else
        echo "FAIL $title: a planted long multiplication was not seen"
        status=1
    fi
    crypto=${unit:+$dir/lib/svconn.o}
    if [ -z "$unit" ]; then for f in crypto/*.c; do crypto="$crypto $dir/lib/$(basename "$f" .c).o"; done; fi
    # shellcheck disable=SC2086 # lists of files and flags
    found=$(disassemble "$long" $crypto | awk '{ n[$2] += $1 } END { for (o in n) printf " %s (%d)", o, n[o] }')
    # shellcheck disable=SC2086
    narrow=$(echo '#include "mul32.h"' | ${prefix}gcc $CODE $arch $flags -Icrypto -E -dM -x c - | grep -c 'define SVCONN_NARROW_MUL')
    if [ -z "$found" ]; then echo "pass $title: no long multiplication in $(if [ "$unit" ]; then echo svconn.c; else echo crypto/; fi)"
    elif [ "$narrow" -eq 0 ]; then echo "skip $title: long multiplications, whose time depends on their operands on this chip, in$found: mul32.h does without them on ARMv6-M only"
    else
        echo "FAIL $title: long multiplications in$found"
        status=1
    fi
    exit $status # the trace of m4 is of the same instructions
fi

# ---- the trace
if ! build_plugin "$dir/plugin.so" ct; then exit $status; fi # it said why
trace() { # OBJECTS CFLAGS
    (build_image "$dir/image" "$1" "$2" $here/ct.c) || { echo "FAIL $title: ct.c does not build"; exit 1; }
    # shellcheck disable=SC2086 # a command
    if ! timeout "${EMBEDDED_TIMEOUT:-200}" ${run% -kernel} -plugin "$dir/plugin.so,trace=on,out=$dir/traces" -kernel "$dir/image" >"$dir/names" 2>&1; then
        cat "$dir/names"
        echo "FAIL $title: ct.c ended badly"
        exit 1
    fi
    if [ "$(wc -l <"$dir/names")" -ne "$(wc -l <"$dir/traces")" ]; then
        echo "FAIL $title: the plugin of this QEMU did not trace"
        exit 1
    fi
    judge || status=1
}
judge() {
    paste "$dir/traces" "$dir/names" | awk -F '\t' -v where="$title" '
    {
        split($1, t, " ")
        name = $2
        if (!(name in times)) order[++n] = name
        times[name]++
        if (times[name] == 1) { first_pc[name] = t[2]; first_mem[name] = t[3]; size[name] = t[1] }
        if (t[2] != first_pc[name]) flow[name] = 1
        if (t[3] != first_mem[name]) address[name] = 1
    }
    END {
        for (i = 1; i <= n; i++) {
            name = order[i]
            differs = (flow[name] ? "its instructions" : "") (flow[name] && address[name] ? " and " : "") (address[name] ? "its addresses" : "")
            if (times[name] < 3) { print "FAIL " where ": " name ": tried " times[name] " times"; bad = 1 }
            else if (name ~ /^leak/) {
                if (differs) print "pass " where ": would see a planted " name
                else { print "FAIL " where ": a planted " name " was not seen"; bad = 1 }
            } else if (differs) { print "FAIL " where ": " name ": " differs " depend on the secret"; bad = 1 }
            else print "pass " where ": " name ", " size[name] " instructions"
        }
        exit bad
    }'
}
if [ "$unit" ]; then
    trace "$dir/lib-open" "$flags -DCT_PRIMITIVES"
    trace "$dir/lib" "$flags -DCT_SESSIONS"
else
    link="$link -Wl,--wrap=svconn_ed25519_verify_u -Wl,--wrap=svconn_ed25519_check -Wl,--wrap=svconn_ed25519_to_x25519"
    trace "$dir/lib" "$flags"
fi
exit $status
