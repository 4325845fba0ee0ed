#!/bin/sh
# SPDX-License-Identifier: ISC
# One way to use svconn as a package, from the installation to a program that runs. Usage: sh tests/packaging/check.sh WAY DIRECTORY, where make builds
# (Debug builds: what is tried here is the packaging.)
set -u
way=$1 build=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
tests=$root/tests/packaging
mkdir -p "$build"
build=$(cd "$build" && pwd)
dir=$build/packaging/$way
rm -rf "$dir"
mkdir -p "$dir"
log=$dir/log
: >"$log"
CC=${CC:-cc}
unset DESTDIR CFLAGS CPPFLAGS LDFLAGS MAKEFLAGS MAKELEVEL MFLAGS
export CC CMAKE_BUILD_PARALLEL_LEVEL=2

need() { # TOOL PACKAGE
    command -v "$1" >/dev/null 2>&1 && return
    echo "skip packaging $way: no $1 here (Debian: $2)"
    exit 0
}
pass() { echo "pass packaging: $1"; }
fail() {
    tail -n 30 "$log"
    echo "FAIL packaging: $1"
}
try() { # NAME COMMAND...: passes if the command succeeds
    what=$1
    shift
    echo "== $*" >>"$log"
    if "$@" >>"$log" 2>&1; then pass "$what"; else fail "$what"; return 1; fi
}
not() { # NAME COMMAND...: passes if it fails
    what=$1
    shift
    echo "== not: $*" >>"$log"
    if "$@" >>"$log" 2>&1; then fail "$what"; else pass "$what"; fi
}
shows_digits() { "$@" | tee -a "$log" | grep -Eqx 'svconn [0-9.]+( [0-9]{5}){4}'; }
comes_back() { [ "$("$@")" = "hello, package" ]; }
runs() { # NAME DIRECTORY
    try "$1: the handshake" shows_digits "$2/handshake"
    try "$1: the links" comes_back "$2/echo"
}
has() { for f in "$@"; do [ -e "$f" ] || return 1; done; }

# ---- pkg-config and make
compiles() { # OUTPUT SOURCE PACKAGE
    # shellcheck disable=SC2046 # flags are words
    $CC -std=c11 -D_DEFAULT_SOURCE -Wall -Wextra -Werror -o "$1" "$2" $(pkg-config --cflags --libs "$3")
}
with_pkg_config() { # NAME DIRECTORY-OF-PC
    PKG_CONFIG_PATH=$2
    export PKG_CONFIG_PATH
    mkdir -p "$dir/out"
    try "$1: version" [ "$(pkg-config --modversion svconn)" = "$(sed -n 's/^#define SVCONN_VERSION "\(.*\)".*/\1/p' "$root/svc/svconn.h")" ]
    try "$1: a program" compiles "$dir/out/handshake" "$tests/handshake.c" svconn &&
        try "$1: a program with links" compiles "$dir/out/echo" "$tests/echo.c" svconn_transport && runs "$1" "$dir/out"
    # shellcheck disable=SC2046
    if command -v "${CXX:-c++}" >/dev/null 2>&1; then
        try "$1: a program in C++" "${CXX:-c++}" -std=c++17 -Wall -Wextra -Werror -o "$dir/out/cpp" "$tests/handshake.cpp" $(pkg-config --cflags --libs svconn) &&
            try "$1: the handshake in C++" shows_digits "$dir/out/cpp"
    else echo "skip packaging $1: no ${CXX:-c++} here (Debian: g++)"; fi
}
make_library() { # MAKE-ARGUMENT...
    (cd "$root" && make -s BUILD="$build" "$@")
}
check_make() {
    need pkg-config pkg-config
    try "make install" make_library install DESTDIR="$dir/stage" PREFIX=/opt/svconn || return
    not "make install: DESTDIR is in no file" grep -rqI "$dir/stage" "$dir/stage"
    mv "$dir/stage/opt" "$dir/elsewhere"
    with_pkg_config "pkg-config, where it was moved to" "$dir/elsewhere/svconn/lib/pkgconfig"
    try "make uninstall" make_library uninstall DESTDIR="$dir" PREFIX=/elsewhere/svconn
    try "make uninstall leaves nothing" [ -z "$(find "$dir/elsewhere" ! -type d)" ]
    # Other flags in the same directory: everything is compiled again, and the installed file says how
    core() { make_library install-core BUILD="$dir/objects" "$@"; }
    try "make install-core" core PREFIX="$dir/core" CFLAGS=-O0 || return
    not "make install-core: no links" has "$dir/core/include/svconn_transport.h"
    try "make install-core: with switches, where objects are that have none" core PREFIX="$dir/small" CFLAGS=-O0 CPPFLAGS="-DSVCONN_PSK_ONLY -DSVCONN_SMALL" || return
    try "pkg-config tells the switches" env PKG_CONFIG_PATH="$dir/small/lib/pkgconfig" sh -c 'pkg-config --cflags svconn | grep -q -e "-DSVCONN_PSK_ONLY -DSVCONN_SMALL"'
    PKG_CONFIG_PATH=$dir/small/lib/pkgconfig
    try "a program with a core of pre-shared keys only" compiles "$dir/out/psk" "$tests/handshake.c" svconn && try "it works" shows_digits "$dir/out/psk"
    try "make install-core again: nothing is compiled" sh -c "touch '$dir/now' && cd '$root' && make -s install-core BUILD='$dir/objects' PREFIX='$dir/small' CFLAGS=-O0 \
        CPPFLAGS='-DSVCONN_PSK_ONLY -DSVCONN_SMALL' && [ -z \"\$(find '$dir/objects' -newer '$dir/now' -name '*.o')\" ]"
    not "make install with such a switch" make_library install BUILD="$dir/objects" PREFIX="$dir/small" CFLAGS=-O0 CPPFLAGS=-DSVCONN_PSK_ONLY
    try "it says what to do" grep -q 'make install-core' "$log"
}

