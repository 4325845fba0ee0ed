// SPDX-License-Identifier: ISC
#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![warn(missing_docs)]

use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;
use core::ptr;
use core::time::Duration;
use svconn_sys as sys;

#[cfg(feature = "std")]
mod stream;
#[cfg(feature = "std")]
pub use stream::Stream;

// ---- errors -------------------------------------------------------------------------------------

/// A `svconn_err` other than `SVCONN_OK`. [`Error::AGAIN`] and [`Error::END`] are among them, and mean that nothing is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Error(sys::svconn_err);

macro_rules! errors {
    ($($name:ident $of_c:ident $text:literal)*) => {
        #[allow(missing_docs)]
        impl Error { $( #[doc = $text] pub const $name: Error = Error(sys::$of_c); )* }
    };
}
errors! {
    AGAIN SVCONN_AGAIN "Not yet: no message there, or no room; go on carrying bytes."
    END SVCONN_END "The peer has closed, in order: all that it sent was received."
    ARGUMENT SVCONN_E_ARGUMENT "A value out of range, a label that is reserved."
    STATE SVCONN_E_STATE "Not in this state."
    SIZE SVCONN_E_SIZE "A message or proof that the buffer can never hold, or a buffer that is too small."
    SEED SVCONN_E_SEED "The random source failed."
    UNSUPPORTED SVCONN_E_UNSUPPORTED "The config asks for a part that this build leaves out."
    ABSENT SVCONN_E_ABSENT "The link ended before the first byte."
    TRUNCATED SVCONN_E_TRUNCATED "The link ended without the peer's CLOSE."
    ABORTED SVCONN_E_ABORTED "The peer sent the error packet, or somebody on the path did."
    VERSION SVCONN_E_VERSION "Not SVC-1: another protocol, or another version."
    FORMAT SVCONN_E_FORMAT "A length that cannot be, a field that does not fit."
    LIMIT SVCONN_E_LIMIT "A message above the limit, or larger than our receive buffer."
    TYPE SVCONN_E_TYPE "An identity of a type that does not exist or that we do not take."
    KEY SVCONN_E_KEY "The peer's public key is not acceptable."
    SELF SVCONN_E_SELF "The peer presents our own identity."
    UNKNOWN SVCONN_E_UNKNOWN "A hidden server that is none of those that we know."
    PROOF SVCONN_E_PROOF "The peer's proof is wrong: another context, another psk, or an attack."
    DH SVCONN_E_DH "An X25519 result is zero."
    SEAL SVCONN_E_SEAL "The client's sealed identity does not open."
    PADDING SVCONN_E_PADDING "Padding that is not zero."
    REFUSED SVCONN_E_REFUSED "Our application refused the peer."
    CONFIRM SVCONN_E_CONFIRM "The server's first record is not its confirmation."
    TAG SVCONN_E_TAG "A record was changed, replayed, dropped or reordered."
    KEY_ID SVCONN_E_KEY_ID "A record under a key that cannot be."
    KEY_LIMIT SVCONN_E_KEY_LIMIT "The peer did not renew its key in time."
    CONTROL SVCONN_E_CONTROL "A control record that does not exist."
    AFTER_CLOSE SVCONN_E_AFTER_CLOSE "A record after CLOSE."
    TIMEOUT SVCONN_E_TIMEOUT "The handshake did not end within its deadline."
    SILENT SVCONN_E_SILENT "Nothing was heard of the peer for too long."
    CANCELLED SVCONN_E_CANCELLED "Session::abort."
}

impl Error {
    /// Final: the session is over, and its keys are gone.
    pub fn is_failure(self) -> bool {
        self.0 >= sys::SVCONN_E_ABSENT
    }
    /// The short name, such as "key-limit".
    pub fn reason(self) -> &'static str {
        unsafe { text(sys::svconn_reason_name(self.0)) }
    }
}

/// # Safety
/// `p` is a constant string of the C library: ASCII, with a NUL at its end.
unsafe fn text(p: *const u8) -> &'static str {
    let len = (0..).take_while(|i| *p.add(*i) != 0).count();
    core::str::from_utf8(core::slice::from_raw_parts(p, len)).unwrap_or("?")
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(unsafe { text(sys::svconn_strerror(self.0)) })
    }
}
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({})", self.reason())
    }
}
#[cfg(feature = "std")]
impl std::error::Error for Error {}

