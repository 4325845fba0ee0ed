#!/bin/sh
# SPDX-License-Identifier: ISC
# What the library costs on a chip with these flags: one line "NAME VALUE" for each number, and at the end which of those of budget.tsv
# these flags do not have, and why. docs/embedded.md says what they are.
# Usage: sh tests/embedded/count.sh m0|m3|m4|rv32 [CFLAGS]      (default -Os; switches of crypto/profile.h may be among them)
set -u
. tests/embedded/targets.sh
case " $CHIPS " in
*" ${1:-} "*) ;;
*) echo "usage: sh tests/embedded/count.sh TARGET [CFLAGS]      TARGET is one of: $CHIPS" >&2; exit 2 ;;
esac
target "$1"
flags=${2:--Os}
dir=${EMBEDDED_DIR:-build/embedded}/count/$1-$(echo "$flags" | tr -c 'A-Za-z0-9\n' _)
have_target count || exit 0
python=${PYTHON:-python3}
rm -rf "$dir"
mkdir -p "$dir"
exec 3>&1 >"$dir/printed"
trap 'cat "$dir/printed" >&3' EXIT
die() { echo "FAIL count $name $flags: $*"; exit 1; }

echo "# flash_, ram_, stack_: bytes.   insns_: instructions executed (a cycle or more each), insns_..._per_byte: for each byte of a long message"
echo "gcc $("${prefix}gcc" -dumpfullversion)"

