#!/bin/sh
# SPDX-License-Identifier: ISC
# The library in two files (dist/, made by `make amalgamation`). Usage: sh tests/amalgamation.sh PART [...]
#
#   bytes                the same bytes by every awk, in another directory, locale and umask; and what the list of files must not be
#   warnings COMPILER    none, with the warnings of the Makefile (WARN), for every switch; what wipes frames (tests/frames.sh) wipes enough
#   machines             the same for other machines: those whose compilers are here
#   header               public headers as C99, C11 and C++11, svconn.c in a C++ program
#   app DIRECTORY        somebody else's program: copied files, one command
#   inside COMPILER      svconn.o exports what svconn.h declares, and what crypto.h declares where there is POSIX, and nothing else
#   names OBJECT...      svconn_transport.o asks the core for what svconn.h and crypto.h declare, and exports svconn_ names
set -u
CC=${CC:-cc} CXX=${CXX:-c++}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
good() { echo "pass amalgamation: $*"; }
bad() { echo "FAIL amalgamation: $*"; }
have() { command -v "${1%% *}" >/dev/null 2>&1; }
must() { # NAME COMMAND...: without a word
    name=$1
    shift
    if "$@" >"$tmp/log" 2>&1 && [ ! -s "$tmp/log" ]; then good "$name"
    else
        head -n 20 "$tmp/log"
        bad "$name"
    fi
}

bytes() {
    sum() { (cd "$1" && cat svconn.h svconn.c svconn_transport.h svconn_transport.c | cksum); }
    join() { sh packaging/amalgamation/make.sh "$@"; }
    want=$(sum dist)
    same() { if [ "$(sum "$2")" = "$want" ]; then good "the same bytes $1"; else bad "other bytes $1"; fi; }
    for awk in awk mawk gawk "gawk --posix" original-awk "busybox awk"; do
        if ! have "$awk"; then echo "skip amalgamation: no ${awk%% *} here"; continue; fi
        rm -rf "$tmp/out"
        AWK=$awk join "$tmp/out" && same "by $awk" "$tmp/out"
    done
    (umask 077 && TZ=Asia/Tokyo LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8 join "$tmp/masked/further") && same "with another umask, locale and time zone" "$tmp/masked/further"
    # As from a tarball: no .git, and what `make dist` writes down
    copy="$tmp/a b/svconn"
    mkdir -p "$copy/packaging"
    cp -R crypto svc transport LICENSE "$copy/" && cp -R packaging/amalgamation "$copy/packaging/"
    sed -n 's/^ \* \(Version .*\)\. Made of .*/\1/p' dist/svconn.c >"$copy/packaging/amalgamation/origin"
    sh "$copy/packaging/amalgamation/make.sh" "$copy/dist" && same "from another directory" "$copy/dist"
    if grep -E '^ *# *include *"' dist/svconn.h dist/svconn.c dist/svconn_transport.h dist/svconn_transport.c | grep -vE '"svconn(_transport)?\.h"$'; then
        bad "an include of ours is left"
    else good "no include of ours is left"; fi
    if grep -n "$(printf '\r')" dist/svconn*.[ch] || grep -nF "$PWD" dist/svconn*.[ch]; then bad "a path of this machine, or a carriage return"
    else good "no path of this machine"; fi

    # What must not pass
    order=packaging/amalgamation/order
    refuse() { # WHAT COMMANDS: changes the copy
        rm -rf "$tmp/try"
        cp -R "$copy" "$tmp/try"
        if ! (cd "$tmp/try" && eval "$2"); then bad "cannot try: $1"
        elif sh "$tmp/try/packaging/amalgamation/make.sh" "$tmp/try/new" >"$tmp/log" 2>&1; then bad "was not refused: $1"
        elif [ -e "$tmp/try/new/svconn.c" ] || ! grep -q '^amalgamation: ' "$tmp/log"; then
            cat "$tmp/log"
            bad "refused, but how: $1"
        else good "refuses $1"; fi
    }
    edit() { sed "$1" $order >edited && ! cmp -s edited $order && mv edited $order; }
    refuse "a source that is not in the list" 'echo "int x;" >crypto/new.c'
    refuse "a header that is not in the list" 'echo >transport/new.h'
    refuse "a file that is gone" 'rm svc/wire.c'
    refuse "a line that is missing" 'edit "/ghash\.c/d"'
    refuse "a file that is there twice" 'edit "s,^put crypto/hkdf\.c,&\n&,"'
    refuse "a header behind its user" 'edit "/put svc.keys\.h/d; s,^put svc/channel\.c,put svc/keys.h\n&,"'
    refuse "a part that nobody includes" 'edit "s,put svc/export\.c,part svc/export.c,"'
    refuse "a word that means nothing" 'edit "s/^put svc.export/putt svc\/export/"'
    refuse "a header of an output that is not used" 'edit "/^use svconn\.h/d"'
    refuse "an include of a file that is not ours" 'echo "#include \"elsewhere.h\"" >>svc/export.c'
    refuse "a file that includes itself" 'echo "#include \"gcm_x86.h\"" >>crypto/gcm_x86.h'
    refuse "a macro of a source under the name of one of a header" 'echo "#define CT_GNU" >>svc/export.c'
}

