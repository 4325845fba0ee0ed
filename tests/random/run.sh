#!/bin/sh
# SPDX-License-Identifier: ISC
# The recipes of docs/randomness.md, taken out of the page, compiled and tried on stand-ins for their systems. Usage: sh tests/random/run.sh DIRECTORY
set -u
cd "$(dirname "$0")/../.." || exit 1
mkdir -p "$1"
dir=$(cd "$1" && pwd)/random CC=${CC:-cc}
rm -rf "$dir"
mkdir -p "$dir"
awk -v dir="$dir" '/^<!-- recipe: / { name = $3; next } name && /^```c$/ { on = 1; next } on && /^```$/ { on = 0; name = ""; next } on { print >(dir "/" name ".h") }' docs/randomness.md

compile() { # OUTPUT PROGRAM RECIPE FLAGS...
    out=$1 program=$2 recipe=$3
    shift 3
    $CC -std=gnu11 -D_DEFAULT_SOURCE -Wall -Wextra -Wconversion -Wno-unused-function -Werror "$@" "-DRECIPE=\"$recipe\"" -o "$out" "$program" 2>"$dir/log"
}
build() { # NAME HEADERS FAILURES ON
    compile "$dir/$1" tests/random/recipe.c "$dir/$1.h" "-Itests/random/$2" -Itests/random -DFAILURES="$3" -DFAKE_ON="$4"
}
recipe() { # NAME HEADERS FAILURES ON: how many ways to fail its stand-in has; 1 if what the source needs is on already
    if build "$@" && "$dir/$1" >"$dir/log"; then echo "pass randomness: $1"; else head -n 20 "$dir/log"; echo "FAIL randomness: $1"; fi
}
recipe linux linux 1 0
recipe apple apple 1 0
recipe windows windows 1 0
recipe zephyr zephyr 1 0
recipe esp32-rf esp32 0 1
recipe esp32 esp32 0 0
recipe psa psa 2 0
recipe nrf52 nrf52 1 0
recipe stm32 stm32 5 0
recipe pico pico 0 0
if echo 'void arc4random_buf(void *, __SIZE_TYPE__); int main(void) { char c; arc4random_buf(&c, 0); return 0; }' | $CC -x c -o /dev/null - 2>/dev/null; then
    # the real thing: a byte may be zero, so it is only run
    if compile "$dir/android" tests/random/real.c "$dir/android.h" && "$dir/android"; then echo "pass randomness: android"; else echo "FAIL randomness: android"; fi
else echo "skip randomness android: no arc4random_buf in this C library"; fi
if compile "$dir/real" tests/random/real.c "$dir/linux.h" && "$dir/real"; then echo "pass randomness: linux, for real"; else echo "FAIL randomness: linux, for real"; fi
core="-Isvc -Icrypto svc/seed.c crypto/sha256.c crypto/cpu.c -DSVCONN_PORTABLE_ONLY" # of which the recipes see svconn.h
# shellcheck disable=SC2086 # flags
flash() { compile "$dir/flash" tests/random/flash.c "$1" $core; }
if flash "$dir/flash.h" && "$dir/flash" >"$dir/log"; then echo "pass randomness: a secret in flash"
else head -n 20 "$dir/log"; echo "FAIL randomness: a secret in flash"; fi
# shellcheck disable=SC2086 # flags
hashed() { # on that of STM32, by its other name
    { sed 's/board_random/raw_random/' "$dir/stm32.h" && cat "$1"; } >"$dir/both.h"
    compile "$dir/hashed" tests/random/recipe.c "$dir/both.h" -Itests/random/stm32 -Itests/random -DFAILURES=5 -DFAKE_ON=0 -DHASHED $core && "$dir/hashed" >"$dir/log"
}
if hashed "$dir/hashed.h"; then echo "pass randomness: hashed"; else head -n 20 "$dir/log"; echo "FAIL randomness: hashed"; fi
if grep -l '"crypto.h"\|svconn_sha256\|svconn_hkdf' "$dir"/*.h; then echo "FAIL randomness: a recipe wants more than svconn.h"; else echo "pass randomness: svconn.h is enough"; fi

n=$(grep -c '^<!-- recipe: ' docs/randomness.md)
if [ "$n" -eq 13 ]; then echo "pass randomness: every recipe was tried"; else echo "FAIL randomness: $n recipes in the page, 13 were tried"; fi

# Planted: each must be found
plant() { # RECIPE FAILURES ON WHAT SED-EXPRESSION
    sed "$5" "$dir/$1.h" >"$dir/planted.h"
    if cmp -s "$dir/$1.h" "$dir/planted.h" || ! build planted "$1" "$2" "$3" || "$dir/planted" >"$dir/log"; then echo "FAIL randomness: a planted defect was missed: $1: $4"
    else echo "pass randomness: would catch $1: $4"; fi
}
plant linux 1 0 "a failure that is not told" 's/return -1/return 0/'
plant apple 1 0 "a result that nobody looks at" 's/== errSecSuccess/!= 12345/'
plant windows 1 0 "another generator" 's/BCRYPT_USE_SYSTEM_PREFERRED_RNG/0/'
plant psa 2 0 "no initialisation" 's/psa_crypto_init() == PSA_SUCCESS && //'
plant zephyr 1 0 "bytes that are left" 's/memset(out, 0, len);//'
plant esp32 0 0 "a source that is not switched on" 's/bootloader_random_enable();//'
plant stm32 5 0 "a seed error that nobody looks at" 's/RNG_SR_SECS | //'
plant stm32 5 0 "a clock error that nobody looks at" 's/RNG_SR_CECS | //'
plant stm32 5 0 "an error during the draw" 's/ && (hrng.Instance->SR & bad) == 0;/;/'
plant stm32 5 0 "a word that repeats" 's/word != before && //'
plant nrf52 1 0 "no bias correction" 's/CONFIG = 1/CONFIG = 0/'
plant pico 0 0 "an end that is not drawn" 's/at < len;/at + 16 < len;/'
sed 's/    if (bad || flash_write(!now, next).*$/    (void)0;/' "$dir/flash.h" >"$dir/planted.h"
if cmp -s "$dir/flash.h" "$dir/planted.h" || ! flash "$dir/planted.h" || "$dir/flash" >"$dir/log"; then
    echo "FAIL randomness: a planted defect was missed: a secret that is not replaced"
else echo "pass randomness: would catch a secret that is not replaced"; fi
sed 's/ || svconn_seed_check(hash, draws)//' "$dir/hashed.h" >"$dir/planted.h"
if cmp -s "$dir/hashed.h" "$dir/planted.h" || hashed "$dir/planted.h"; then echo "FAIL randomness: a planted defect was missed: nothing is hashed"
else echo "pass randomness: would catch a hash that is not made"; fi