/// What the calls of this crate return.
pub type Result<T> = core::result::Result<T, Error>;

fn done(e: sys::svconn_err) -> Result<()> {
    match e {
        sys::SVCONN_OK => Ok(()),
        e => Err(Error(e)),
    }
}

// ---- identities ---------------------------------------------------------------------------------

/// Who we are. Holds a secret, which is wiped when it is dropped. (A move in Rust leaves bytes behind: make it where it stays.)
pub struct Identity<'a> {
    raw: sys::svconn_identity,
    bytes: PhantomData<&'a [u8]>,
}

// Plain data and a pointer to bytes that are only read
unsafe impl Send for Identity<'_> {}
unsafe impl Sync for Identity<'_> {}

impl<'a> Identity<'a> {
    fn made(make: impl FnOnce(&mut sys::svconn_identity) -> sys::svconn_err) -> Result<Self> {
        let mut me = Identity { raw: sys::svconn_identity::zeroed(), bytes: PhantomData };
        done(make(&mut me.raw))?;
        Ok(me)
    }
    /// An Ed25519 key: `seed` is the private key of RFC 8032. Use the key for nothing else.
    pub fn ed25519(seed: &[u8; 32]) -> Identity<'static> {
        let mut me = Identity { raw: sys::svconn_identity::zeroed(), bytes: PhantomData };
        unsafe { sys::svconn_identity_ed25519(&mut me.raw, seed.as_ptr()) };
        me
    }
    /// A pre-shared key: 32 random bytes, never a password. The names of the two parties differ; they are 0 to 64 bytes long.
    pub fn psk(psk: &[u8; 32], name: &[u8]) -> Result<Identity<'static>> {
        Identity::made(|raw| unsafe { sys::svconn_identity_psk(raw, psk.as_ptr(), name.as_ptr(), name.len()) })
    }
    /// The application's own: `identity[0]` (0x80 to 0xff) is the type. The session asks for each proof.
    pub fn custom(identity: &'a [u8]) -> Result<Identity<'a>> {
        Identity::made(|raw| unsafe { sys::svconn_identity_custom(raw, identity.as_ptr(), identity.len()) })
    }
    /// The public part, type and body: what the peer will see.
    pub fn bytes(&self) -> &[u8] {
        let mut len = 0;
        unsafe { slice(sys::svconn_identity_bytes(&self.raw, &mut len), len) }
    }
    /// The public key, if this is an Ed25519 key.
    pub fn public_key(&self) -> Option<[u8; 32]> {
        match self.bytes().split_first() {
            Some((&sys::SVCONN_TYPE_ED25519, key)) => key.try_into().ok(),
            _ => None,
        }
    }
}

impl Drop for Identity<'_> {
    fn drop(&mut self) {
        unsafe { sys::svconn_identity_wipe(&mut self.raw) }
    }
}

/// # Safety
/// `p` and `len` come from the library, and what they tell of lives as long as the result; a null pointer comes with any length.
unsafe fn slice<'a>(p: *const u8, len: usize) -> &'a [u8] {
    if p.is_null() {
        &[]
    } else {
        core::slice::from_raw_parts(p, len)
    }
}

// ---- configuration ------------------------------------------------------------------------------

/// May the client send before the server has confirmed? Section 3.8 of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Early {
    /// If the server's type of identity makes it safe.
    IfSafe,
    /// Never.
    Never,
    /// Always.
    Always,
}

/// Peers with Ed25519 keys, for [`Config::peer_types`].
pub const PEER_ED25519: u32 = sys::SVCONN_PEER_ED25519;
/// Peers with a psk.
pub const PEER_PSK: u32 = sys::SVCONN_PEER_PSK;
/// Peers with identities of the application's own.
pub const PEER_CUSTOM: u32 = sys::SVCONN_PEER_CUSTOM;

/// How sessions are to be, for any number of them.
pub struct Config<'a> {
    raw: sys::svconn_config,
    parts: PhantomData<&'a Identity<'a>>,
}

// Plain data and pointers to what is only read
unsafe impl Send for Config<'_> {}
unsafe impl Sync for Config<'_> {}