# The switches of crypto/profile.h, each alone: what a switch leaves without a user is told here
switches='SVCONN_FORCE_32 SVCONN_NARROW_MUL SVCONN_SMALL SVCONN_CLIENT_ONLY SVCONN_SERVER_ONLY SVCONN_PSK_ONLY SVCONN_NO_PSK
          SVCONN_NO_HIDDEN SVCONN_NO_CUSTOM SVCONN_NO_SLICES'

warnings() { # COMPILER
    cc=$1
    if ! have "$cc"; then echo "skip amalgamation: no $cc here"; return; fi
    # shellcheck disable=SC2086 # flags
    strict() { "$cc" -std=c11 $WARN -Werror -Idist "$@"; }
    for level in -Os -O3; do
        must "svconn.c, $cc $level" strict $level -fstack-usage -S -o "$tmp/svconn.s" dist/svconn.c
        sh tests/frames.sh --joined "$cc $level" "$tmp/svconn"
    done
    must "svconn_transport.c, $cc" strict -O2 -c -o "$tmp/t.o" dist/svconn_transport.c
    for s in SVCONN_FORCE_32 SVCONN_SMALL "SVCONN_SMALL -DSVCONN_FAST_AES"; do must "svconn.c, $cc -D$s" strict -D$s -fsyntax-only dist/svconn.c; done
    # (gcc tells of unused functions only if it compiles: fast without the backends. Without POSIX all of the inside is static.)
    strict_portable() { strict -DSVCONN_PORTABLE_ONLY -U__unix__ -U__APPLE__ -O0 -c -o "$tmp/p.o" "$@"; }
    must "svconn.c, $cc -DSVCONN_PORTABLE_ONLY" strict_portable dist/svconn.c
    for s in $switches; do must "svconn.c, $cc -DSVCONN_PORTABLE_ONLY -D$s" strict_portable "-D$s" dist/svconn.c; done
    # A check must be able to fail
    { cat dist/svconn.c && echo 'static int planted(int x) { return x; }'; } >"$tmp/planted.c"
    if strict_portable "$tmp/planted.c" 2>/dev/null; then bad "$cc: a planted warning was not seen"; else good "$cc would tell of a warning"; fi
}

machines() {
    while read -r flags; do
        cc=${flags%% *}
        if ! have "$cc" || ! echo '#include <string.h>' | $flags -x c -fsyntax-only - 2>/dev/null; then
            echo "skip amalgamation: $flags: not here"
            continue
        fi
        # shellcheck disable=SC2086 # flags
        must "svconn.c, $flags" $flags -std=c11 $WARN -Werror -Idist -c -o "$tmp/m.o" dist/svconn.c
    done <<END
gcc -O2 -m32 -idirafter /usr/include/$(gcc -print-multiarch 2>/dev/null)
aarch64-linux-gnu-gcc -O1
aarch64-linux-gnu-gcc -O1 -march=armv8-a+crypto
s390x-linux-gnu-gcc -O1
END
}

