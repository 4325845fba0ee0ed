#!/bin/sh
# SPDX-License-Identifier: ISC
# svconn for Windows, built here and run under wine. Usage: sh tests/windows.sh PART BUILD, with the parts
#   mingw BITS      the tests of cryptography and sessions, the links, the peer of the pair tests and the program against those of this system
#   program BITS    of these the program alone
#   msvc            as MSVC reads it: clang for its ABI without any of GNU C, Wine's headers; the same, fewer tests
#   frames, build   what the compiler leaves on the stack; CMakeLists.txt and meson.build, with a toolchain file
# BITS is 64 or 32. Debian packages: gcc-mingw-w64-x86-64 gcc-mingw-w64-i686 wine wine64 python3 cmake meson pkg-config, for msvc clang lld llvm libwine-dev, for 32 bits wine32
# (of the architecture i386) or WINE32=a command that runs such programs.
set -u
part=$1 build=$2
export WINEDEBUG=-all DISPLAY=
tmp=$(mktemp -d) || exit 1
background=
trap 'kill $background 2>/dev/null; rm -rf "$tmp"' EXIT
tests='curve hash gcm bounds backends svc_vectors session states secrets renewal bytes calls timers hostile hostile_mitm seed'
warn="$(make -s -pn 2>/dev/null | sed -n 's/^WARN := //p') -Werror"
shared_links='address clock dial exact http_connect line link listener pump relay_client relay_listener relay_name relay_talk relay_token sha1 socks5 tcp
       websocket why wormhole windows/absent windows/bcrypt windows/winsock'

ok() { echo "pass windows $name: $1"; }
bad() { echo "FAIL windows $name: $1"; }
judge() { if [ "$2" -eq 0 ]; then ok "$1"; else bad "$1"; fi; }
not_here() { # WHAT WHY: ends, as nothing was run
    echo "pass nothing was run"
    echo "skip windows $1: $2"
    exit 0
}

# ---- a machine to run it ----
# Which of them run programs of so many bits is found out by one: wine without its 32-bit part ends with 0 and runs nothing.
can_run() { # BITS COMPILER
    echo '#include <stdio.h>
int main(void) { puts(sizeof(void *) == 8 ? "64 bits" : "32 bits"); return 0; }' >"$tmp/hello.c"
    $2 -o "$tmp/hello.exe" "$tmp/hello.c" && $run "$tmp/hello.exe" 2>/dev/null | tr -d '\r' | grep -q "^$1 bits\$"
}
mingw() { # BITS: sets cc, ar, run, dir; or ends
    case $1 in
    64) cc=x86_64-w64-mingw32-gcc ar=x86_64-w64-mingw32-ar run=wine ;;
    *) cc=i686-w64-mingw32-gcc ar=i686-w64-mingw32-ar run=${WINE32:-wine} ;;
    esac
    name="$1 bits" dir=$build/windows$1
    command -v $cc >/dev/null || not_here "$name" "no $cc is here (Debian package: gcc-mingw-w64-x86-64 or gcc-mingw-w64-i686)"
    export WINEPREFIX="$PWD/$build/wine$1"
    mkdir -p "$dir"
    make --no-print-directory CC=$cc AR=$ar BUILD="$dir" WARN="$warn" lib >"$tmp/build" 2>&1
    judge "the library builds without a warning" $?
    grep -E 'warning:|error:' "$tmp/build" | head -n 20
    can_run "$1" $cc && return
    echo "skip windows $name: it was built, but there is no wine for it here (Debian packages: wine wine64; for 32 bits wine32 of the architecture i386)"
    exit 0
}

