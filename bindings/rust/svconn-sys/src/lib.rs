// SPDX-License-Identifier: ISC
//! The declarations of `svconn.h`, for the C library that this crate compiles. The contract of each function is in that header. Programs
//! use the crate `svconn`.
#![no_std]
#![allow(non_camel_case_types)]

use core::ffi::c_void;

// core::ffi has these from Rust 1.64 on. An int has 32 bits wherever this library is of use; a char is given as what it is here, a byte.
type c_int = i32;
type c_uint = u32;
type c_char = u8;

pub type svconn_err = c_int;
pub const SVCONN_OK: svconn_err = 0;
pub const SVCONN_AGAIN: svconn_err = 1;
pub const SVCONN_END: svconn_err = 2;
pub const SVCONN_E_ARGUMENT: svconn_err = 3;
pub const SVCONN_E_STATE: svconn_err = 4;
pub const SVCONN_E_SIZE: svconn_err = 5;
pub const SVCONN_E_SEED: svconn_err = 6;
pub const SVCONN_E_UNSUPPORTED: svconn_err = 7;
pub const SVCONN_E_ABSENT: svconn_err = 32;
pub const SVCONN_E_TRUNCATED: svconn_err = 33;
pub const SVCONN_E_ABORTED: svconn_err = 34;
pub const SVCONN_E_VERSION: svconn_err = 35;
pub const SVCONN_E_FORMAT: svconn_err = 36;
pub const SVCONN_E_LIMIT: svconn_err = 37;
pub const SVCONN_E_TYPE: svconn_err = 38;
pub const SVCONN_E_KEY: svconn_err = 39;
pub const SVCONN_E_SELF: svconn_err = 40;
pub const SVCONN_E_UNKNOWN: svconn_err = 41;
pub const SVCONN_E_PROOF: svconn_err = 42;
pub const SVCONN_E_DH: svconn_err = 43;
pub const SVCONN_E_SEAL: svconn_err = 44;
pub const SVCONN_E_PADDING: svconn_err = 45;
pub const SVCONN_E_REFUSED: svconn_err = 46;
pub const SVCONN_E_CONFIRM: svconn_err = 47;
pub const SVCONN_E_TAG: svconn_err = 48;
pub const SVCONN_E_KEY_ID: svconn_err = 49;
pub const SVCONN_E_KEY_LIMIT: svconn_err = 50;
pub const SVCONN_E_CONTROL: svconn_err = 51;
pub const SVCONN_E_AFTER_CLOSE: svconn_err = 52;
pub const SVCONN_E_TIMEOUT: svconn_err = 53;
pub const SVCONN_E_SILENT: svconn_err = 54;
pub const SVCONN_E_CANCELLED: svconn_err = 55;

pub const SVCONN_TYPE_ED25519: u8 = 0x01;
pub const SVCONN_TYPE_PSK: u8 = 0x02;
pub const SVCONN_TYPE_CUSTOM: u8 = 0x80;
pub const SVCONN_NAME_MAX: usize = 64;
pub const SVCONN_BUILT_IN_MAX: usize = 65;
pub const SVCONN_PROOF_MESSAGE_MAX: usize = 64;

/// As large as an enum of C: one byte on some boards.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum svconn_role {
    SVCONN_CLIENT = 1,
    SVCONN_SERVER = 2,
}

pub const SVCONN_EARLY_IF_SAFE: u8 = 0;
pub const SVCONN_EARLY_NEVER: u8 = 1;
pub const SVCONN_EARLY_ALWAYS: u8 = 2;

pub const SVCONN_PEER_ED25519: c_uint = 1;
pub const SVCONN_PEER_PSK: c_uint = 2;
pub const SVCONN_PEER_CUSTOM: c_uint = 4;

pub const SVCONN_OFF: u32 = u32::MAX;