header() {
    for h in svconn.h svconn_transport.h; do
        printf '#include "%s"\n#include "%s"\nint main(void) { return sizeof(svconn) == 0; }\n' $h $h >"$tmp/h.c"
        cp "$tmp/h.c" "$tmp/h.cc"
        flags='-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wundef -Werror -fsyntax-only -D_POSIX_C_SOURCE=200809L'
        # shellcheck disable=SC2086 # flags
        for std in c99 c11; do must "$h as $std" "$CC" -std=$std $flags -Idist "$tmp/h.c"; done
        if ! have "$CXX"; then echo "skip amalgamation: no $CXX here"; continue; fi
        # shellcheck disable=SC2086 # flags
        must "$h as C++11" "$CXX" -std=c++11 $flags -Idist "$tmp/h.cc"
    done
    # The source itself, as a part of a C++ program
    for cxx in g++ clang++; do
        if ! have $cxx; then echo "skip amalgamation: no $cxx here"; continue; fi
        for std in c++11 c++20; do must "svconn.c in C++, $cxx -std=$std" $cxx -x c++ -std=$std -O1 -Wall -Wextra -Idist -include string -c -o "$tmp/h.o" dist/svconn.c; done
        if nm -g --defined-only -P "$tmp/h.o" | grep -v '^svconn_' >"$tmp/names"; then bad "$cxx svconn.c: a name that C has not: $(head -n 1 "$tmp/names")"
        else good "$cxx svconn.c: the names of C"; fi
        if $cxx -x c++ -Idist -fsyntax-only dist/svconn_transport.c 2>&1 | grep -q 'svconn_transport.c is C'; then good "$cxx svconn_transport.c says that it is C"
        else bad "$cxx svconn_transport.c does not say that it is C"; fi
    done
}