impl<'a> Config<'a> {
    fn new(role: sys::svconn_role, me: &'a Identity<'a>) -> Self {
        let raw = sys::svconn_config {
            role,
            identity: &me.raw,
            context: ptr::null(),
            context_len: 0,
            peer_types: 0,
            hidden: 0,
            early: 0,
            pad_to: 0,
            known_servers: ptr::null(),
            known_servers_count: 0,
            renew_records: 0,
            renew_bytes: 0,
            renew_ms: 0,
            handshake_ms: 0,
            keepalive_ms: 0,
            silence_ms: 0,
        };
        Config { raw, parts: PhantomData }
    }
    /// The side that called.
    pub fn client(me: &'a Identity<'a>) -> Self {
        Config::new(sys::svconn_role::SVCONN_CLIENT, me)
    }
    /// The side that accepted the link.
    pub fn server(me: &'a Identity<'a>) -> Self {
        Config::new(sys::svconn_role::SVCONN_SERVER, me)
    }
    /// 0 to 255 bytes that both sides agree on beforehand.
    pub fn context(mut self, context: &'a [u8]) -> Self {
        self.raw.context = context.as_ptr();
        self.raw.context_len = context.len();
        self
    }
    /// The kinds of peers that we take: [`PEER_ED25519`] and others, joined by `|`. Without it: the kind of our own identity.
    pub fn peer_types(mut self, kinds: u32) -> Self {
        self.raw.peer_types = kinds;
        self
    }
    /// Server: hides our key from those who do not know it (Ed25519 only).
    pub fn hidden(mut self, is_hidden: bool) -> Self {
        self.raw.hidden = is_hidden.into();
        self
    }
    /// Client: keys that a hidden server may have. Open ones connect as well.
    pub fn known_servers(mut self, keys: &'a [[u8; 32]]) -> Self {
        self.raw.known_servers = keys.as_ptr();
        self.raw.known_servers_count = keys.len();
        self
    }
    /// Client: may it send before it was confirmed?
    pub fn early(mut self, early: Early) -> Self {
        self.raw.early = match early {
            Early::IfSafe => sys::SVCONN_EARLY_IF_SAFE,
            Early::Never => sys::SVCONN_EARLY_NEVER,
            Early::Always => sys::SVCONN_EARLY_ALWAYS,
        };
        self
    }
    /// Client: pads identity and proof to a multiple of so many bytes.
    pub fn pad_to(mut self, bytes: u16) -> Self {
        self.raw.pad_to = bytes;
        self
    }
    /// Renews our key after so many records, 2^20 at most.
    pub fn renew_records(mut self, records: u32) -> Self {
        self.raw.renew_records = records;
        self
    }
    /// Renews our key after so many bytes, 2^30 at most.
    pub fn renew_bytes(mut self, bytes: u32) -> Self {
        self.raw.renew_bytes = bytes;
        self
    }
    /// Renews our key after this time, 120 s at most.
    pub fn renew_after(mut self, time: Duration) -> Self {
        self.raw.renew_ms = limit(Some(time));
        self
    }
    /// The deadline of the handshake: 10 s if it is not called; `None`: none.
    pub fn handshake_within(mut self, time: Option<Duration>) -> Self {
        self.raw.handshake_ms = limit(time);
        self
    }
    /// When nothing was sent for so long, a keep-alive is: 20 s if it is not called; `None`: none.
    pub fn keepalive(mut self, time: Option<Duration>) -> Self {
        self.raw.keepalive_ms = limit(time);
        self
    }
    /// When nothing was heard for so long, the session ends: 60 s if it is not called; `None`: never.
    pub fn silence(mut self, time: Option<Duration>) -> Self {
        self.raw.silence_ms = limit(time);
        self
    }
}

/// A limit of the config in milliseconds. (0 would be the default.)
fn limit(time: Option<Duration>) -> u32 {
    match time {
        Some(t) => t.as_millis().clamp(1, u128::from(sys::SVCONN_OFF - 1)) as u32,
        None => sys::SVCONN_OFF,
    }
}

/// The size of a buffer for messages of up to `message` bytes. (With `pad_to` or custom identities the handshake may want more: 256 bytes,
/// plus identity, proof and padding, is always enough.)
pub const fn buffer_size(message: usize) -> usize {
    let size = message + sys::SVCONN_OVERHEAD + sys::SVCONN_BUFFER_RESERVE;
    if size > sys::SVCONN_BUFFER_MIN {
        size
    } else {
        sys::SVCONN_BUFFER_MIN
    }
}
/// The longest message of all.
pub const MESSAGE_MAX: usize = sys::SVCONN_MESSAGE_MAX;
/// How much longer a record is than its message.
pub const OVERHEAD: usize = sys::SVCONN_OVERHEAD;

