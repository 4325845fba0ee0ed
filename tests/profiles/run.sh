#!/bin/sh
# SPDX-License-Identifier: ISC
# The switches of crypto/profile.h, one by one and as they go together. Usage: sh tests/profiles/run.sh DIRECTORY LIBRARY
# LIBRARY: the full build to compare with. DIRECTORY: for what is built here. CC, CFLAGS.
#
#   1. every profile builds without a warning, and refers to nothing of what it leaves out
#   2. with every config of every vector it does what the full build does with it, byte for byte, failures included; or, if the config asks for a
#      part that is left out, svconn_init says SVCONN_E_UNSUPPORTED
#   3. profiles talk to each other
#   4. a program that disagrees with its library about SVCONN_SMALL or SVCONN_MESSAGE_LIMIT does not link
#   5. clang and arm-none-eabi-gcc, where they are, build them too; a small session has at most 512 bytes on 32 bits
set -u
dir=$1
CC=${CC:-cc}
WARN='-Werror -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wcast-align
      -Wpointer-arith -Wwrite-strings -Wundef -Wvla'
STD='-std=c11 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -Isvc -Icrypto -Itests'

# NAME  what it leaves out (the letters of party.c)  peer_types  switches
profiles() {
    cat <<'END'
full            -     7  -DSVCONN_PORTABLE_ONLY
small           -     7  -DSVCONN_PORTABLE_ONLY -DSVCONN_SMALL
small-cpu       -     7  -DSVCONN_SMALL
small-fast-aes  -     7  -DSVCONN_PORTABLE_ONLY -DSVCONN_SMALL -DSVCONN_FAST_AES
client          s     7  -DSVCONN_PORTABLE_ONLY -DSVCONN_CLIENT_ONLY
server          c     7  -DSVCONN_PORTABLE_ONLY -DSVCONN_SERVER_ONLY
no-psk          p     5  -DSVCONN_PORTABLE_ONLY -DSVCONN_NO_PSK
no-hidden       h     7  -DSVCONN_PORTABLE_ONLY -DSVCONN_NO_HIDDEN
no-custom       a     3  -DSVCONN_PORTABLE_ONLY -DSVCONN_NO_CUSTOM
no-slices       -     7  -DSVCONN_PORTABLE_ONLY -DSVCONN_NO_SLICES
psk-custom      eh    6  -DSVCONN_PORTABLE_ONLY -DSVCONN_PSK_ONLY
psk             eha   2  -DSVCONN_PORTABLE_ONLY -DSVCONN_PSK_ONLY -DSVCONN_NO_CUSTOM
keys            pa    1  -DSVCONN_PORTABLE_ONLY -DSVCONN_NO_PSK -DSVCONN_NO_CUSTOM
key-client      sha   3  -DSVCONN_PORTABLE_ONLY -DSVCONN_SMALL -DSVCONN_CLIENT_ONLY -DSVCONN_NO_HIDDEN -DSVCONN_NO_CUSTOM
sensor-client   spha  1  -DSVCONN_PORTABLE_ONLY -DSVCONN_SMALL -DSVCONN_CLIENT_ONLY -DSVCONN_NO_PSK -DSVCONN_NO_HIDDEN -DSVCONN_NO_CUSTOM -DSVCONN_NO_SLICES
sensor-server   cpha  1  -DSVCONN_PORTABLE_ONLY -DSVCONN_SMALL -DSVCONN_SERVER_ONLY -DSVCONN_NO_PSK -DSVCONN_NO_HIDDEN -DSVCONN_NO_CUSTOM
hidden-server   cpa   1  -DSVCONN_PORTABLE_ONLY -DSVCONN_SMALL -DSVCONN_SERVER_ONLY -DSVCONN_NO_PSK -DSVCONN_NO_CUSTOM
psk-client      seha  2  -DSVCONN_PORTABLE_ONLY -DSVCONN_SMALL -DSVCONN_CLIENT_ONLY -DSVCONN_PSK_ONLY -DSVCONN_NO_CUSTOM
psk-server      ceha  2  -DSVCONN_PORTABLE_ONLY -DSVCONN_SMALL -DSVCONN_SERVER_ONLY -DSVCONN_PSK_ONLY -DSVCONN_NO_CUSTOM -DSVCONN_NO_SLICES
limit           -     -  -DSVCONN_PORTABLE_ONLY -DSVCONN_SMALL -DSVCONN_MESSAGE_LIMIT=200
END
}

# What of the switches the code in crypto/ may know: the rest is a matter of svc/, so crypto/ is built once for each value of these alone.
crypto_of() { echo "$*" | tr ' ' '\n' | grep -E '^-DSVCONN_(SMALL|FAST_AES|PORTABLE_ONLY|NO_SLICES)$' | sort | tr -dc 'A-Z_\n' | tr '\n' '.'; }

