#!/bin/sh
# SPDX-License-Identifier: ISC
# What SVCONN_WIPE_FRAME wipes is enough: the frames that this compiler gives to the functions of a backend, all of one operation added up as if each called
# the next, with 24 bytes for each call and 100 for alignment, are no larger than what is wiped. Usage: sh tests/frames.sh COMPILER...
# or sh tests/frames.sh --joined NAME BASE: of all backends in one file, for which BASE.s and BASE.su were made (tests/amalgamation.sh).
set -u

# The files to look at without their ends, what to call them, names of the functions of this backend, of those of them that count, of what
# they call to wipe (regular expressions). Compilers make variants, f.constprop.0, and one function of two that wipe the same number of bytes.
look() {
    wiped=$(awk -v of="^$3" -v name="_$5" '/^[A-Za-z_][A-Za-z_0-9.]*:/ { f = $1; sub(/:.*/, "", f) }
        /wipes [$]?[0-9]+ bytes/ { gsub(/[^0-9]/, ""); bytes[f] = $0 }
        $1 ~ /^callq?$/ && f ~ of && $2 ~ name { called[$2] = 1 }
        $1 == ".set" { split($2, set, ","); other[set[1]] = set[2] }
        END { for (c in called) { n = bytes[c in other ? other[c] : c] + 0; if (least == "" || n < least) least = n } print least }' "$1.s")
    used=$(awk -F '\t' -v names="^$4([.].*)?$" '{ n = split($1, a, ":"); if (a[n] ~ names && a[n] !~ /wipe/) { s += $2 + 24 } } END { print s + 100 }' "$1.su")
    if [ "${wiped:-0}" -ge "$used" ] && [ "$used" -gt 100 ]; then echo "pass frames: $2: $used of $wiped"
    else echo "FAIL frames: $2: frames of $used bytes, ${wiped:-no} wiped"; fi
}

backend() { # BASE NAME BACKEND
    of=svconn_$3_ wide=${3#curve25519_}
    case $3 in
    gcm_vector*)
        look "$1" "$2" "$of" "$of(crypt|xor|expand|key_stream|transpose|swap_bits|add_round_key|sub_bytes)" wipe_frame
        look "$1" "$2" "$of" "$of(hash|hash_group|powers|factor|parts|classes|seven|sum_of_products)" wipe_hash
        ;;
    gcm_*)
        look "$1" "$2" "$of" "$of(crypt|end|batch|hash|hash_batch|rounds|seal_in_frame|load_part|store_part|cut|reduce|add_product|hash_aad)" wipe_frame ;;
    *)
        look "$1" "$2" "svconn_x25519_ladder_$wide" "svconn_ladder_in_frame_$wide" wipe_frame
        look "$1" "$2" "svconn_ge_base_$wide" "svconn_(base_in_frame|add_point|double_point|store|set_identity)_$wide" wipe_frame
        ;;
    esac
    if grep -qE 'jmp.*wipe_' "$1.s"; then echo "FAIL frames: $2: a jump to what wipes: it begins too high"; fi
}

backends='gcm_aesni gcm_vaes256 gcm_vaes512 gcm_vector128 gcm_vector256 gcm_vector512 curve25519_avx2 curve25519_ifma'
if [ "${1:-}" = --joined ]; then
    for f in $backends; do backend "$3" "$2, joined, $f" "$f"; done
    exit 0
fi
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
for cc in "$@"; do
    if ! echo 'int f(void) { return __builtin_cpu_supports("avx2"); }' | $cc -fstack-usage -x c -c -o "$dir/try.o" - 2>/dev/null; then
        echo "skip frames: $cc: not here, not for x86-64, or without -fstack-usage"
        continue
    fi
    for level in -O1 -O2 -O3 -Os; do
        for f in $backends; do
            $cc -std=c11 -Icrypto $level -fstack-usage -S "crypto/$f.c" -o "$dir/$f.s" || echo "FAIL frames: $cc $level $f.c does not compile"
            backend "$dir/$f" "$cc $level $f.c" "$f"
        done
    done
done