# One test program: NAME PROGRAM SOURCE. It must reach the end of its main, which says how many results it gave; so many must be there; and
# they must be half of the TESTs in its source, at least: some are for other machines.
report() {
    SVCONN_TEST_COUNT=1 timeout 600 $run "$2" >"$tmp/log.raw" 2>"$tmp/err"
    status=$?
    tr -d '\r' <"$tmp/log.raw" >"$tmp/log"
    sed -n "s/^\(pass\|FAIL\|skip\) /\1 windows $name: /p" "$tmp/log"
    results=$(grep -cE '^(pass|skip|FAIL) ' "$tmp/log")
    [ $status -eq 0 ] && [ "$(tail -n 1 "$tmp/log")" = "count $results" ] && [ $((2 * results)) -ge $(($(grep -cE '^ +TEST\(' "$3"))) ] && grep -q '^pass' "$tmp/log"
    if [ $? -ne 0 ]; then
        bad "$1: exit status $status, $(grep -cE '^(pass|skip) ' "$tmp/log") results"
        head -n 5 "$tmp/err"
    fi
}

core() {
    for t in $tests; do
        make --no-print-directory CC=$cc AR=$ar BUILD="$dir" WARN="$warn" "$dir/tests/test_$t.exe" >"$tmp/build" 2>&1 || {
            bad "test_$t builds"
            grep -E 'warning|error|undefined' "$tmp/build" | head -n 5
        }
        report "test_$t" "$dir/tests/test_$t.exe" "tests/test_$t.c"
    done
}

# ---- pairs ----
system_server() { build/pairs/c/peer server "$1"; }
system_client() { build/pairs/c/peer client "$1" "$2"; }
windows_server() { $run "$dir/peer.exe" server "$1"; }
windows_client() { $run "$dir/peer.exe" client "$1" "$2"; }