# ---- CMake
configure() { # SOURCE DIRECTORY ARGUMENT...
    from=$1 to=$2
    shift 2
    cmake -S "$from" -B "$to" -DCMAKE_BUILD_TYPE=Debug "$@"
}
built() { configure "$@" && cmake --build "$2"; }
warned() { # (not with grep's output in the file that it reads: it would refuse)
    found=$(grep -niE 'warning( at|:| \()' "$log")
    [ "$found" ]
}
installed_with_cmake() { # NAME ARGUMENT...
    name=$1
    shift
    try "$name: build" built "$root" "$dir/lib" -DCMAKE_INSTALL_PREFIX="$dir/first" -DCMAKE_INSTALL_LIBDIR=lib "$@" || return
    not "$name: no warning" warned
    try "$name: install" cmake --install "$dir/lib" || return
    mv "$dir/first" "$dir/second"
    rm -rf "$dir/lib"
    try "$name: find_package" built "$tests/cmake" "$dir/user" -DHOW=find_package -DVERSION=0.1 -DCMAKE_PREFIX_PATH="$dir/second" || return
    runs "$name: find_package" "$dir/user"
    not "$name: another version is not taken" configure "$tests/cmake" "$dir/other" -DHOW=find_package -DVERSION=0.2 -DCMAKE_PREFIX_PATH="$dir/second"
}
check_cmake_static() {
    need cmake cmake
    installed_with_cmake "CMake, static" || return
    command -v pkg-config >/dev/null 2>&1 && with_pkg_config "CMake, static: pkg-config" "$dir/second/lib/pkgconfig"
    try "CMake: the files of make install" has "$dir/second/lib/libsvconn.a" "$dir/second/lib/libsvconn_transport.a" "$dir/second/include/svconn.h" "$dir/second/include/svconn.hpp" \
        "$dir/second/include/svconn_transport.h" "$dir/second/include/svconn_line.h"
    not "CMake: no other header" sh -c "ls '$dir/second/include' | grep -v '^svconn'"
}
# What a shared library shows is what its headers declare
exported() { nm -D --defined-only "$1" | awk '{ print $3 }' | sort; }
declared() { # HEADER...
    $CC -E -P -I"$root/svc" "$@" | tr '\n' ' ' | tr ';' '\n' | grep -v typedef | grep -oE '\bsvconn_[a-z0-9_]+ ?\(' | tr -d ' (' | sort -u
}
shows_only() { # LIBRARY HEADER...
    exported "$1" >"$dir/exported"
    shift
    declared "$@" >"$dir/declared"
    [ -s "$dir/exported" ] && diff "$dir/declared" "$dir/exported"
}
shown() { # NAME PREFIX-OF-LIBRARIES
    try "$1: the core shows its header and nothing else" shows_only "$2/libsvconn.so" "$root/svc/svconn.h"
    try "$1: the soname" sh -c "readelf -d '$2/libsvconn.so' | grep -q 'SONAME.*libsvconn.so.0.1\]'"
    try "$1: the links show their headers and nothing else" sh -c "nm -D --defined-only '$2/libsvconn_transport.so' | grep -q svconn_listen &&
        ! nm -D --defined-only '$2/libsvconn_transport.so' | grep -E 'svconn_(x25519|sha256|gcm|init)'"
}
check_cmake_shared() {
    need cmake cmake
    installed_with_cmake "CMake, shared" -DBUILD_SHARED_LIBS=ON && shown "CMake, shared" "$dir/second/lib"
}
check_cmake_source() {
    need cmake cmake
    try "add_subdirectory" built "$tests/cmake" "$dir/a" -DHOW=add_subdirectory -DSVCONN_SOURCE="$root" -DSVCONN_PORTABLE_ONLY=ON && runs "add_subdirectory, with a switch" "$dir/a"
    try "add_subdirectory, the core alone" configure "$tests/cmake" "$dir/c" -DHOW=add_subdirectory -DSVCONN_SOURCE="$root" -DCMAKE_BUILD_TYPE= -DONLY_CORE=ON &&
        try "add_subdirectory, the core alone: build" cmake --build "$dir/c" && try "add_subdirectory, the core alone: the handshake" shows_digits "$dir/c/handshake"
    not "add_subdirectory, the core alone: the links are not built" sh -c "find '$dir/c' -name 'libsvconn_transport*' -o -name 'relay_client*.o' | grep ."
    try "add_subdirectory: a project without a build type has it optimised" grep -q -e ' -O2' "$dir/c/svconn/CMakeFiles/svconn.dir/flags.make"
    not "add_subdirectory: one with a build type has its own" grep -q -e ' -O2' "$dir/a/svconn/CMakeFiles/svconn.dir/flags.make"
    not "add_subdirectory: private headers cannot be seen" grep -qE -e '-I[^ ]*/(svc|crypto|transport)( |"|$)' "$dir/a/CMakeFiles/handshake.dir/flags.make"
    cmake --install "$dir/a" --prefix "$dir/nothing" >>"$log" 2>&1
    not "add_subdirectory: nothing of svconn is installed" has "$dir/nothing/include/svconn.h"
    try "FetchContent" configure "$tests/cmake" "$dir/f" -DHOW=FetchContent -DFETCHCONTENT_FULLY_DISCONNECTED=ON -DFETCHCONTENT_SOURCE_DIR_SVCONN="$root" &&
        try "FetchContent: build" cmake --build "$dir/f" --target handshake && try "FetchContent: the handshake" shows_digits "$dir/f/handshake"
    try "a core that leaves something out has no links" configure "$root" "$dir/p" -DSVCONN_PSK_ONLY=ON
    try "a core that leaves something out has no links: and says so" grep -q 'svconn: without links .*SVCONN_PSK_ONLY' "$log"
    not "a core that leaves something out has no links: no rule" sh -c "cmake --build '$dir/p' --target help | grep svconn_transport"
    try "a component of ESP-IDF (a stand-in for it)" built "$tests/frameworks/esp-idf" "$dir/e" -DSVCONN_SOURCE="$root" &&
        try "a component of ESP-IDF: the handshake" shows_digits "$dir/e/handshake"
    try "a module of Zephyr (a stand-in for it)" built "$tests/frameworks/zephyr" "$dir/z" -DSVCONN_SOURCE="$root" &&
        try "a module of Zephyr: the handshake" shows_digits "$dir/z/handshake"
}