# ---- flash: an image that has these functions, less one that has only mem.c. The library is svconn.c, with nothing of its inside to be seen;
# where a row is about a primitive, with the primitives to be called.
printf '#include "board.h"\nint image_main(void) { return 0; }\n' >"$dir/empty.c"
link_all=$link
flash_of() { # OBJECTS FUNCTION...
    objects=$1
    shift
    link=$link_all
    for f in memcpy memmove memset memcmp "$@"; do link="$link -Wl,-u,$f"; done
    build_image "$dir/image" "$objects" "$flags" "$dir/empty.c" || die "does not link"
    link=$link_all
    # shellcheck disable=SC2046 # numbers
    set -- $("${prefix}size" "$dir/image" | tail -n 1)
    echo $(($1 + $2))
}
present() { # OBJECTS FUNCTION...: those that this build has, by the names that its switches give them
    "${prefix}nm" --defined-only -P "$1"/*.o | awk '{ print $1 }' >"$dir/present"
    shift
    # shellcheck disable=SC2086 # lists of flags
    for f in $(printf '#include "svconn.h"\nNAMES %s\n' "$*" | ${prefix}gcc $CODE $arch $flags -Isvc -E -P -x c - | sed -n 's/^NAMES //p'); do
        if grep -qx "$f" "$dir/present"; then echo "$f"; fi
    done
}
flash() { # NAME OBJECTS FUNCTION...
    row=$1
    shift
    # shellcheck disable=SC2046 # names
    set -- "$1" $(present "$@")
    if [ $# -eq 1 ]; then return; fi # switched off
    n=$(flash_of "$@") || { echo "$n"; exit 1; }
    echo "flash_$row $((n - empty))"
}

common='svconn_init svconn_wipe svconn_status svconn_error svconn_peer svconn_accept svconn_refuse svconn_wire_in svconn_wire_eof svconn_wire_out
        svconn_wire_sent svconn_tick svconn_send svconn_recv svconn_recv_done svconn_close svconn_abort svconn_identity_wipe'
key='svconn_identity_ed25519 svconn_accept_known'
psk='svconn_identity_psk'
rest='svconn_identity_custom svconn_identity_bytes svconn_give_psk svconn_init_sliced svconn_work svconn_proof_message svconn_prove svconn_peer_proof svconn_wire_space svconn_wire_filled
      svconn_renew svconn_seal svconn_open svconn_export svconn_authenticator svconn_fingerprint svconn_key_ids'
one_key='-DSVCONN_NO_PSK -DSVCONN_NO_CUSTOM -DSVCONN_NO_HIDDEN -DSVCONN_NO_SLICES'
case $flags in *-DSVCONN_*_ONLY* | *-DSVCONN_NO_*) parts= ;; *) parts=yes ;; esac # flags that leave something out: all of that, and nothing less
all=${EMBEDDED_LIBRARY:-$dir/all}
primitives=$all-open
build_library "$all" "$flags" && build_library "$primitives" "$flags $open" || die "does not build"
if [ "$parts" ]; then
    build_library "$dir/client" "$flags $one_key -DSVCONN_CLIENT_ONLY" || die "does not build"
    build_library "$dir/server" "$flags $one_key -DSVCONN_SERVER_ONLY" || die "does not build"
    build_library "$dir/psk" "$flags -DSVCONN_PSK_ONLY -DSVCONN_CLIENT_ONLY -DSVCONN_NO_CUSTOM -DSVCONN_NO_SLICES" || die "does not build"
fi
empty=$(flash_of "$all") || { echo "$empty"; exit 1; }
# shellcheck disable=SC2086 # lists of functions
{
    flash x25519 "$primitives" svconn_x25519
    flash ed25519_verify "$primitives" svconn_ed25519_verify
    flash ed25519_sign "$primitives" svconn_ed25519_public svconn_ed25519_sign
    flash aes_256_gcm "$primitives" svconn_gcm_init svconn_gcm_seal svconn_gcm_open
    flash sha256 "$primitives" svconn_sha256_init svconn_sha256_update svconn_sha256_final
    if [ "$parts" ]; then
        flash client_key "$dir/client" $common $key
        flash server_key "$dir/server" $common $key
        flash client_psk "$dir/psk" $common $psk
    fi
    flash all "$all" $common $key $psk $rest
    flash all_and_texts "$all" $common $key $psk $rest svconn_strerror svconn_reason_name
}

# ---- memory
echo "ram_static $("${prefix}size" "$all"/*.o | awk 'NR > 1 { n += $2 + $3 } END { print n + 0 }')"
cat >"$dir/sizes.c" <<'C'
#include "svconn.h"
char size_session[sizeof(svconn)], size_identity[sizeof(svconn_identity)], size_config[sizeof(svconn_config)], size_workspace[sizeof(svconn_workspace)];
C
# shellcheck disable=SC2086 # lists of flags
${prefix}gcc $CODE $arch $flags -Isvc -Icrypto -c -o "$dir/sizes.o" "$dir/sizes.c" || die "does not build"
for what in session identity config workspace; do
    printf 'ram_%s %d\n' $what "0x$("${prefix}nm" -S "$dir/sizes.o" | awk -v s=size_$what '$4 == s { print $2 }')"
done

# ---- stack, computed
session=svconn_init,svconn_init_sliced,svconn_work,svconn_wire_in,svconn_accept,svconn_refuse
stack() { # OBJECTS NAME=FUNCTIONS...
    objects=$1 roots=
    shift
    for root in "$@"; do
        # shellcheck disable=SC2046 # names
        functions=$(present "$objects" $(echo "${root#*=}" | tr , ' '))
        if [ -n "$functions" ]; then roots="$roots ${root%%=*}=$(echo "$functions" | paste -sd , -)"; fi
    done
    # shellcheck disable=SC2086 # names
    if ! "$python" $here/stack.py $roots -- "$objects"/*.ci >"$dir/stack" 2>"$dir/log"; then
        cat "$dir/log"
        die "the stack has no bound"
    fi
    awk '!/^#/ { print "stack_bound_" $1, $2 }' "$dir/stack"
    sed "s|^|${objects##*/}: |" "$dir/stack" >>"$dir/chains" # who calls whom, for those who want to know
}
stack "$primitives" x25519=svconn_x25519 ed25519_keygen=svconn_ed25519_public ed25519_sign=svconn_ed25519_sign ed25519_verify=svconn_ed25519_verify
stack "$all" seal=svconn_seal open=svconn_open send=svconn_send receive=svconn_wire_in,svconn_recv,svconn_recv_done handshake=$session
if [ "$parts" ]; then
    stack "$dir/client" client_key=$session
    stack "$dir/server" server_key=$session
    stack "$dir/psk" client_psk=$session