# SERVER CLIENT KIND: the same digits at both ends, and nothing but what is to be said
pair() {
    rm -f "$tmp"/*.out
    ${1}_server "$3" >"$tmp/server.out" 2>"$tmp/server.err" &
    server=$!
    background="$background $server"
    i=0
    while ! grep -q '^port [0-9]' "$tmp/server.out" 2>/dev/null && [ $i -lt 200 ]; do sleep 0.1; i=$((i + 1)); done
    ${2}_client "$3" "$(sed -n 's/^port //p' "$tmp/server.out")" >"$tmp/client.out" 2>"$tmp/client.err"
    client=$?
    wait $server
    [ $? -eq 0 ] && [ $client -eq 0 ] && grep -qE '^authenticator( [0-9]{5}){4}$' "$tmp/client.out" &&
        [ "$(sed 1d "$tmp/server.out")" = "$(cat "$tmp/client.out")" ] && [ ! -s "$tmp/client.err" ] && [ ! -s "$tmp/server.err" ]
    status=$?
    judge "server on $1, client on $2, $3" $status
    [ $status -eq 0 ] || head -n 3 "$tmp/server.err" "$tmp/client.err" "$tmp/server.out" "$tmp/client.out"
}

all_pairs() {
    for kind in key hidden psk; do
        pair windows system $kind
        pair system windows $kind
        pair windows windows $kind
    done
    pair_is_refused
}

# Another key: each side says so, and ends with 1
pair_is_refused() {
    rm -f "$tmp"/*.out
    windows_server key >"$tmp/server.out" 2>"$tmp/server.err" &
    server=$!
    i=0
    while ! grep -q '^port [0-9]' "$tmp/server.out" 2>/dev/null && [ $i -lt 200 ]; do sleep 0.1; i=$((i + 1)); done
    windows_client psk "$(sed -n 's/^port //p' "$tmp/server.out")" >"$tmp/client.out" 2>"$tmp/client.err"
    client=$?
    wait $server
    [ $? -eq 1 ] && [ $client -eq 1 ] && [ ! -s "$tmp/client.out" ] && grep -q ': ' "$tmp/client.err" && grep -q ': ' "$tmp/server.err"
    judge "who has another kind of key is refused, and both say so" $?
}

links() {
    for f in windows/links pairs/peer; do
        $cc -std=c11 -O2 $warn -Isvc -Icrypto -Itransport -Itests -o "$dir/$(basename $f).exe" tests/$f.c \
            "$dir/libsvconn_transport.a" "$dir/libsvconn.a" -lws2_32 -lbcrypt
        judge "$f.c builds without a warning" $?
    done
    report links "$dir/links.exe" tests/windows/links.c
    all_pairs
}

# ---- the program ----
system_svconn() { timeout 60 "$build/svconn" "$@"; }
windows_svconn() { timeout 60 $run "$dir/svconn.exe" "$@"; }

# SERVER CLIENT: 3 MB to an echo server and back, and the exit codes
echo_pair() { # $3: the peer that the server allows; $4: the exit codes
    rm -f "$tmp"/*.out
    ${1}_svconn echo-server tcp://127.0.0.1:0 --once --key "$tmp/a.key" --peer "$3" >"$tmp/server.out" 2>&1 &
    server=$!
    i=0 port=
    while [ -z "$port" ] && [ $i -lt 200 ]; do
        sleep 0.1
        i=$((i + 1)) port=$(sed -n 's/.*listening on.*:\([0-9][0-9]*\)$/\1/p' "$tmp/server.out")
    done
    ${2}_svconn echo "tcp://127.0.0.1:$port" "$tmp/data" --key "$tmp/b.key" --peer "$a" >"$tmp/back" 2>"$tmp/client.out"
    client=$?
    wait $server
    [ "$client $?" = "$4" ] && { [ "$4" != "0 0" ] || cmp -s "$tmp/data" "$tmp/back"; }
    status=$?
    judge "echo-server on $1, echo on $2: $4" $status
    [ $status -eq 0 ] || head -n 5 "$tmp/server.out" "$tmp/client.out"
}

program_builds() {
    make --no-print-directory CC=$cc AR=$ar BUILD="$dir" WARN="$warn" program >"$tmp/said" 2>&1
    judge "the program builds without a warning" $?
    grep -E 'warning:|error:' "$tmp/said" | head -n 10
    [ -x "$build/svconn" ] && return 0
    bad "there is no $build/svconn to compare it with: make"
    exit 1
}

program() {
    program_builds
    for k in a b; do
        # (wine shows what administrators may do as the rights of a group)
        windows_svconn keygen -o "$tmp/$k.key" >"$tmp/$k.id" 2>"$tmp/said" && chmod 600 "$tmp/$k.key" && system_svconn id "$tmp/$k.key" 2>>"$tmp/said" | cmp -s - "$tmp/$k.id"
        judge "keygen: key $k is what the program of this system reads, and shows it alike" $?
    done
    a=$(sed -n 's/^public key: //p' "$tmp/a.id") b=$(sed -n 's/^public key: //p' "$tmp/b.id")
    windows_svconn id --json "$tmp/a.key" >"$tmp/said" 2>/dev/null && system_svconn id --json "$tmp/a.key" | cmp -s - "$tmp/said"
    judge "id --json is the same" $?
    windows_svconn keygen -o "$tmp/a.key" >/dev/null 2>"$tmp/said"
    [ $? -eq 3 ] && grep -q 'never overwritten' "$tmp/said"
    judge "a key is not overwritten" $?
    cp "$tmp/a.key" "$tmp/clé ключ.key" && chmod 600 "$tmp/clé ключ.key"
    windows_svconn id "$tmp/clé ключ.key" 2>/dev/null | grep -q "$a"
    judge "a name in UTF-8" $?
    chmod 644 "$tmp/clé ключ.key"
    windows_svconn id "$tmp/clé ключ.key" >/dev/null 2>"$tmp/said"
    [ $? -eq 3 ] && grep -q 'read or changed by others' "$tmp/said"
    judge "a key that others can read is refused" $?
    windows_svconn id --key-command "type $(basename "$tmp")\\a.key" >/dev/null 2>"$tmp/said"
    [ $? -eq 3 ] && grep -q 'ended with exit status' "$tmp/said"
    judge "--key-command that fails is told" $?
    (cd "$tmp" && timeout 60 $run "$OLDPWD/$dir/svconn.exe" id --key-command "type a.key" 2>/dev/null) | grep -q "$a"
    judge "--key-command" $?
    windows_svconn echo --help >"$tmp/said" 2>/dev/null && system_svconn echo --help | cmp -s - "$tmp/said"
    judge "--help is the same" $?
    windows_svconn echo >/dev/null 2>&1
    [ $? -eq 2 ]
    judge "a wrong command line is 2" $?
    windows_svconn echo unix:socket --key "$tmp/a.key" --peer "$b" </dev/null >/dev/null 2>"$tmp/said"
    [ $? -eq 3 ] && grep -q 'not on Windows' "$tmp/said"
    judge "what is not on Windows says so" $?
    head -c 3000000 /dev/urandom >"$tmp/data"
    echo_pair windows system "$b" "0 0"
    echo_pair system windows "$b" "0 0"
    echo_pair windows windows "$b" "0 0"
    echo_pair windows windows "$a" "1 1"
}

. tests/windows/tool.sh

# ---- MSVC ----
# There is no cl.exe here. This is clang for its target, with the preprocessor told that it is neither clang nor GNU C, nor has __int128 (and,
# for what does not include Windows' own headers, nor the names that GNU C has for the CPU); Wine's headers in place of Microsoft's; all of
# clang's warnings but those about style, and GNU extensions are errors. What comes out is linked by lld with the system's own C library.
msvc() {
    name=msvc dir=$build/windows-msvc run=wine
    export WINEPREFIX="$PWD/$build/wine64"
    for tool in clang lld-link llvm-dlltool:llvm-dlltool-14 wine x86_64-w64-mingw32-gcc; do
        command -v "${tool%:*}" >/dev/null || command -v "${tool#*:}" >/dev/null || not_here msvc "no ${tool%:*} is here (Debian packages: clang lld llvm wine wine64 gcc-mingw-w64-x86-64)"
    done
    [ -e /usr/include/wine/wine/windows/winsock2.h ] || not_here msvc "no headers for it are here (Debian package: libwine-dev)"
    rm -rf "$dir"
    mkdir -p "$dir/include" "$dir/core" "$dir/gnu"
    headers=/usr/include/wine/wine
    # Wine's pollfd has no name, Microsoft's has ("struct pollfd"); and it lacks this function
    sed 's,^typedef struct /\*WS(pollfd)\*/,typedef struct pollfd,' $headers/windows/winsock2.h >"$dir/include/winsock2.h"
    echo 'BOOL WINAPI QueryUnbiasedInterruptTime(ULONGLONG *);' >>"$dir/include/winsock2.h"
    msvc="clang --target=x86_64-pc-windows-msvc -fms-compatibility-version=19.29 -std=c11 -O2 -nostdinc -D_UCRT -isystem $dir/include
          -isystem $(clang -print-resource-dir)/include -isystem $headers/msvcrt -isystem $headers/windows"
    as_cl="-U__clang__ -U__GNUC__ -U__SIZEOF_INT128__ -U__INT128__"
    no_cpu="-U__x86_64__ -U__x86_64 -U__amd64__ -U__amd64"
    all="-Weverything -Werror -Wno-declaration-after-statement -Wno-padded -Wno-disabled-macro-expansion -Wno-reserved-identifier
         -Wno-reserved-macro-identifier -Wno-switch-default -Wno-switch-enum -Wno-comma -Wno-conditional-uninitialized -Wno-unused-macros -Wno-undef"

    compile() { # WHAT DIRECTORY FLAGS FILE...
        what=$1 to=$2 flags=$3 failed=0
        shift 3
        for f in "$@"; do $msvc $flags $all -Isvc -Icrypto -Itransport -c -o "$to/$(basename "$f" .c).obj" "$f" 2>"$tmp/said" || failed=1; head -n 20 "$tmp/said"; done
        judge "$what" $failed
    }
    compile "the core, as cl reads it, without a warning" "$dir/core" "$as_cl $no_cpu" svc/*.c crypto/*.c
    compile "the core, as clang-cl reads it, without a warning" "$dir/gnu" "" svc/*.c crypto/*.c
    compile "the links, as cl reads them, without a warning" "$dir/core" "$as_cl" $(for f in $shared_links; do echo transport/$f.c; done)
    # GNU C would be seen
    printf 'int f(int n);\nint f(int n) { return ({ n; }); }\n' >"$tmp/gnu.c"
    ! $msvc $as_cl $all -c -o "$tmp/gnu.obj" "$tmp/gnu.c" 2>/dev/null
    judge "a GNU extension would be seen" $?

    # What the start-up code of MSVC would do
    cat >"$tmp/start.c" <<'END'
int main(int, char **);
__declspec(dllimport) int __cdecl _configure_narrow_argv(int);
__declspec(dllimport) int *__cdecl __p___argc(void);
__declspec(dllimport) char ***__cdecl __p___argv(void);
__declspec(dllimport) void __cdecl exit(int);
int _fltused = 1;
void mainCRTStartup(void) {
    _configure_narrow_argv(1);
    exit(main(*__p___argc(), *__p___argv()));
}
END
    $msvc -c -o "$dir/start.o" "$tmp/start.c"
    printf 'LIBRARY ntdll.dll\nEXPORTS\n__chkstk\n' >"$tmp/stack.def"
    $(command -v llvm-dlltool || command -v llvm-dlltool-14) -m i386:x86-64 -d "$tmp/stack.def" -l "$dir/stack.lib"
    libraries=$(dirname "$(x86_64-w64-mingw32-gcc -print-file-name=libucrtbase.a)")
    link_program() { # NAME FLAGS SOURCE
        $msvc $2 -Isvc -Icrypto -Itransport -Itests -c -o "$dir/$1.o" "$3" &&
            lld-link -nodefaultlib -subsystem:console -out:"$dir/$1.exe" "$dir/$1.o" "$dir/start.o" "$dir"/core/*.obj "$dir/stack.lib" \
                "$libraries/libucrtbase.a" "$libraries/libkernel32.a" "$libraries/libws2_32.a" "$libraries/libbcrypt.a" 2>"$tmp/said"
        status=$?
        judge "$1 links" $status
        [ $status -eq 0 ] || head -n 10 "$tmp/said"
    }
    for t in curve hash gcm session renewal hostile seed; do
        link_program "test_$t" "$as_cl" "tests/test_$t.c"
        report "test_$t" "$dir/test_$t.exe" "tests/test_$t.c"
    done
    link_program links "$as_cl" tests/windows/links.c
    report links "$dir/links.exe" tests/windows/links.c
    link_program peer "$as_cl" tests/pairs/peer.c
    all_pairs
}

# ---- frames and vectors ----
frames() {
    name=frames
    command -v x86_64-w64-mingw32-gcc >/dev/null || not_here frames "no x86_64-w64-mingw32-gcc is here"
    sh tests/frames.sh x86_64-w64-mingw32-gcc
    # GCC keeps the stack of 64-bit Windows on 16 bytes only (its bug 54412): an aligned move of more would crash.
    for level in -O1 -O2 -O3 -Os; do
        for f in gcm_vaes256 gcm_vaes512 gcm_vector256 gcm_vector512 curve25519_avx2 curve25519_ifma; do
            x86_64-w64-mingw32-gcc -std=c11 -Icrypto $level -S -o "$tmp/$f.s" crypto/$f.c
            grep -E '[yz]mm' "$tmp/$f.s" | grep -qE 'vmov(aps|apd|dqa)(32|64)?[[:space:]].*\(%r[sb]p\)'
            [ $? -eq 1 ] && grep -qE '[yz]mm' "$tmp/$f.s"
            judge "$f $level: no aligned move of more than 16 bytes on the stack" $?
        done
    done
}

# ---- CMake, Meson: static and DLLs, and a program that found what was installed ----
cmake_library() { # SHARED: to $tmp/installed
    cmake -S . -B "$tmp/library" -DCMAKE_TOOLCHAIN_FILE="$PWD/tests/windows/mingw.cmake" -DBUILD_SHARED_LIBS="$1" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS=-Werror \
        -DCMAKE_INSTALL_PREFIX="$tmp/installed" && cmake --build "$tmp/library" -j "${JOBS:-2}" && cmake --install "$tmp/library"
}
cmake_user() { # to $dir
    mkdir -p "$tmp/user"
    cat >"$tmp/user/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.13)
project(user LANGUAGES C)
find_package(svconn 0.1 REQUIRED COMPONENTS transport)
add_executable(peer $PWD/tests/pairs/peer.c)
target_link_libraries(peer PRIVATE svconn::transport)
END
    cmake -S "$tmp/user" -B "$dir" -DCMAKE_TOOLCHAIN_FILE="$PWD/tests/windows/mingw.cmake" -Dsvconn_DIR="$tmp/installed/lib/cmake/svconn" && cmake --build "$dir"
}
meson_library() {
    case $1 in ON) kind=shared ;; *) kind=static ;; esac
    meson setup "$tmp/library" . --cross-file tests/windows/mingw.ini -Dbuildtype=debug -Ddefault_library=$kind -Dwerror=true --prefix="$tmp/installed" -Dlibdir=lib &&
        ninja -j "${JOBS:-2}" -C "$tmp/library" && meson install -C "$tmp/library"
}
meson_user() {
    mkdir -p "$tmp/user" "$dir"
    cp tests/pairs/peer.c "$tmp/user"
    cat >"$tmp/user/meson.build" <<END
project('user', 'c', default_options: ['c_std=c11'])
executable('peer', 'peer.c', dependencies: dependency('svconn_transport', version: '>=0.1'))
END
    meson setup "$dir" "$tmp/user" --cross-file tests/windows/mingw.ini --pkg-config-path "$tmp/installed/lib/pkgconfig" && ninja -C "$dir"
}
build_systems() {
    export WINEPREFIX="$PWD/$build/wine64"
    run=wine
    can_run 64 x86_64-w64-mingw32-gcc || not_here build "no x86_64-w64-mingw32-gcc, or no wine for what it makes"
    for name in cmake meson; do
        command -v $name >/dev/null || { echo "skip windows $name: it is not here" && continue; }
        for shared in OFF ON; do
            rm -rf "$tmp/library" "$tmp/installed" "$tmp/user"
            dir=$tmp/$name-$shared
            ${name}_library $shared >"$tmp/said" 2>&1
            status=$?
            judge "builds and installs, shared libraries $shared" $status
            [ $status -eq 0 ] || tail -n 20 "$tmp/said"
            ${name}_user >"$tmp/said" 2>&1
            status=$?
            judge "a program finds what was installed, shared libraries $shared" $status
            [ $status -eq 0 ] || tail -n 20 "$tmp/said"
            cp "$tmp"/installed/bin/*.dll "$dir" 2>/dev/null # Windows looks beside the program
            pair windows windows key
        done
    done
}

case $part in
mingw)
    mingw "$3"
    core
    links
    program
    tool
    ;;
program) # alone; of tests/windows/tool.sh one function, if that is named
    mingw "$3"
    if [ "${4:-}" ]; then program_builds && set_up_tool && peers >/dev/null && set_up_files && $4; else program && tool; fi
    ;;
msvc) msvc ;;
frames) frames ;;
build) build_systems ;;
esac