pub const SVCONN_MESSAGE_MAX: usize = 65535;
pub const SVCONN_OVERHEAD: usize = 16;
pub const SVCONN_BUFFER_MIN: usize = 256;
pub const SVCONN_BUFFER_RESERVE: usize = 33;

pub type svconn_state = c_int;
pub const SVCONN_NONE: svconn_state = 0;
pub const SVCONN_HANDSHAKE: svconn_state = 1;
pub const SVCONN_NEEDS_PROOF: svconn_state = 2;
pub const SVCONN_NEEDS_PSK: svconn_state = 3;
pub const SVCONN_NEEDS_VERDICT: svconn_state = 4;
pub const SVCONN_CONFIRMING: svconn_state = 5;
pub const SVCONN_CONNECTED: svconn_state = 6;
pub const SVCONN_CLOSED: svconn_state = 7;
pub const SVCONN_FAILED: svconn_state = 8;
pub const SVCONN_WORKING: svconn_state = 9;

/// Fields are private.
#[repr(C)]
pub struct svconn_identity {
    id: *const u8,
    id_len: usize,
    built_in: [u8; SVCONN_BUILT_IN_MAX],
    secret: [u8; 32],
}

impl svconn_identity {
    pub const fn zeroed() -> Self {
        Self { id: core::ptr::null(), id_len: 0, built_in: [0; SVCONN_BUILT_IN_MAX], secret: [0; 32] }
    }
}

#[repr(C)]
pub struct svconn_config {
    pub role: svconn_role,
    pub identity: *const svconn_identity,
    pub context: *const u8,
    pub context_len: usize,
    pub peer_types: c_uint,
    pub hidden: u8,
    pub early: u8,
    pub pad_to: u16,
    pub known_servers: *const [u8; 32],
    pub known_servers_count: usize,
    pub renew_records: u32,
    pub renew_bytes: u32,
    pub renew_ms: u32,
    pub handshake_ms: u32,
    pub keepalive_ms: u32,
    pub silence_ms: u32,
}

/// Room for the session of C, whose size depends on the target: at least as much as it wants (`layout.c` does not compile otherwise).
pub const SESSION_ROOM: usize = if cfg!(feature = "small") {
    416
} else if cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) {
    1392
} else {
    880
};

/// A session.
#[repr(C, align(8))]
pub struct svconn {
    room: [u8; SESSION_ROOM],
}

impl svconn {
    pub const fn zeroed() -> Self {
        Self { room: [0; SESSION_ROOM] }
    }
}

/// Room for a handshake in slices, as large as in C.
pub const WORKSPACE_WORDS: usize = if cfg!(feature = "small") {
    82
} else if cfg!(target_pointer_width = "64") {
    265
} else {
    145
};

/// What a handshake in slices needs until it is over.
#[repr(C)]
pub struct svconn_workspace {
    pub words: [u64; WORKSPACE_WORDS],
}