// ---- the session --------------------------------------------------------------------------------

/// Where the keys of a [`Session`] are: about 1.4 KB, less on small machines. It stays in place as long as the session lives, so that a session
/// that is moved leaves no keys behind.
pub struct Storage(sys::svconn);

impl Storage {
    /// Room for one session after the other.
    pub const fn new() -> Self {
        Storage(sys::svconn::zeroed())
    }
}
impl Default for Storage {
    fn default() -> Self {
        Storage::new()
    }
}

/// `svconn_status`: what a session is doing, or asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Carry bytes.
    Handshake,
    /// Sign [`Session::proof_message`], then [`Session::prove`].
    NeedsProof,
    /// Which psk belongs to the name [`Session::peer`]? [`Session::give_psk`] or [`Session::refuse`].
    NeedsPsk,
    /// Is [`Session::peer`] whom we want? [`Session::accept`] or [`Session::refuse`].
    NeedsVerdict,
    /// Client: our part is on its way.
    Confirming,
    /// Messages flow.
    Connected,
    /// Both directions closed in order: send what is in [`Session::wire_out`], close the link.
    Closed,
    /// [`Session::error`] says why: send what is in [`Session::wire_out`], close the link.
    Failed,
}

/// The bytes that a proof is made over.
#[derive(Clone, Copy)]
pub struct ProofText {
    bytes: [u8; sys::SVCONN_PROOF_MESSAGE_MAX],
    len: usize,
}
impl core::ops::Deref for ProofText {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Digits in groups of five.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digits<const N: usize>([u8; N]);
impl<const N: usize> core::ops::Deref for Digits<N> {
    type Target = str;
    fn deref(&self) -> &str {
        core::str::from_utf8(&self.0[..N - 1]).unwrap_or("")
    }
}
impl<const N: usize> fmt::Display for Digits<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}
impl<const N: usize> fmt::Debug for Digits<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

/// One session for one link. Its functions are those of `svconn.h`, whose contract holds; it is wiped, with both buffers, when it is dropped.
///
/// Time is a [`Duration`] since any moment, such as `start.elapsed()`.
pub struct Session<'a> {
    raw: &'a mut sys::svconn,
    message_max: usize,
    // What the C struct points to; and one thread at a time
    parts: PhantomData<(&'a Config<'a>, &'a mut [u8], Cell<()>)>,
}

fn ms(now: Duration) -> u64 {
    now.as_millis().min(i64::MAX as u128) as u64
}