app() { # DIRECTORY with the program and the wire
    # The examples as somebody else would have them: their files and ours in one directory, one command, no flags
    mkdir -p "$tmp/app" "$tmp/build/examples" "$tmp/build/tests/serial"
    cp dist/svconn.h dist/svconn.c dist/svconn_transport.h dist/svconn_transport.c examples/*.c "$tmp/app/"
    cp transport/svconn_line.h transport/line.c "$tmp/app/" # for a board: no POSIX there
    cd "$tmp/app" || exit 1
    must "one command: server.c" "$CC" -o ../build/examples/server server.c svconn.c svconn_transport.c
    "$CC" -c svconn.c svconn_transport.c && must "object files: client.c" "$CC" -o ../build/examples/client client.c svconn.o svconn_transport.o
    must "one command: gatt.c, without the transport" "$CC" -Os -DSVCONN_PORTABLE_ONLY -o ../build/examples/gatt gatt.c svconn.c
    must "one command: board.c, without the transport" "$CC" -O3 -o ../build/examples/board board.c svconn.c line.c
    printf '#include <iostream>\n#include "svconn.h"\nint main() { std::cout << svconn_strerror(SVCONN_OK) << std::endl; }\n' >header.cc
    cat >source.cc <<'END'
#include <iostream>
#include "svconn.c"
int main() {
    uint8_t digest[32], key[32];
    svconn_sha256_ctx c;
    svconn_sha256_init(&c);
    svconn_sha256_update(&c, reinterpret_cast<const uint8_t *>("abc"), 3);
    svconn_sha256_final(&c, digest);
    svconn_x25519_public(key, digest);
    for (uint8_t b : key) std::cout << std::hex << (b >> 4) << (b & 15);
}
END
    answer=e5c2cb082741261a06ad9f6ac929ad37f066f1cdb7f71e24e98b268e81b66816 # by another implementation (pyca/cryptography)
    if have "$CXX"; then
        must "a C++ program with svconn.h, and svconn.o of a C compiler" "$CXX" -std=c++11 -o header header.cc svconn.o
        must "a C++ program that includes svconn.c" "$CXX" -std=c++11 -o source source.cc
        sed 's/#include "svconn.c"/extern "C" {\n&\n}/' source.cc >wrapped.cc
        must "and one that wraps it" "$CXX" -std=c++11 -fsyntax-only wrapped.cc
        must "one command: C++" "$CXX" -o header header.cc svconn.c
        if [ "$(./header)" = "All is well." ] && [ "$(./source)" = $answer ]; then good "and both work"; else bad "the C++ programs say: $(./header) $(./source)"; fi
    else echo "skip amalgamation: no $CXX here"; fi
    cd - >/dev/null || exit 1
    cp "$1/svconn" "$tmp/build/svconn" && cp "$1/../tests/serial/wire" "$tmp/build/tests/serial/wire" && sh tests/examples.sh "$tmp/build/examples"
}

inside() { # COMPILER
    cc=$1
    if ! have "$cc" || ! have nm; then echo "skip amalgamation: no $cc or no nm here"; return; fi
    declared() { grep -oE '\bsvconn_[a-z0-9_]+\(' | tr -d '(' | sort -u; }
    exported() { # FLAGS FILE
        # shellcheck disable=SC2086 # flags
        "$cc" -std=c11 -O0 $1 -Idist -c -o "$tmp/i.o" "$2" && nm -g --defined-only -P "$tmp/i.o" | awk '{ print $1 }' | sort -u
    }
    chip='-U__unix__ -U__APPLE__'
    for small in '' -DSVCONN_SMALL; do
        # shellcheck disable=SC2086 # none, or one
        "$cc" $small -E -P dist/svconn.h | declared >"$tmp/chip"
        { cat "$tmp/chip" && declared <crypto/crypto.h; } | sort -u >"$tmp/posix"
        for where in chip posix; do
            if [ $where = chip ]; then flags="$chip $small"; else flags="-D__unix__ $small"; fi
            exported "$flags" dist/svconn.c >"$tmp/exported"
            more=$(comm -23 "$tmp/exported" "$tmp/$where") less=$(comm -13 "$tmp/exported" "$tmp/chip")
            if [ -s "$tmp/exported" ] && [ -z "$more$less" ]; then good "svconn.c, $cc $flags: what it exports is declared"
            else bad "svconn.c, $cc $flags: exported, and not declared: $more; not exported: $less"; fi
        done
    done
    # A check must be able to fail
    for plant in 'int svconn_planted(void); int svconn_planted(void) { return 1; }' 'extern const int svconn_planted; const int svconn_planted = 1;'; do
        { cat dist/svconn.c && echo "$plant"; } >"$tmp/planted.c"
        if exported "$chip" "$tmp/planted.c" | comm -23 - "$tmp/chip" | grep -q svconn_planted; then good "$cc: would see ${plant%%;*}"
        else bad "$cc: not seen: ${plant%%;*}"; fi
    done
}

names() { # svconn_transport.o
    if ! have nm; then echo "skip amalgamation: no nm here (Debian: binutils)"; return; fi
    nm -u -P "$1" | awk '$1 ~ /^svconn_/ { print $1 }' | sort -u >"$tmp/asked"
    cat dist/svconn.h crypto/crypto.h | grep -oE '\bsvconn_[a-z0-9_]+\(' | tr -d '(' | sort -u >"$tmp/public"
    if [ -s "$tmp/asked" ] && [ -z "$(comm -23 "$tmp/asked" "$tmp/public")" ]; then good "svconn_transport.c asks for $(wc -l <"$tmp/asked") names of svconn.h and crypto.h"
    else bad "svconn_transport.c asks for: $(comm -23 "$tmp/asked" "$tmp/public" | tr '\n' ' ')"; fi
    if nm -g --defined-only -P "$1" | awk 'NF > 1 && $1 !~ /^svconn_/ && $1 !~ /^__x86/ { print; n = 1 } END { exit n }'; then good "svconn_transport.c exports svconn_ names"
    else bad "svconn_transport.c exports other names"; fi
}

WARN=${WARN:--Wall -Wextra}
part=$1
shift
$part "$@"