# ---- Meson
meson_build() { # SOURCE DIRECTORY ARGUMENT...
    from=$1 to=$2
    shift 2
    meson setup "$to" "$from" -Dbuildtype=debug "$@" && ninja -j2 -C "$to"
}
check_meson() {
    need meson meson
    need ninja ninja-build
    mkdir -p "$dir/user/meson/subprojects"
    cp "$tests"/*.c "$dir/user/"
    cp "$tests"/meson/meson* "$dir/user/meson/"
    ln -s "$root" "$dir/user/meson/subprojects/svconn"
    try "Meson, subproject" meson_build "$dir/user/meson" "$dir/sub" --wrap-mode=forcefallback -Dsvconn:switches=SVCONN_PORTABLE_ONLY -Dportable=true &&
        runs "Meson, subproject, with a switch" "$dir/sub"
    try "Meson, shared" meson_build "$root" "$dir/lib" --prefix="$dir/first" -Dlibdir=lib -Ddefault_library=shared -Dpkgconfig.relocatable=true &&
        try "Meson, shared: install" meson install -C "$dir/lib" || return
    not "Meson: no warning" warned
    shown "Meson, shared" "$dir/first/lib"
    rm "$dir/user/meson/subprojects/svconn"
    try "Meson, installed" env PKG_CONFIG_PATH="$dir/first/lib/pkgconfig" meson setup "$dir/user2" "$dir/user/meson" &&
        try "Meson, installed: a program" ninja -j2 -C "$dir/user2" && LD_LIBRARY_PATH=$dir/first/lib runs "Meson, installed" "$dir/user2"
}

# ---- Swift, as far as it goes without Swift: the C module by clang, and the names that the wrapper uses. (SwiftPM is in no package of Debian 12.)
module() { # COMPILER-ARGUMENT...: without a file of its own that is in the way
    clang -fmodules -fimplicit-module-maps -fmodules-cache-path="$dir/cache" -I"$root/packaging/include/core" -Wall -Wextra -Werror "$@"
}
made_a_module() { ls "$dir"/cache/*/svconn-*.pcm; }
all_declared() { # FILE...
    grep -ohE '\b(svconn_[a-z0-9_]+|SVCONN_[A-Z0-9_]+)\b' "$@" | sort -u >"$dir/used"
    grep -ohE '\b(svconn_[a-z0-9_]+|SVCONN_[A-Z0-9_]+)\b' "$root/svc/svconn.h" | sort -u >"$dir/there"
    [ "$(wc -l <"$dir/used")" -gt 40 ] && [ -z "$(comm -23 "$dir/used" "$dir/there" | tee -a "$log")" ]
}
check_swift() {
    swift=$root/bindings/swift
    try "Swift: every name of C that it uses is one of svconn.h" all_declared "$swift"/Sources/*/*.swift "$swift"/Tests/*/*.swift
    if command -v swift >/dev/null 2>&1; then
        try "Swift: it is built, and its tests" swift test --package-path "$root" --scratch-path "$dir/swift"
    else echo "skip packaging swift: no swift here (swift.org): the wrapper was not compiled"; fi
    need clang clang
    printf '@import svconn;\nsvconn_state f(const svconn *s) { return svconn_status(s); }\n' >"$dir/import.m"
    try "Swift: the module" module -x objective-c -fsyntax-only "$dir/import.m" && try "Swift: the module is one" made_a_module
    printf '@import svconn;\nvoid f(void) { svconn_sha256_init(0); }\n' >"$dir/private.m"
    not "Swift: the module has nothing private" module -x objective-c -fsyntax-only "$dir/private.m"
    try "Swift: a program in C by way of the module" module -std=c11 -o "$dir/handshake" "$tests/handshake.c" "$build/libsvconn.a" &&
        try "Swift: the handshake" shows_digits "$dir/handshake"
}

