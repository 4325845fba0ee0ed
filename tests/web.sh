#!/bin/sh
# SPDX-License-Identifier: ISC
# bindings/web on Node.js, against the program, as a package, and the page in three browsers. From the repository's root, after make:
#   sh tests/web.sh BUILD [PART]      builds it in BUILD/web, and runs all parts; or one part of what is built
set -u
build=$1 part=${2:-all} package=$1/web/package

all() {
    for tool in node clang wasm-ld; do
        command -v $tool >/dev/null && continue
        exec sh tests/run.sh "echo 'pass nothing was run'; echo 'skip check-web: no $tool here (Debian: nodejs, clang, lld)'"
    done
    sh bindings/web/build.sh "$build/web" || exit 1
    set --
    for part in sessions plain connections program package chromium firefox webkit; do set -- "$@" "sh tests/web.sh $build $part"; done
    exec sh tests/run.sh "$@"
}

judge() { if [ "$2" -eq 0 ]; then echo "pass web: $1"; else echo "FAIL web: $1"; cat "$tmp/out"; fi; }

# As a user has it: packed, unpacked among the modules of a program, imported by its name; the types, by a strict compiler
package_tests() {
    tmp=$(mktemp -d) || exit 1
    trap 'rm -rf "$tmp"' EXIT
    mkdir -p "$tmp/node_modules/svconn"
    if command -v npm >/dev/null; then
        (cd "$tmp" && npm pack --silent "$OLDPWD/$package" && tar xzf svconn-*.tgz -C node_modules/svconn --strip-components=1) >"$tmp/out" 2>&1
        judge "npm pack" $?
    else
        echo "skip web: npm pack: no npm here (Debian: npm)"
        cp "$package"/* "$tmp/node_modules/svconn/"
    fi
    (cd "$tmp/node_modules/svconn" && ls) | tr '\n' ' ' >"$tmp/out"
    [ "$(cat "$tmp/out")" = "LICENSE README.md package.json svconn-simd.wasm svconn.d.ts svconn.js svconn.wasm " ]
    judge "the package has these files and no others" $?
    grep -q "^#define SVCONN_VERSION \"$(sed -n 's/.*"version": "\(.*\)".*/\1/p' "$package/package.json")\"" svc/svconn.h
    judge "the package has the version of the library" $?
    echo "import { Identity } from 'svconn'; console.log((await Identity.generate()).fingerprint)" >"$tmp/program.mjs"
    node "$tmp/program.mjs" 2>&1 | tee "$tmp/out" | grep -Eq '^[0-9]{5}( [0-9]{5}){5}$'
    judge "a program imports it by its name" $?
    # The two programs of the README, on a port that is free
    port=$((20000 + $(od -An -N2 -tu2 /dev/urandom) % 12000))
    for name in server client; do
        awk -v want="$name.mjs" '$0 == "<!-- " want " -->" { on = 1; next } on == 1 && /^```js/ { on = 2; next } /^```/ { on = 0 } on == 2' \
            bindings/web/README.md | sed "s/7001/$port/" >"$tmp/$name.mjs"
    done
    node "$tmp/server.mjs" 2>"$tmp/server.out" &
    server=$!
    i=0
    until node "$tmp/client.mjs" >"$tmp/out" 2>&1 || [ $i -eq 50 ]; do sleep 0.1; i=$((i + 1)); done
    kill $server
    [ "$(cat "$tmp/out")" = hello ] && [ ! -s "$tmp/server.out" ]
    judge "the two programs of README.md" $?
    if command -v tsc >/dev/null; then
        cp tests/web/types.ts "$tmp/types.mts"
        (cd "$tmp" && tsc --noEmit --strict --target es2022 --module nodenext --moduleResolution nodenext types.mts) >"$tmp/out" 2>&1
        judge "the types, in a program in TypeScript" $?
    else echo "skip web: the types: no tsc here (Debian: node-typescript)"; fi
}

page_tests() { # ENGINE
    python=${PYTHON:-python3}
    if ! command -v websockify >/dev/null; then echo "skip web: $1: no websockify here (Debian: websockify)"
    elif ! "$python" -c 'import selenium' 2>/dev/null; then echo "skip web: $1: $python has no selenium (Debian: python3-selenium, for /usr/bin/python3)"
    else exec timeout 600 "$python" tests/web/page.py "$build" "$1"; fi
}

case $part in
all) all ;;
plain) SVCONN_WASM=svconn.wasm exec timeout 300 node --expose-gc tests/web/sessions.mjs "$package" ;;
sessions) exec timeout 300 node --expose-gc tests/web/sessions.mjs "$package" ;;
connections) exec timeout 300 node tests/web/connections.mjs "$package" ;;
program) exec timeout 300 node tests/web/program.mjs "$package" "$build" ;;
package) package_tests ;;
chromium | firefox | webkit) page_tests "$part" ;;
esac