impl<'a> Session<'a> {
    /// Begins a session. `seed`: 32 fresh random bytes, wiped here unless a caller fault is returned; all zero is refused. `rx` bounds the
    /// messages that can be received, `tx` those that can be sent: [`buffer_size`].
    pub fn new(
        storage: &'a mut Storage,
        config: &'a Config<'a>,
        seed: &mut [u8; 32],
        rx: &'a mut [u8],
        tx: &'a mut [u8],
    ) -> Result<Session<'a>> {
        let raw = &mut storage.0;
        done(unsafe {
            sys::svconn_init(raw, &config.raw, seed.as_mut_ptr(), rx.as_mut_ptr(), rx.len(), tx.as_mut_ptr(), tx.len())
        })?;
        let message_max = MESSAGE_MAX.min(tx.len() - (buffer_size(MESSAGE_MAX) - MESSAGE_MAX));
        Ok(Session { raw, message_max, parts: PhantomData })
    }

    /// What it is doing, or asks.
    pub fn status(&self) -> Status {
        match unsafe { sys::svconn_status(self.raw) } {
            sys::SVCONN_HANDSHAKE => Status::Handshake,
            sys::SVCONN_NEEDS_PROOF => Status::NeedsProof,
            sys::SVCONN_NEEDS_PSK => Status::NeedsPsk,
            sys::SVCONN_NEEDS_VERDICT => Status::NeedsVerdict,
            sys::SVCONN_CONFIRMING => Status::Confirming,
            sys::SVCONN_CONNECTED => Status::Connected,
            sys::SVCONN_CLOSED => Status::Closed,
            _ => Status::Failed, // SVCONN_NONE is before new and after drop
        }
    }
    /// The failure, if it has failed.
    pub fn error(&self) -> Option<Error> {
        done(unsafe { sys::svconn_error(self.raw) }).err()
    }

    /// The peer's identity, type and body. A claim until it was accepted.
    pub fn peer(&self) -> Option<&[u8]> {
        let mut len = 0;
        let p = unsafe { sys::svconn_peer(self.raw, &mut len) };
        (!p.is_null()).then(|| unsafe { slice(p, len) })
    }
    /// This peer is welcome. For a custom type also: I have verified [`Session::peer_proof`].
    pub fn accept(&mut self) -> Result<()> {
        done(unsafe { sys::svconn_accept(self.raw) })
    }
    /// This peer is not.
    pub fn refuse(&mut self) -> Result<()> {
        done(unsafe { sys::svconn_refuse(self.raw) })
    }
    /// Accepts the peer if it has one of these Ed25519 keys, else refuses it.
    pub fn accept_known(&mut self, public_keys: &[[u8; 32]]) -> Result<()> {
        done(unsafe { sys::svconn_accept_known(self.raw, public_keys.as_ptr(), public_keys.len()) })
    }
    /// The psk for the name in [`Session::peer`].
    pub fn give_psk(&mut self, psk: &[u8; 32]) -> Result<()> {
        done(unsafe { sys::svconn_give_psk(self.raw, psk.as_ptr()) })
    }
    /// The bytes to be signed.
    pub fn proof_message(&self) -> Result<ProofText> {
        let mut text = ProofText { bytes: [0; sys::SVCONN_PROOF_MESSAGE_MAX], len: 0 };
        done(unsafe { sys::svconn_proof_message(self.raw, text.bytes.as_mut_ptr(), &mut text.len) })?;
        Ok(text)
    }
    /// The proof over them.
    pub fn prove(&mut self, proof: &[u8]) -> Result<()> {
        done(unsafe { sys::svconn_prove(self.raw, proof.as_ptr(), proof.len()) })
    }
    /// The proof of a peer with a custom identity, and the bytes that it must cover.
    pub fn peer_proof(&self) -> Result<(&[u8], ProofText)> {
        let mut text = ProofText { bytes: [0; sys::SVCONN_PROOF_MESSAGE_MAX], len: 0 };
        let (mut proof, mut len) = (ptr::null(), 0);
        done(unsafe {
            sys::svconn_peer_proof(self.raw, &mut proof, &mut len, text.bytes.as_mut_ptr(), &mut text.len)
        })?;
        Ok((unsafe { slice(proof, len) }, text))
    }

    /// Takes bytes from the link; says how many. Fewer than all only if the session waits for the application.
    pub fn wire_in(&mut self, bytes: &[u8], now: Duration) -> Result<usize> {
        let mut used = 0;
        done(unsafe { sys::svconn_wire_in(self.raw, bytes.as_ptr(), bytes.len(), &mut used, ms(now)) })?;
        Ok(used)
    }
    /// The same without a copy: read into this, then tell how many by [`Session::wire_filled`]. Empty while the session waits.
    pub fn wire_space(&mut self) -> &mut [u8] {
        let mut len = 0;
        let p = unsafe { sys::svconn_wire_space(self.raw, &mut len) };
        if p.is_null() {
            return &mut [];
        }
        unsafe { core::slice::from_raw_parts_mut(p, len) }
    }
    /// So many bytes were read.
    pub fn wire_filled(&mut self, len: usize, now: Duration) -> Result<()> {
        done(unsafe { sys::svconn_wire_filled(self.raw, len, ms(now)) })
    }
    /// The link has ended.
    pub fn wire_eof(&mut self) -> Result<()> {
        done(unsafe { sys::svconn_wire_eof(self.raw) })
    }
    /// Bytes for the link; then tell how many were sent.
    pub fn wire_out(&self) -> &[u8] {
        let mut len = 0;
        unsafe { slice(sys::svconn_wire_out(self.raw, &mut len), len) }
    }
    /// So many were sent.
    pub fn wire_sent(&mut self, len: usize) -> Result<()> {
        done(unsafe { sys::svconn_wire_sent(self.raw, len) })
    }
    /// Deadlines and keep-alives. When to call it again at the latest; `None`: never.
    pub fn tick(&mut self, now: Duration) -> Result<Option<Duration>> {
        let mut next = 0;
        done(unsafe { sys::svconn_tick(self.raw, ms(now), &mut next) })?;
        Ok((next != u64::MAX).then(|| Duration::from_millis(next)))
    }

    /// The longest message that [`Session::send`] takes with this buffer.
    pub fn message_max(&self) -> usize {
        self.message_max
    }
    /// Seals one message. [`Error::AGAIN`]: no room now.
    pub fn send(&mut self, message: &[u8], now: Duration) -> Result<()> {
        done(unsafe { sys::svconn_send(self.raw, message.as_ptr().cast(), message.len(), ms(now)) })
    }
    /// One received message, the same until [`Session::recv_done`]. [`Error::AGAIN`]: none there. [`Error::END`]: there will be none.
    pub fn recv(&mut self) -> Result<&[u8]> {
        let (mut message, mut len) = (ptr::null(), 0);
        done(unsafe { sys::svconn_recv(self.raw, &mut message, &mut len) })?;
        Ok(unsafe { slice(message, len) })
    }
    /// Gives it back, and looks at what else has come.
    pub fn recv_done(&mut self) -> Result<()> {
        done(unsafe { sys::svconn_recv_done(self.raw) })
    }
    /// We send nothing more. Go on receiving until [`Error::END`].
    pub fn close(&mut self, now: Duration) -> Result<()> {
        done(unsafe { sys::svconn_close(self.raw, ms(now)) })
    }
    /// Ends at once.
    pub fn abort(&mut self) {
        unsafe { sys::svconn_abort(self.raw) }
    }
    /// The next record that we send has a new key.
    pub fn renew(&mut self) -> Result<()> {
        done(unsafe { sys::svconn_renew(self.raw) })
    }

    /// Seals in place: 4 bytes of room, the message, 12 bytes of room become the record. [`Error::AGAIN`] while [`Session::wire_out`] is not empty.
    pub fn seal(&mut self, record: &mut [u8], now: Duration) -> Result<()> {
        let len = record.len().checked_sub(OVERHEAD).ok_or(Error::ARGUMENT)?;
        done(unsafe { sys::svconn_seal(self.raw, record.as_mut_ptr(), len, ms(now)) })
    }
    /// Opens one whole record in place. [`Error::AGAIN`]: a control record that carries no message.
    pub fn open<'r>(&mut self, record: &'r mut [u8], now: Duration) -> Result<&'r mut [u8]> {
        let (mut message, mut len) = (ptr::null_mut(), 0);
        let start = record.as_mut_ptr();
        done(unsafe { sys::svconn_open(self.raw, start, record.len(), &mut message, &mut len, ms(now)) })?;
        let at = message as usize - start as usize;
        Ok(&mut record[at..at + len])
    }

    /// A key for another purpose, equal at both ends. `label`: up to 255 bytes without a NUL, and not "authenticator".
    pub fn export(&self, label: &str, context: &[u8], out: &mut [u8]) -> Result<()> {
        let mut name = [0; 256];
        if label.len() >= name.len() || label.as_bytes().contains(&0) {
            return Err(Error::ARGUMENT);
        }
        name[..label.len()].copy_from_slice(label.as_bytes());
        done(unsafe {
            sys::svconn_export(self.raw, name.as_ptr(), context.as_ptr(), context.len(), out.as_mut_ptr(), out.len())
        })
    }
    /// 20 digits for two people to compare over another channel.
    pub fn authenticator(&self) -> Result<Digits<24>> {
        let mut digits = Digits([0; 24]);
        done(unsafe { sys::svconn_authenticator(self.raw, digits.0.as_mut_ptr()) })?;
        Ok(digits)
    }
    /// The ids of the keys in use, for sending and for receiving; 0: none. For logs.
    pub fn key_ids(&self) -> (u32, u32) {
        let (mut sending, mut receiving) = (0, 0);
        unsafe { sys::svconn_key_ids(self.raw, &mut sending, &mut receiving) };
        (sending, receiving)
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        unsafe { sys::svconn_wipe(self.raw) }
    }
}

/// 30 digits for an identity (type and body).
pub fn fingerprint(identity: &[u8]) -> Digits<36> {
    let mut digits = Digits([0; 36]);
    unsafe { sys::svconn_fingerprint(digits.0.as_mut_ptr(), identity.as_ptr(), identity.len()) };
    digits
}

/// Once at start-up: has the random source failed? `last` is kept over restarts; `draws` are 64 bytes of the source, and wiped here.
pub fn seed_check(last: &mut [u8; 16], draws: &mut [u8; 64]) -> Result<()> {
    done(unsafe { sys::svconn_seed_check(last.as_mut_ptr(), draws.as_mut_ptr()) })
}