# ---- Arduino and PlatformIO
arduino_library() { (cd "$root" && make -s arduino DIST="$dir/dist"); }
compile_all() { # COMPILER FLAGS...: as Arduino does: each file alone, src/ is the only place for headers
    for f in "$dir"/dist/arduino/svconn/src/core/*.c; do
        "$@" -Wall -Wextra -Werror -I"$dir/dist/arduino/svconn/src" -c -o "$dir/objects/$(basename "$f" .c).o" "$f" || return 1
    done
}
check_arduino() {
    mkdir -p "$dir/objects"
    try "make arduino" arduino_library || return
    lib=$dir/dist/arduino/svconn
    try "Arduino: its files" has "$lib/library.properties" "$lib/src/svconn.h" "$lib/LICENSE" "$lib/examples/Echo/Echo.ino"
    try "Arduino: all of the core is there" [ "$(ls "$lib/src/core" | grep -c '\.c$')" -eq "$(ls "$root"/svc/*.c "$root"/crypto/*.c "$root/transport/line.c" | wc -l)" ]
    try "Arduino: it compiles" compile_all "$CC" -std=gnu11 -O0 &&
        try "Arduino: a program" $CC -I"$lib/src" -o "$dir/handshake" "$tests/handshake.c" "$dir"/objects/*.o && try "Arduino: the handshake" shows_digits "$dir/handshake"
    for file in "$lib"/examples/*/*.ino; do
        try "Arduino: $(basename "$file") (a stand-in for the core)" ${CXX:-c++} -std=gnu++11 -fsyntax-only -Wall -Wextra -Werror -I"$lib/src" \
            -I"$tests/frameworks" -include "$tests/frameworks/Arduino.h" -DESP32 -x c++ "$file"
    done
    if command -v arm-none-eabi-gcc >/dev/null 2>&1; then
        try "Arduino: it compiles for Cortex-M0+" compile_all arm-none-eabi-gcc -mcpu=cortex-m0plus -mthumb -Os -std=gnu11 -ffreestanding -isystem "$tests/frameworks/libc"
    else echo "skip packaging arduino: no arm-none-eabi-gcc here (Debian: gcc-arm-none-eabi)"; fi
}

check_"$(echo "$way" | tr - _)"
