#!/bin/sh
# SPDX-License-Identifier: ISC
# What SVCONN_WIPE_FRAME wipes is enough: the frames that this compiler gives to the functions of a backend, all of one operation added up as if each called
# the next, with 24 bytes for each call and 100 for alignment, are no larger than what is wiped. Usage: sh tests/frames.sh COMPILER...
set -u
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# name of the file, names (regular expression) of functions that count, name of the function that wipes
look() {
    base=$dir/$(basename "$1" .c)
    wiped=$(awk -v name="$3" '/^[A-Za-z_0-9]+:/ { f = $1 } /wipes [$]?[0-9]+ bytes/ && f ~ name { gsub(/[^0-9]/, ""); print }' "$base.s")
    used=$(awk -F '\t' -v names="$2" '{ n = split($1, a, ":"); if (a[n] ~ names && a[n] !~ /wipe/) { s += $2 + 24 } } END { print s + 100 }' "$base.su")
    if [ "${wiped:-0}" -ge "$used" ] && [ "$used" -gt 100 ]; then echo "pass frames: $cc $level $1: $used of $wiped"
    else echo "FAIL frames: $cc $level $1: frames of $used bytes, ${wiped:-no} wiped"; fi
}

for cc in "$@"; do
    if ! echo 'int f(void) { return __builtin_cpu_supports("avx2"); }' | $cc -fstack-usage -x c -c -o "$dir/try.o" - 2>/dev/null; then
        echo "skip frames: $cc: not here, not for x86-64, or without -fstack-usage"
        continue
    fi
    for level in -O1 -O2 -O3 -Os; do
        for f in gcm_aesni gcm_vaes256 gcm_vaes512 gcm_vector128 gcm_vector256 gcm_vector512 curve25519_avx2 curve25519_ifma; do
            $cc -std=c11 -Icrypto $level -fstack-usage -S "crypto/$f.c" -o "$dir/$f.s" || echo "FAIL frames: $cc $level $f.c does not compile"
            if grep -qE 'jmp.*wipe_' "$dir/$f.s"; then echo "FAIL frames: $cc $level $f.c: a jump to what wipes: it begins too high"; fi
            case $f in
            gcm_vector*)
                look $f.c '_(crypt|xor|expand|key_stream|transpose|swap_bits|add_round_key|sub_bytes)$' wipe_frame
                look $f.c '_(hash|hash_group|powers|factor|parts|classes|seven|sum_of_products)$' wipe_hash
                ;;
            gcm_*) look $f.c '_(crypt|end|batch|hash|hash_batch|rounds|seal_in_frame|load_part|store_part|cut|reduce|add_product|hash_aad)$' wipe_frame ;;
            *)
                look $f.c '_ladder_in_frame_' wipe_frame
                look $f.c '_(base_in_frame|add_point|double_point|store|set_identity)_' wipe_frame
                ;;
            esac
        done
    done
done