fi

# ---- stack and instructions, measured
build_plugin "$dir/plugin.so" count || exit 3
measure() { # OBJECTS WHAT
    (build_image "$dir/measure" "$1" "$flags -DMEASURE_$2" $here/measure.c) || die "measure.c does not build"
    rm -f "$dir/counts"
    # shellcheck disable=SC2086 # a command
    timeout 300 ${run% -kernel} -plugin "$dir/plugin.so,out=$dir/counts" -kernel "$dir/measure" >"$dir/rows" 2>&1 || { cat "$dir/rows"; die "measure.c ended badly"; }
    [ "$(wc -l <"$dir/rows")" -eq "$(wc -l <"$dir/counts")" ] || die "the plugin of this QEMU did not count"
    paste -d ' ' "$dir/rows" "$dir/counts" >>"$dir/measured"
}
measure "$primitives" PRIMITIVES
measure "$all" SESSIONS
awk '
    $1 == "nothing" { nothing = $3; next }
    $1 == "slice" { if ($3 - nothing > longest) longest = $3 - nothing; slices++; next }
    { count[$1] = $3 - nothing; name[++n] = $1; stack[$1] = $2 }
    END {
        for (i = 1; i <= n; i++) {
            row = name[i]
            if (row ~ /^(key|psk)_/) sub(/_[0-9]$/, "", row) # the deepest of its steps
            else if (row !~ /^(x25519|ed25519.*|(gcm_seal|gcm_open|seal|open)\/64)$/) continue
            if (!(row in deepest)) rows[++r] = row
            if (stack[name[i]] > deepest[row]) deepest[row] = stack[name[i]]
        }
        for (i = 1; i <= r; i++) print "stack_" rows[i], deepest[rows[i]]
        for (i = 1; i <= n; i++) print "insns_" name[i], count[name[i]]
        split("key psk", kinds)
        for (k = 1; k <= 2; k++) {
            c = kinds[k] "_client_"; s = kinds[k] "_server_"
            if (!((c 1) in count)) continue
            print "insns_" kinds[k] "_client", count[c 1] + count[c 2] + count[c 3]
            print "insns_" kinds[k] "_server", count[s 1] + count[s 2]
        }
        if (slices) { print "insns_longest_slice", longest; print "slices_of_one_unit", slices }
        split("gcm_seal sha256 seal open", per)
        for (i = 1; i <= 4; i++) {
            p = per[i]
            if ((p "/1088") in count) printf "insns_%s_per_byte %.1f\n", p, (count[p "/1088"] - count[p "/64"]) / 1024
        }
    }' "$dir/measured"

# ---- what of the table is missing here
absent() { # WHY EXPRESSION
    awk -v rows="$2" 'NR == FNR { there[$1] = 1; next } !/^#/ && $1 != "row" && !($1 in there) && $1 ~ rows { print $1 }' \
        "$dir/printed" $here/budget.tsv >"$dir/absent"
    if [ -s "$dir/absent" ]; then printf '# %s\n' "$1" "$(tr '\n' ' ' <"$dir/absent" | fold -s -w 120)" | sed 's/^\([^#]\)/# \1/'; fi
}
absent "not here: these flags leave something out already, and flash_all and stack_bound_handshake are what is left" '^(flash|stack_bound)_(client|server)_'
absent "not here: these flags leave out what it is about" '^(flash|stack_bound)_[^cs]|ed25519'
absent "not measured: that takes both roles in one image, the kind, and messages of 1088 bytes; leave the switches away that leave it out" '^(stack|insns)_[^be]'
