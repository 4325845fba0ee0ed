#!/bin/sh
# SPDX-License-Identifier: ISC
# The Java peer of the pair tests. Usage, in the root of the tree: sh tests/pairs/java.sh build | server KIND | client KIND PORT
# KIND: key, hidden or psk. build needs a JDK (Debian: openjdk-17-jdk-headless); CC.
set -u
dir=build/pairs/java
build() {
    javac=$(command -v javac) && home=$(dirname "$(dirname "$(readlink -f "$javac")")") && [ -e "$home/include/linux/jni_md.h" ] || {
        echo "no JDK with a jni.h here (Debian: openjdk-17-jdk-headless)" >&2
        exit 77
    }
    mkdir -p $dir &&
        ${CC:-cc} -std=c11 -O2 -fPIC -fvisibility=hidden -shared -Isvc -Icrypto -isystem "$home/include" -isystem "$home/include/linux" \
            -o $dir/libsvconn_jni.so bindings/jvm/svconn_jni.c svc/*.c crypto/*.c &&
        javac --release 8 -Xlint:-options -d $dir bindings/jvm/java/io/svconn/*.java tests/pairs/JavaPeer.java
}
case ${1:-} in
build) build ;;
server | client) exec java -Xmx64m -Djava.library.path=$dir -cp $dir JavaPeer "$@" ;;
*) echo "usage: sh tests/pairs/java.sh build | server KIND | client KIND PORT" >&2; exit 1 ;;
esac
