#!/bin/sh
# SPDX-License-Identifier: ISC
# bindings/jvm on the JVM of this machine: inside one JVM (tests/jni/JniTest.java), and the example Echo against the program
# over TCP, in both roles. Usage: sh tests/jni.sh PROGRAM DIRECTORY PART, where the directory has the classes, lib/libsvconn_jni.so and
# asan/libsvconn_jni.so, and the part is one of: inside asan echo cmake api
# -Xcheck:jni looks at every call that C makes; what it says of our functions is a failure.
set -u
svconn=$1 dir=$2 part=$3
tmp=$(mktemp -d) || exit 1
background=
trap 'kill $background 2>/dev/null; rm -rf "$tmp"' EXIT
# The JVM asks for nothing but time here: small heaps, no second compiler for programs that run a second
jvm() { timeout 900 java -Xcheck:jni -Xmx64m -Djava.library.path="$dir/lib" -cp "$dir/classes" "$@"; }
jvm_instead() { exec java -Xcheck:jni -Xmx64m -Djava.library.path="$dir/lib" -cp "$dir/classes" "$@"; } # in the background: $! is the JVM

# What -Xcheck:jni, the JVM or a sanitizer had to say: FILE NAME
complaints() {
    if grep -E 'WARNING|FATAL ERROR|fatal error has been|AddressSanitizer|runtime error|UnsatisfiedLink' "$1" | grep -v 'libasan' >"$tmp/complaints"; then
        echo "FAIL jni $2: $(head -n 1 "$tmp/complaints")"
        sed -n '/WARNING\|ERROR\|runtime error/,+12p' "$1" | head -n 60
    else echo "pass jni: no complaints of the JVM ($2)"; fi
}

inside() {
    jvm JniTest - "secrets are erased" >"$tmp/log" 2>&1
    status=$?
    cat "$tmp/log"
    # A heap that is never full: nothing is moved, and so copied, by the collector
    jvm -Xmn50m -XX:+UseSerialGC JniTest "secrets are erased" >"$tmp/erased" 2>&1 || status=$?
    cat "$tmp/erased" | tee -a "$tmp/log"
    complaints "$tmp/log" inside
    return $status
}

# The same with the C part under the sanitizers. The JVM uses SIGSEGV itself, and its memory is not to be looked after.
asan() {
    if [ ! -e "$dir/asan/runtime" ]; then
        echo "pass nothing was run"
        echo "skip jni under sanitizers: the compiler cannot link them here"
        return 0
    fi
    runtime=$(cat "$dir/asan/runtime")
    export ASAN_OPTIONS=handle_segv=0:detect_leaks=0:allow_user_segv_handler=1 UBSAN_OPTIONS=print_stacktrace=1
    if ! LD_PRELOAD=$runtime java -version >"$tmp/log" 2>&1; then
        echo "pass nothing was run"
        echo "skip jni under sanitizers: this JVM does not start with $runtime"
        return 0
    fi
    LD_PRELOAD=$runtime timeout 900 java -Xmx64m -Djava.library.path="$dir/asan" -cp "$dir/classes" JniTest - "secrets are erased" "2600 sessions leave nothing" \
        >"$tmp/log" 2>&1
    status=$?
    sed 's/ jni: / jni under sanitizers: /' "$tmp/log"
    complaints "$tmp/log" "under sanitizers"
    return $status
}