extern "C" {
    pub fn svconn_strerror(e: svconn_err) -> *const c_char;
    pub fn svconn_reason_name(e: svconn_err) -> *const c_char;

    pub fn svconn_identity_ed25519(id: *mut svconn_identity, seed: *const u8);
    pub fn svconn_identity_psk(
        id: *mut svconn_identity,
        psk: *const u8,
        name: *const u8,
        name_len: usize,
    ) -> svconn_err;
    pub fn svconn_identity_custom(id: *mut svconn_identity, identity: *const u8, len: usize) -> svconn_err;
    pub fn svconn_identity_bytes(id: *const svconn_identity, len: *mut usize) -> *const u8;
    pub fn svconn_identity_wipe(id: *mut svconn_identity);

    pub fn svconn_seed_check(last: *mut u8, draws: *mut u8) -> svconn_err;
    #[cfg_attr(feature = "small", link_name = "svconn_init_small")]
    pub fn svconn_init(
        s: *mut svconn,
        config: *const svconn_config,
        seed: *mut u8,
        rx: *mut u8,
        rx_size: usize,
        tx: *mut u8,
        tx_size: usize,
    ) -> svconn_err;
    #[cfg_attr(feature = "small", link_name = "svconn_init_sliced_small")]
    pub fn svconn_init_sliced(
        s: *mut svconn,
        work: *mut svconn_workspace,
        config: *const svconn_config,
        seed: *mut u8,
        rx: *mut u8,
        rx_size: usize,
        tx: *mut u8,
        tx_size: usize,
    ) -> svconn_err;
    pub fn svconn_work(s: *mut svconn, units: u32) -> svconn_err;
    pub fn svconn_wipe(s: *mut svconn);
    pub fn svconn_status(s: *const svconn) -> svconn_state;
    pub fn svconn_error(s: *const svconn) -> svconn_err;

    pub fn svconn_peer(s: *const svconn, len: *mut usize) -> *const u8;
    pub fn svconn_accept(s: *mut svconn) -> svconn_err;
    pub fn svconn_refuse(s: *mut svconn) -> svconn_err;
    pub fn svconn_accept_known(s: *mut svconn, public_keys: *const [u8; 32], n: usize) -> svconn_err;
    pub fn svconn_give_psk(s: *mut svconn, psk: *const u8) -> svconn_err;
    pub fn svconn_proof_message(s: *const svconn, msg: *mut u8, len: *mut usize) -> svconn_err;
    pub fn svconn_prove(s: *mut svconn, proof: *const u8, len: usize) -> svconn_err;
    pub fn svconn_peer_proof(
        s: *const svconn,
        proof: *mut *const u8,
        proof_len: *mut usize,
        msg: *mut u8,
        msg_len: *mut usize,
    ) -> svconn_err;

    pub fn svconn_wire_in(s: *mut svconn, bytes: *const u8, len: usize, used: *mut usize, now_ms: u64) -> svconn_err;
    pub fn svconn_wire_space(s: *mut svconn, len: *mut usize) -> *mut u8;
    pub fn svconn_wire_filled(s: *mut svconn, len: usize, now_ms: u64) -> svconn_err;
    pub fn svconn_wire_eof(s: *mut svconn) -> svconn_err;
    pub fn svconn_wire_out(s: *const svconn, len: *mut usize) -> *const u8;
    pub fn svconn_wire_sent(s: *mut svconn, len: usize) -> svconn_err;
    pub fn svconn_tick(s: *mut svconn, now_ms: u64, next_ms: *mut u64) -> svconn_err;

    pub fn svconn_send(s: *mut svconn, msg: *const c_void, len: usize, now_ms: u64) -> svconn_err;
    pub fn svconn_recv(s: *mut svconn, msg: *mut *const u8, len: *mut usize) -> svconn_err;
    pub fn svconn_recv_done(s: *mut svconn) -> svconn_err;
    pub fn svconn_close(s: *mut svconn, now_ms: u64) -> svconn_err;
    pub fn svconn_abort(s: *mut svconn);
    pub fn svconn_renew(s: *mut svconn) -> svconn_err;

    pub fn svconn_seal(s: *mut svconn, record: *mut u8, len: usize, now_ms: u64) -> svconn_err;
    pub fn svconn_open(
        s: *mut svconn,
        record: *mut u8,
        record_len: usize,
        msg: *mut *mut u8,
        len: *mut usize,
        now_ms: u64,
    ) -> svconn_err;

    pub fn svconn_export(
        s: *const svconn,
        label: *const c_char,
        ctx: *const u8,
        ctx_len: usize,
        out: *mut u8,
        out_len: usize,
    ) -> svconn_err;
    pub fn svconn_authenticator(s: *const svconn, out: *mut c_char) -> svconn_err;
    pub fn svconn_fingerprint(out: *mut c_char, identity: *const u8, len: usize);
    pub fn svconn_key_ids(s: *const svconn, sending: *mut c_uint, receiving: *mut c_uint);
}
