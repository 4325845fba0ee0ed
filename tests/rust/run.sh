#!/bin/sh
# SPDX-License-Identifier: ISC
# bindings/rust: its tests, as it is, small, without std; clippy if it is here; the package. Usage: sh tests/rust/run.sh DIRECTORY, where make builds
set -u
build=$1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
if (. tests/rust/cargo.sh) 2>"$tmp/why"; then . tests/rust/cargo.sh; else
    echo "pass nothing was run"
    echo "skip rust: $(cat "$tmp/why")"
    exit 0
fi
in_rust() { (cd bindings/rust && "$CARGO" "$@") >"$tmp/log" 2>&1; }
judge() { # NAME STATUS
    if [ "$2" -eq 0 ]; then echo "pass rust: $1"; else
        echo "FAIL rust: $1"
        tail -n 40 "$tmp/log"
    fi
}
tests() { # NAME ARGUMENT...: each test is one of ours
    name=$1
    shift
    in_rust test "$@"
    status=$?
    sed -n "s/^test \(.*\) \.\.\. ok\$/pass rust, $name: \1/p; s/^test \(.*\) \.\.\. FAILED\$/FAIL rust, $name: \1/p" "$tmp/log"
    if [ $status -ne 0 ]; then judge "$name" 1
    elif [ "$(grep -c '^test .* ok$' "$tmp/log")" -lt 8 ]; then judge "$name: so few tests" 1; fi
}

tests "$("$CARGO" --version)"
tests small --features svconn/small,svconn-sys/small --test layout --test session
in_rust build -p svconn --no-default-features
judge "no_std" $?
if (cd bindings/rust && "$CARGO" clippy --version) >/dev/null 2>&1; then
    in_rust clippy --all-targets -- -D warnings
    judge "clippy has nothing to say" $?
else echo "skip rust: no clippy here (Debian: rust-clippy)"; fi
sh bindings/rust/package.sh --quiet >"$tmp/log" 2>&1
judge "the package svconn-sys is built from its own two files" $?
in_rust package -p svconn-sys --list --allow-dirty && ! grep -q '^c/' "$tmp/log" && [ ! -e bindings/rust/svconn-sys/c ]
judge "no copy of the sources is left in the tree" $?
