// SPDX-License-Identifier: ISC
//! src/lib.rs against svconn.h, as the C compiler sees it (layout.c).
use core::mem::{align_of, size_of};
use svconn_sys::*;

extern "C" {
    static svconn_sys_layout: usize; // the first of svconn_sys_layout_len
    static svconn_sys_layout_len: usize;
}

fn of_c() -> &'static [usize] {
    unsafe { core::slice::from_raw_parts(core::ptr::addr_of!(svconn_sys_layout), svconn_sys_layout_len) }
}

fn size_of_field<T>(_: *const T) -> usize {
    size_of::<T>()
}

#[test]
fn layout_and_constants() {
    let mut rust = vec![
        SESSION_ROOM,
        size_of::<svconn>(),
        size_of::<svconn_identity>(),
        align_of::<svconn_identity>(),
        size_of::<svconn_config>(),
        align_of::<svconn_config>(),
        size_of::<svconn_err>(),
        size_of::<svconn_state>(),
    ];
    let config = core::mem::MaybeUninit::<svconn_config>::uninit();
    let base = config.as_ptr();
    macro_rules! fields {
        ($($name:ident)*) => { $(
            let field = unsafe { core::ptr::addr_of!((*base).$name) };
            rust.push(field as usize - base as usize);
            rust.push(size_of_field(field));
        )* };
    }
    fields!(role identity context context_len peer_types hidden early pad_to known_servers known_servers_count);
    fields!(renew_records renew_bytes renew_ms handshake_ms keepalive_ms silence_ms);
    macro_rules! constants {
        ($($name:expr)*) => { $( rust.push($name as usize); )* };
    }
    constants!(SVCONN_OK SVCONN_AGAIN SVCONN_END SVCONN_E_ARGUMENT SVCONN_E_STATE SVCONN_E_SIZE SVCONN_E_SEED SVCONN_E_UNSUPPORTED);
    constants!(SVCONN_E_ABSENT SVCONN_E_TRUNCATED SVCONN_E_ABORTED SVCONN_E_VERSION SVCONN_E_FORMAT SVCONN_E_LIMIT SVCONN_E_TYPE SVCONN_E_KEY);
    constants!(SVCONN_E_SELF SVCONN_E_UNKNOWN SVCONN_E_PROOF SVCONN_E_DH SVCONN_E_SEAL SVCONN_E_PADDING SVCONN_E_REFUSED SVCONN_E_CONFIRM);
    constants!(SVCONN_E_TAG SVCONN_E_KEY_ID SVCONN_E_KEY_LIMIT SVCONN_E_CONTROL SVCONN_E_AFTER_CLOSE SVCONN_E_TIMEOUT SVCONN_E_SILENT);
    constants!(SVCONN_E_CANCELLED);
    constants!(SVCONN_TYPE_ED25519 SVCONN_TYPE_PSK SVCONN_TYPE_CUSTOM SVCONN_NAME_MAX SVCONN_BUILT_IN_MAX SVCONN_PROOF_MESSAGE_MAX);
    constants!(svconn_role::SVCONN_CLIENT svconn_role::SVCONN_SERVER SVCONN_EARLY_IF_SAFE SVCONN_EARLY_NEVER SVCONN_EARLY_ALWAYS);
    constants!(SVCONN_PEER_ED25519 SVCONN_PEER_PSK SVCONN_PEER_CUSTOM SVCONN_OFF);
    constants!(SVCONN_MESSAGE_MAX SVCONN_OVERHEAD SVCONN_BUFFER_MIN SVCONN_BUFFER_RESERVE);
    constants!(SVCONN_NONE SVCONN_HANDSHAKE SVCONN_NEEDS_PROOF SVCONN_NEEDS_PSK SVCONN_NEEDS_VERDICT SVCONN_CONFIRMING SVCONN_CONNECTED);
    constants!(SVCONN_CLOSED SVCONN_FAILED SVCONN_WORKING);
    assert_eq!(rust, of_c());
}

/// Every function of the header is declared here (with the tree at hand, not in a package).
#[test]
fn functions() {
    let header = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../svc/svconn.h");
    let text = match std::fs::read_to_string(header) {
        Ok(text) => text,
        Err(_) => return,
    };
    let own = include_str!("../src/lib.rs");
    let mut found = 0;
    for line in text.lines().filter(|l| !l.starts_with([' ', '*', '/', '#'])) {
        let before = line.split('(').next().unwrap();
        let name = before.rsplit([' ', '*']).next().unwrap();
        if before.len() == line.len() || !name.starts_with("svconn_") {
            continue;
        }
        assert!(own.contains(&format!("pub fn {}(", name)), "{} is not declared", name);
        found += 1;
    }
    assert!(found >= 35, "{} functions", found);
    assert_eq!(found, own.matches("    pub fn svconn_").count());
}
