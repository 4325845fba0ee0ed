# SPDX-License-Identifier: ISC
# To be read by a shell (. tests/rust/cargo.sh): finds cargo, and crates without a network; works in $build/rust. Status 77 and a sentence on standard error if something is missing.
CARGO=${CARGO:-cargo}
if ! command -v "$CARGO" >/dev/null 2>&1; then echo "no cargo here (Debian: cargo)" >&2; exit 77; fi
rm -f bindings/rust/Cargo.lock # it may be of another cargo
mkdir -p "$build/rust"
CARGO_TARGET_DIR=$(cd "$build/rust" && pwd)/target
debian=/usr/share/cargo/registry
if [ "$(echo $debian/cc-*)" != "$debian/cc-*" ]; then
    CARGO_HOME=$build/rust/home
    mkdir -p "$CARGO_HOME"
    CARGO_HOME=$(cd "$CARGO_HOME" && pwd)
    printf '[source.crates-io]\nreplace-with = "debian"\n[source.debian]\ndirectory = "%s"\n' $debian >"$CARGO_HOME/config.toml"
    export CARGO_HOME
elif ! (cd bindings/rust && "$CARGO" fetch --offline >/dev/null 2>&1); then echo "no crate cc here (Debian: librust-cc-dev)" >&2; exit 77; fi
CARGO_NET_OFFLINE=true
export CARGO CARGO_TARGET_DIR CARGO_NET_OFFLINE