objects() { # DIRECTORY COMPILER-AND-FLAGS FILES...: one object for each
    to=$1 how=$2
    shift 2
    mkdir -p "$to" || return 1
    for f in "$@"; do
        # shellcheck disable=SC2086 # flags
        $how -c -o "$to/$(basename "$f" .c).o" "$f" || return 1
    done
}

party() { # NAME OUT-LETTERS MASK SWITCHES...: $dir/NAME/party
    name=$1
    shift 3
    d=$dir/$name
    mkdir -p "$d"
    {
        objects "$d/svc" "$CC $STD $WARN -Os -ffunction-sections $*" svc/*.c &&
            $CC $STD $WARN -O1 -g "$@" -Wl,--gc-sections -o "$d/party" tests/profiles/party.c "$d"/svc/*.o "$dir/crypto/$(crypto_of "$@")"/*.o
    } >"$d/log" 2>&1
    echo $? >"$d/status"
}

unoptimised() { # COMPILER NAME OUT-LETTERS MASK SWITCHES...: what svc/ then refers to, and nobody has
    d=$dir/$2/O0-$1
    {
        objects "$d" "$1 $STD -O0 $(shift 4; echo "$*")" svc/*.c
        nm -g --defined-only -P "$d"/*.o "$dir/crypto/$(crypto_of "$@")"/*.o | awk 'NF > 1 { print $1 }' | sort -u >"$d/defined"
        nm -u -P "$d"/*.o | awk 'NF > 1 && /svconn_/ { print $1 }' | sort -u | comm -23 - "$d/defined"
    } >"$d.log" 2>&1
}

crypto() { # SWITCHES...
    objects "$dir/crypto/$(crypto_of "$@")" "$CC $STD $WARN -O1 $*" crypto/*.c
}

if [ $# -gt 2 ]; then # one piece of the work, for xargs
    shift 2
    "$@"
    exit
fi
lib=$2
rm -rf "$dir"
mkdir -p "$dir" || exit 1
jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)}
work() { xargs -P "$jobs" -L 1 sh tests/profiles/run.sh "$dir" "$lib"; }
check() { # NAME WHAT-IS-WRONG: one line
    if [ -z "$2" ]; then echo "pass profiles: $1"; else echo "FAIL profiles: $1: $(echo "$2" | head -n 5)"; fi
}

# ---- 1. build
printf 'crypto %s\n' "-DSVCONN_PORTABLE_ONLY" "-DSVCONN_PORTABLE_ONLY -DSVCONN_SMALL" "-DSVCONN_SMALL" "-DSVCONN_PORTABLE_ONLY -DSVCONN_NO_SLICES" \
    "-DSVCONN_PORTABLE_ONLY -DSVCONN_SMALL -DSVCONN_NO_SLICES" "-DSVCONN_PORTABLE_ONLY -DSVCONN_SMALL -DSVCONN_FAST_AES" | work >"$dir/log" 2>&1
check "crypto/ builds with and without SVCONN_SMALL, SVCONN_FAST_AES and SVCONN_NO_SLICES" "$(cat "$dir/log")"
check "crypto/ knows no switch of svc/" \
    "$(grep -lE 'SVCONN_(CLIENT_ONLY|SERVER_ONLY|PSK_ONLY|NO_PSK|NO_HIDDEN|NO_CUSTOM|MESSAGE_LIMIT)' crypto/*.[ch] | grep -v /profile.h)"
profiles | sed 's/^/party /' | work
for name in $(profiles | awk '{ print $1 }'); do
    check "$name builds" "$([ "$(cat "$dir/$name/status")" = 0 ] || cat "$dir/$name/log")"
done
for cc in gcc clang; do
    command -v $cc >/dev/null 2>&1 || { echo "skip profiles: $cc -O0: no $cc here"; continue; }
    profiles | sed "s/^/unoptimised $cc /" | work
    check "every profile links without optimisation, $cc" "$(cat "$dir"/*/O0-$cc.log)"
done
# A function that the full build needs and this one must not
needs() { nm -u "$dir/$1"/svc/*.o | grep -oE "svconn_($2)[a-z0-9_]*"; }
for name in psk-custom psk psk-client psk-server; do
    check "$name refers to no Ed25519, no SHA-512" "$(needs $name 'ed25519|sha512|hidden')"
done
for name in keys no-psk sensor-client; do check "$name refers to no pre-shared key" "$(needs $name psk)"; done
check "would see a reference" "$(needs full ed25519 | grep -q . || echo "it did not")"
has() { nm "$dir/$1"/svc/handshake.o | grep -oE " $2[a-z0-9_]*"; }
for name in client sensor-client psk-client; do check "$name has no step of a SERVER" "$(has $name server_)"; done
for name in server sensor-server psk-server; do check "$name has no step of a CLIENT" "$(has $name client_)"; done
check "would see a step" "$(has client client_ | grep -q . || echo "it did not")"

# ---- 2. the vectors
# shellcheck disable=SC2086 # flags
$CC $STD $WARN -O1 -g -o "$dir/reference" tests/profiles/party.c "$lib" || exit 1
for mask in $(profiles | awk '$3 != "-" { print $3 }' | sort -u); do "$dir/reference" vectors "$mask" >"$dir/$mask.txt"; done
same() { # LETTERS-LEFT-OUT FILE-OF-THE-FULL-BUILD FILE: what is not as it must be
    [ "$(wc -l <"$2")" -gt 600 ] || echo "too few cases"
    paste -d '@' "$2" "$3" | awk -F '@' -v out="$1" '{
        split($1, full, " [|] "); split($2, mine, " [|] ")
        left = full[1] ~ ("[" out "]")
        want = left ? "unsupported" : full[3]
        if (full[2] != mine[2] || mine[3] != want || full[3] ~ /^unsupported/) print mine[2] ": " mine[3] ", not " want
    }'
}
check "the full build does what the vectors say" "$(grep 'but not as in the file' "$dir/7.txt")"
profiles | while read -r name out mask _; do
    [ "$mask" = - ] && continue
    "$dir/$name/party" vectors "$mask" >"$dir/$name/vectors" 2>&1
    check "$name: $(grep -vc '| unsupported' "$dir/$name/vectors") cases of the vectors as in the full build" "$(same "$out" "$dir/$mask.txt" "$dir/$name/vectors")"
done
sed '300s/ | [a-z-]* / | well /' "$dir/full/vectors" >"$dir/planted"
check "would see one other result" "$([ "$(same - "$dir/7.txt" "$dir/planted" | wc -l)" -eq 1 ] || echo "it did not")"
check "would see a part that is left out and should be there" "$(same - "$dir/7.txt" "$dir/client/vectors" | grep -q unsupported || echo "it did not")"
check "would see a part that is there and should be left out" "$(same s "$dir/7.txt" "$dir/full/vectors" | grep -q 'not unsupported' || echo "it did not")"

# ---- 3. talk
mkfifo "$dir/up" "$dir/down"
talk() { # CLIENT SERVER WANT "OWN MASK" "OWN MASK" MODE LENGTH [SERVER'S MODE]: WANT: what each says
    # shellcheck disable=SC2086 # two words
    timeout 30 "$dir/$1/party" talk client $4 "$6" "$7" <"$dir/down" >"$dir/up" 2>"$dir/client.says" &
    # shellcheck disable=SC2086
    timeout 30 "$dir/$2/party" talk server $5 "${8:-$6}" "$7" >"$dir/down" <"$dir/up" 2>"$dir/server.says"
    wait $!
    said="$(cat "$dir/client.says")/$(cat "$dir/server.says")"
    check "$1 and $2: $4, $5, $6, $7 bytes: $3" "$([ "$said" = "$3" ] || echo "they said $said")"
}
talk client server well/well "e 7" "e 7" open 1000
talk server client unsupported/unsupported "e 7" "e 7" open 1000
talk sensor-client sensor-server well/well "e 0" "e 0" open 200
talk sensor-client full well/well "e 1" "e 7" open 60000
talk full sensor-server well/well "e 7" "e 1" open 60000
talk sensor-client full type/aborted "e 1" "p 7" open 10
talk full sensor-server aborted/type "p 7" "e 1" open 10
talk full sensor-server aborted/type "a 7" "e 1" open 10
talk small full well/well "a 7" "p 7" open 70
talk full small well/well "p 7" "a 7" open 70
talk small-cpu small well/well "e 7" "a 7" open 65535
talk small small-cpu well/well "e 7" "e 7" hidden 65535
talk small-fast-aes small well/well "e 7" "e 7" open 65535
talk psk-client psk-server well/well "p 0" "p 0" open 5
talk psk-client full well/well "p 0" "p 0" open 5
talk full psk-server well/well "p 0" "p 0" open 5
talk psk psk-custom type/aborted "p 0" "a 2" open 5
talk psk-custom full well/well "a 2" "p 7" open 5
talk full psk-server aborted/type "e 7" "p 0" open 5
talk psk full type/aborted "p 0" "e 7" open 5
talk psk sensor-server type/aborted "p 2" "e 1" open 5
talk full hidden-server well/well "e 1" "e 1" hidden 300
talk keys hidden-server well/well "e 1" "e 1" hidden 300
talk no-hidden hidden-server unknown/aborted "e 1" "e 1" open 300 hidden
talk sensor-client hidden-server unknown/aborted "e 1" "e 1" open 300 hidden
talk no-hidden full unsupported/absent "e 1" "e 1" hidden 300
talk keys no-hidden absent/unsupported "e 1" "e 1" hidden 300
talk limit full well/well "e 7" "e 7" open 200
talk limit full size/truncated "e 7" "e 7" open 201
talk full limit aborted/limit "e 7" "e 7" open 201

# ---- 4. who disagrees about SVCONN_SMALL or SVCONN_MESSAGE_LIMIT
disagree() { # NAME-OF-THE-LIBRARY SWITCHES-OF-THE-PROGRAM
    # shellcheck disable=SC2086 # flags
    if $CC $STD $2 -o "$dir/disagree" tests/profiles/party.c "$dir/$1"/svc/*.o "$3"/*.o 2>"$dir/log"; then echo "it links"
    elif ! grep -q 'svconn_init' "$dir/log"; then cat "$dir/log"; fi
}
small_crypto=$dir/crypto/$(crypto_of -DSVCONN_PORTABLE_ONLY -DSVCONN_SMALL)
check "a program without SVCONN_SMALL does not link with a small library" "$(disagree small "" "$small_crypto")"
check "a program with SVCONN_SMALL does not link with another library" "$(disagree full -DSVCONN_SMALL "$dir/crypto/$(crypto_of -DSVCONN_PORTABLE_ONLY)")"
check "a program without SVCONN_MESSAGE_LIMIT does not link with a library that has it" "$(disagree limit -DSVCONN_SMALL "$small_crypto")"
check "a program with another one does not" "$(disagree limit "-DSVCONN_SMALL -DSVCONN_MESSAGE_LIMIT=201" "$small_crypto")"
check "a program with SVCONN_MESSAGE_LIMIT does not link with another library" "$(disagree full -DSVCONN_MESSAGE_LIMIT=200 "$dir/crypto/$(crypto_of -DSVCONN_PORTABLE_ONLY)")"
check "one that agrees about it does" "$([ "$(disagree limit "-DSVCONN_SMALL -DSVCONN_MESSAGE_LIMIT=200" "$small_crypto")" = "it links" ] || echo "it does not")"
check "one that agrees does" "$([ "$(disagree full "" "$dir/crypto/$(crypto_of -DSVCONN_PORTABLE_ONLY)")" = "it links" ] || echo "it does not")"

# ---- 5. other compilers
few() { profiles | grep -E '^(small|keys|limit|psk-server|sensor-client) '; }
if command -v clang >/dev/null 2>&1; then
    few | while read -r name _ _ switches; do
        check "$name builds with clang" "$(objects "$dir/clang" "clang $STD $WARN -Os $switches" svc/*.c crypto/gcm.c crypto/*_small.c 2>&1)"
    done
else echo "skip profiles with clang: not installed"; fi
if command -v arm-none-eabi-gcc >/dev/null 2>&1; then
    # The four functions that the core needs; there need not be a C library.
    mkdir -p "$dir/include"
    cat >"$dir/include/string.h" <<'END'
#include <stddef.h>
void *memcpy(void *restrict, const void *restrict, size_t), *memmove(void *, const void *, size_t), *memset(void *, int, size_t);
int memcmp(const void *, const void *, size_t);
END
    arm="arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -Os -isystem $dir/include $STD $WARN"
    few | while read -r name _ _ switches; do
        check "$name builds for Cortex-M4" "$(objects "$dir/arm/$name" "$arm $switches" svc/*.c crypto/gcm.c crypto/*_small.c 2>&1)"
    done
    # The core's inline assembler goes by what an instruction set has, also where no board of tests/embedded has that set.
    for cpu in arm926ej-s arm1136j-s cortex-a8; do # ARMv5TE, ARMv6, ARMv7-A
        check "small builds for $cpu" "$(objects "$dir/arm/$cpu" "$arm -mcpu=$cpu -marm -DSVCONN_SMALL" crypto/*_small.c 2>&1)"
    done
    sizes() { # BYTES SWITCHES: is a session at most so large?
        printf '#include "svconn.h"\ntypedef char fits[sizeof(svconn) <= %d ? 1 : -1];\n' "$1" | $arm "$2" -fsyntax-only -x c - 2>&1
    }
    check "a small session has at most 512 bytes on Cortex-M4" "$(sizes 512 -DSVCONN_SMALL)"
    check "would see a larger one" "$([ "$(sizes 512 -UNOTHING)" ] || echo "it did not")"
else echo "skip profiles for Cortex-M4: no arm-none-eabi-gcc here (Debian: gcc-arm-none-eabi)"; fi
