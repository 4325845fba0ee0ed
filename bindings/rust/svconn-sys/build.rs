// SPDX-License-Identifier: ISC
//! Compiles the C library: from c/ in a package, which has it in two files, else from the tree that this directory lies in.
use std::{env, fs, path::Path};

fn sources(dir: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(dir)
        .unwrap_or_else(|e| panic!("{}: {}: neither c/ nor the tree of svconn is there", dir.display(), e));
    let mut files: Vec<_> =
        entries.map(|f| f.unwrap().path()).filter(|f| f.extension().map_or(false, |e| e == "c")).collect();
    files.sort();
    files
}

fn main() {
    let mut cc = cc::Build::new();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let packed = here.join("c");
    if packed.join("svconn.c").exists() {
        cc.file(packed.join("svconn.c")).include(&packed);
        println!("cargo:rerun-if-changed=c");
        println!("cargo:include={}", packed.display());
    } else {
        let root = here.join("../../..");
        for name in ["svc", "crypto"] {
            cc.files(sources(&root.join(name))).include(root.join(name));
            println!("cargo:rerun-if-changed={}", root.join(name).display());
        }
        println!("cargo:include={}", root.join("svc").display());
    }
    cc.file("layout.c");
    println!("cargo:rerun-if-changed=layout.c");
    println!("cargo:rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_SMALL").is_some() {
        cc.define("SVCONN_SMALL", None);
    }
    // Cryptography that is not optimised is many times slower, in programs that are built for debugging too.
    if env::var("OPT_LEVEL").as_deref() == Ok("0") {
        cc.opt_level(2);
    }
    cc.flag_if_supported("-std=c11").compile("svconn");
}
