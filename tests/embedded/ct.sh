#!/bin/sh
# SPDX-License-Identifier: ISC
# Constant time on a chip: the trace of ct.c over several secrets, and a look at the instructions. Usage: sh tests/embedded/ct.sh DIRECTORY TARGET small|fast
set -u
. tests/embedded/targets.sh
profile "$3"
target "$2"
have_target ct || exit 0
dir=$1/ct-$2-$3
status=0
rm -rf "$dir"
mkdir -p "$dir"
if ! build_library "$dir/lib" "$flags"; then echo "FAIL ct $2 $3: does not build"; exit 1; fi

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
    if [ -n "$(disassemble "$divide" "$dir/plant.o")" ]; then echo "pass ct $2 $3: would see a division"
    else
        echo "FAIL ct $2 $3: a planted division was not seen"
        status=1
    fi
    found=$(disassemble "$divide" "$dir"/lib/*.o)
    if [ -z "$found" ]; then echo "pass ct $2 $3: no division"
    else
        echo "FAIL ct $2 $3: a division, which may take longer for some operands: $found"
        status=1
    fi
fi
if [ "$2" = m3 ]; then
    # Arm, Cortex-M3 Technical Reference Manual, table 2-1: UMULL, SMULL, UMLAL, SMLAL end early, depending on the values
    long='[us]m(ull|lal)'
    compile_plant 'unsigned long long f(unsigned a, unsigned b) { return (unsigned long long)a * b; }'
    if [ -n "$(disassemble "$long" "$dir/plant.o")" ]; then echo "pass ct $2 $3: would see a long multiplication"
    else
        echo "FAIL ct $2 $3: a planted long multiplication was not seen"
        status=1
    fi
    crypto=
    for f in crypto/*.c; do crypto="$crypto $dir/lib/$(basename "$f" .c).o"; done
    # shellcheck disable=SC2086 # lists of files and flags
    found=$(disassemble "$long" $crypto | awk '{ n[$2] += $1 } END { for (o in n) printf " %s (%d)", o, n[o] }')
    # shellcheck disable=SC2086
    narrow=$(echo '#include "mul32.h"' | ${prefix}gcc $CODE $arch $flags -Icrypto -E -dM -x c - | grep -c 'define SVCONN_NARROW_MUL')
    if [ -z "$found" ]; then echo "pass ct $2 $3: no long multiplication in crypto/"
    elif [ "$narrow" -eq 0 ]; then echo "skip ct $2 $3: long multiplications, whose time depends on their operands on this chip, in$found: mul32.h does without them on ARMv6-M only"
    else
        echo "FAIL ct $2 $3: long multiplications in$found"
        status=1
    fi
    exit $status # the trace of m4 is of the same instructions
fi

# ---- the trace
link="$link -Wl,--wrap=svconn_ed25519_verify_u -Wl,--wrap=svconn_ed25519_check -Wl,--wrap=svconn_ed25519_to_x25519"
if ! build_plugin "$dir/plugin.so" ct; then exit $status; fi # it said why
if ! build_image "$dir/image" "$dir/lib" "$flags" $here/ct.c; then
    echo "FAIL ct $2 $3: ct.c does not build"
    exit 1
fi
# shellcheck disable=SC2086 # a command
if ! timeout "${EMBEDDED_TIMEOUT:-200}" ${run% -kernel} -plugin "$dir/plugin.so,trace=on,out=$dir/traces" -kernel "$dir/image" >"$dir/names" 2>&1; then
    cat "$dir/names"
    echo "FAIL ct $2 $3: ct.c ended badly"
    exit 1
fi
if [ "$(wc -l <"$dir/names")" -ne "$(wc -l <"$dir/traces")" ]; then
    echo "FAIL ct $2 $3: the plugin of this QEMU did not trace"
    exit 1
fi
paste "$dir/traces" "$dir/names" | awk -F '\t' -v where="$2 $3" '
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
            if (times[name] < 3) { print "FAIL ct " where ": " name ": tried " times[name] " times"; bad = 1 }
            else if (name ~ /^leak/) {
                if (differs) print "pass ct " where ": would see a planted " name
                else { print "FAIL ct " where ": a planted " name " was not seen"; bad = 1 }
            } else if (differs) { print "FAIL ct " where ": " name ": " differs " depend on the secret"; bad = 1 }
            else print "pass ct " where ": " name ", " size[name] " instructions"
        }
        exit bad
    }' || status=1
exit $status