# ---- against the program ----
ok() { echo "pass jni: $1"; }
bad() { # NAME: with what was said
    echo "FAIL jni: $1"
    for f in "$tmp"/*.out; do echo "-- $f"; tail -n 15 "$f" | sed "s|^|    |"; done
}
judge() { if [ "$2" -eq 0 ]; then ok "$1"; else bad "$1"; fi; }

until_line() { # FILE WORD: prints the port once it is there
    i=0
    while ! grep -q "$2" "$1" 2>/dev/null && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
    sed -n "s/.*$2.*[: ]\([0-9][0-9]*\)\$/\1/p" "$1" | head -n 1
}

# Begins a server; its port is in $port, its process in $server
c_server() { # OPTIONS...
    rm -f "$tmp"/*.out
    "$svconn" echo-server tcp://127.0.0.1:0 --once "$@" >"$tmp/server.out" 2>&1 &
    server=$!
    background="$background $server"
    port=$(until_line "$tmp/server.out" "listening on")
}
java_server() { # OPTIONS...
    rm -f "$tmp"/*.out
    jvm_instead Echo server 0 "$@" >"$tmp/server.out" 2>&1 &
    server=$!
    background="$background $server"
    port=$(until_line "$tmp/server.out" "listening on")
}
java_client() { jvm Echo client "$port" "$@" >"$tmp/client.out" 2>&1; }

ends() { # PROCESS: its status, within 30 seconds
    i=0
    while kill -0 "$1" 2>/dev/null && [ $i -lt 300 ]; do sleep 0.1; i=$((i + 1)); done
    [ $i -lt 300 ] || kill -9 "$1"
    wait "$1"
}

both_digits() { # the same digits at both ends
    one=$(sed -n 's/.*authenticator:* //p' "$tmp/client.out") other=$(sed -n 's/.*authenticator:* //p' "$tmp/server.out")
    [ -n "$one" ] && [ "$one" = "$other" ]
}

client_tests() {
    c_server --key "$tmp/a.key" --peer "$b" --verbose
    java_client "key=$tmp/b.key" "peer=$a" count=50 size=65535 && ends $server && both_digits &&
        grep -q "$(sed -n 's/^fingerprint: //p' "$tmp/a.id")" "$tmp/client.out"
    judge "a Java client and svconn echo-server" $?

    c_server --key "$tmp/a.key" --peer "$b" --hidden
    java_client "key=$tmp/b.key" "peer=$a" hidden=1 context= count=100 size=0 && ends $server
    judge "a Java client and a hidden svconn echo-server" $?

    c_server --psk "$tmp/p.psk" --name board --context tie --renew-every 4
    java_client "psk=$tmp/p.psk" name=phone context=tie renew=5 count=100 size=500 && ends $server &&
        awk '/^back 100/ && $5 >= 19 && $6 >= 19 { found = 1 } END { exit !found }' "$tmp/client.out"
    judge "a Java client and svconn echo-server with a psk; both renew their keys" $?

    c_server --psk "$tmp/p.psk" --name board
    ! java_client "psk=$tmp/q.psk" name=phone && ! ends $server && grep -q '^failed: proof: ' "$tmp/client.out"
    judge "a Java client with a wrong psk finds out" $?

    c_server --key "$tmp/a.key" --peer "$a"
    ! java_client "key=$tmp/b.key" "peer=$a" && ! ends $server && grep -q '^failed: aborted: .*; live 0$' "$tmp/client.out"
    judge "svconn echo-server refuses a Java client with another key" $?

    c_server --key "$tmp/a.key" --peer "$b"
    ! java_client "key=$tmp/b.key" "peer=$b" && ! ends $server && grep -q '^failed: refused: ' "$tmp/client.out"
    judge "a Java client refuses svconn echo-server with another key" $?

    c_server --key "$tmp/a.key" --peer "$b"
    jvm_instead Echo client "$port" "key=$tmp/b.key" "peer=$a" count=1000 pause=20 >"$tmp/client.out" 2>&1 &
    client=$!
    sleep 1.5
    kill -9 $server
    ends $client
    [ $? -eq 1 ] && grep -q '^failed: truncated: ' "$tmp/client.out"
    judge "svconn echo-server is killed: truncated" $?
}

server_tests() {
    head -c 2000000 /dev/urandom >"$tmp/data"
    java_server "key=$tmp/b.key" "peer=$a"
    "$svconn" echo "tcp://127.0.0.1:$port" "$tmp/data" --key "$tmp/a.key" --peer "$b" --verbose >"$tmp/back" 2>"$tmp/client.out" &&
        cmp -s "$tmp/data" "$tmp/back" && ends $server && both_digits
    judge "svconn echo and a Java server" $?

    java_server "key=$tmp/b.key" "peer=$a" hidden=1
    "$svconn" echo "tcp://127.0.0.1:$port" "$tmp/data" --size 65535 --key "$tmp/a.key" --peer "$b" --hidden >"$tmp/back" 2>"$tmp/client.out" &&
        cmp -s "$tmp/data" "$tmp/back" && ends $server
    judge "svconn echo and a hidden Java server" $?

    java_server "psk=$tmp/p.psk" name=phone renew=3
    "$svconn" echo "tcp://127.0.0.1:$port" "$tmp/data" --early --psk "$tmp/p.psk" --name laptop --renew-every 7 >"$tmp/back" 2>"$tmp/client.out" &&
        cmp -s "$tmp/data" "$tmp/back" && ends $server
    judge "svconn echo with early messages and a Java server, with a psk" $?

    java_server "key=$tmp/b.key" "peer=$b"
    ! "$svconn" echo "tcp://127.0.0.1:$port" "$tmp/data" --key "$tmp/a.key" --peer "$b" >"$tmp/back" 2>"$tmp/client.out"
    refused=$?
    ends $server
    [ $? -eq 1 ] && [ $refused -eq 0 ] && grep -q '^failed: refused: .*; live 0$' "$tmp/server.out"
    judge "a Java server refuses svconn echo with another key" $?

    java_server "key=$tmp/b.key" "peer=$a"
    sleep 30 | "$svconn" echo "tcp://127.0.0.1:$port" - --key "$tmp/a.key" --peer "$b" >"$tmp/client.out" 2>&1 &
    pipe=$!
    until_line "$tmp/server.out" authenticator >/dev/null
    client=$(ps -A -o pid= -o args= | awk -v p="tcp://127.0.0.1:$port" '$3 == "echo" && $4 == p { print $1 }')
    background="$background $client"
    kill -9 $client
    ends $server
    [ $? -eq 1 ] && grep -q '^failed: truncated: ' "$tmp/server.out"
    judge "svconn echo is killed: truncated" $?
    kill $pipe 2>/dev/null
}

java_tests() {
    java_server "key=$tmp/b.key" "peer=$a" keepalive=200
    jvm_instead Echo client "$port" "key=$tmp/a.key" "peer=$b" silence=1500 count=2 pause=2500 >"$tmp/client.out" 2>&1 &
    client=$!
    background="$background $client"
    until_line "$tmp/client.out" authenticator >/dev/null
    kill -STOP $client # as a phone does with an app: what came meanwhile must count when it goes on
    sleep 4
    kill -CONT $client
    ends $client && ends $server
    judge "a Java client and a Java server; the client is stopped for longer than its silence" $?
}

echo_tests() {
    for k in a b; do
        "$svconn" keygen --hex -o "$tmp/$k.key" >/dev/null 2>&1
        "$svconn" id "$tmp/$k.key" >"$tmp/$k.id"
    done
    "$svconn" keygen --psk -o "$tmp/p.psk" 2>/dev/null
    "$svconn" keygen --psk -o "$tmp/q.psk" 2>/dev/null
    a=$(sed -n 's/^public key: //p' "$tmp/a.id") b=$(sed -n 's/^public key: //p' "$tmp/b.id")
    client_tests
    server_tests
    java_tests
}

# The build file of the NDK, for this machine; and the classes that it is for, with it
cmake_tests() {
    if ! command -v cmake >/dev/null; then
        echo "pass nothing was run"
        echo "skip jni: bindings/jvm/CMakeLists.txt, no cmake is here"
        return 0
    fi
    cmake -S bindings/jvm -B "$tmp/cmake" -DCMAKE_C_FLAGS="-Wall -Wextra -Werror" >"$tmp/cmake.out" 2>&1 &&
        cmake --build "$tmp/cmake" >>"$tmp/cmake.out" 2>&1
    judge "CMakeLists.txt builds the library" $?
    # What the page says
    sed -n 's/^    //p' bindings/jvm/README.md | sed -n '/^cmake/,/^wait/p' | sed "s|build/jvm|$tmp/jvm|g; s/ 7001 / $((20000 + $$ % 20000)) /" >"$tmp/page"
    sh "$tmp/page" >"$tmp/page.out" 2>&1
    [ "$(grep -c '^closed in order; live 0' "$tmp/page.out")" -eq 2 ] && [ "$(grep '^authenticator' "$tmp/page.out" | sort | uniq -c | awk '{ print $1 }')" = 2 ]
    judge "the commands of bindings/jvm/README.md" $?
    java -Xcheck:jni -Djava.library.path="$tmp/cmake" -cp "$dir/classes" JniTest "messages of every size" >"$tmp/cmake.out" 2>&1
    judge "the library that CMakeLists.txt builds" $?
    # What it gives to others is what Native.java wants, and nothing else
    nm -D --defined-only "$tmp/cmake/libsvconn_jni.so" | sed -n 's/.* T Java_io_svconn_Native_//p' | sort >"$tmp/given"
    sed -n 's/.* native .* \([a-zA-Z]*\)(.*/\1/p' bindings/jvm/java/io/svconn/Native.java | sort >"$tmp/wanted.out"
    [ -s "$tmp/given" ] && diff "$tmp/given" "$tmp/wanted.out" &&
        [ "$(nm -D --defined-only "$tmp/cmake/libsvconn_jni.so" | grep -c ' T ')" -eq "$(wc -l <"$tmp/given")" ]
    judge "the library has the functions of Native.java, and gives out no others" $?
    # The branch for the NDK, by another compiler for 64-bit Arm
    if command -v aarch64-linux-gnu-gcc >/dev/null; then
        cmake -S bindings/jvm -B "$tmp/arm" -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc -DANDROID=ON -DANDROID_ABI=arm64-v8a -DSVCONN_ARM_AES=ON \
            -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS="-Wall -Wextra -Werror -isystem $JAVA_HOME/include -isystem $JAVA_HOME/include/linux" >"$tmp/arm.out" 2>&1 &&
            cmake --build "$tmp/arm" >>"$tmp/arm.out" 2>&1 && readelf -lW "$tmp/arm/libsvconn_jni.so" | grep LOAD | grep -q 0x4000$ &&
            aarch64-linux-gnu-objdump -d "$tmp/arm/libsvconn_jni.so" | grep -q 'aese'
        judge "CMakeLists.txt as for arm64-v8a: pages of 16 kB, AES instructions" $?
    else echo "skip jni: CMakeLists.txt as for arm64-v8a: no aarch64-linux-gnu-gcc here (Debian: gcc-aarch64-linux-gnu)"; fi
}

# What the classes use is there from the minSdk of the Android project on
api_tests() {
    sdk=$(sed -n 's/^ *minSdk = \([0-9]*\).*/\1/p' bindings/jvm/android/build.gradle.kts)
    used() { # DIRECTORY: class.name of the platform
        find "$1" -name '*.class' | while read -r f; do javap -p -v "$f"; done |
            sed -n 's/.*= \(Methodref\|InterfaceMethodref\|Fieldref\) .*\/\/ *\(java[^:]*\):.*/\2/p' | tr -d '"' | sort -u
    }
    known() { awk -F '\t' -v sdk="$1" '!/^#/ && $1 <= sdk { print $2 }' tests/jni/android_api.txt | sort; }
    used "$dir/classes/io/svconn" >"$tmp/used.out"
    [ "$(wc -l <"$tmp/used.out")" -gt 40 ] && known "$sdk" | comm -23 "$tmp/used.out" - >"$tmp/unknown.out" && [ ! -s "$tmp/unknown.out" ]
    judge "what the classes use is in Android $sdk (API level) and newer" $?
    [ "$(known 18 | comm -23 "$tmp/used.out" -)" = java/nio/charset/StandardCharsets.UTF_8 ]
    judge "would tell what is newer" $?
}

case $part in
inside) inside ;;
asan) asan ;;
echo) echo_tests ;;
cmake) cmake_tests ;;
api) api_tests ;;
esac
