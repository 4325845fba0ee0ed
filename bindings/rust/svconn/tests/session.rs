// SPDX-License-Identifier: ISC
//! What this crate adds to the C library.
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::{mem, thread, time::Duration};
use svconn::*;

const ZERO: Duration = Duration::ZERO;

fn seed() -> [u8; 32] {
    use std::sync::atomic::{AtomicU8, Ordering};
    static N: AtomicU8 = AtomicU8::new(100); // never twice the same; a program takes 32 bytes from its system
    [N.fetch_add(1, Ordering::Relaxed); 32]
}

/// Where a session and its buffers are
struct Place {
    storage: Storage,
    rx: Vec<u8>,
    tx: Vec<u8>,
}
impl Place {
    fn new() -> Self {
        Place { storage: Storage::new(), rx: vec![0; buffer_size(5000)], tx: vec![0; buffer_size(5000)] }
    }
    fn session<'a>(&'a mut self, config: &'a Config<'a>) -> Session<'a> {
        Session::new(&mut self.storage, config, &mut seed(), &mut self.rx, &mut self.tx).unwrap()
    }
    fn is_erased(&self) -> bool {
        let keys =
            unsafe { std::slice::from_raw_parts((&self.storage as *const Storage).cast(), mem::size_of::<Storage>()) };
        [keys, &self.rx, &self.tx].iter().all(|b| b.iter().all(|byte: &u8| *byte == 0))
    }
}

fn carry(from: &mut Session, to: &mut Session) -> usize {
    let used = to.wire_in(from.wire_out(), ZERO).unwrap();
    from.wire_sent(used).unwrap();
    if to.status() == Status::NeedsVerdict {
        to.accept().unwrap();
    }
    used
}
fn shuttle(a: &mut Session, b: &mut Session) {
    while carry(a, b) + carry(b, a) > 0 {}
}

fn psks() -> (Identity<'static>, Identity<'static>) {
    (Identity::psk(&[3; 32], b"server").unwrap(), Identity::psk(&[3; 32], b"client").unwrap())
}

#[test]
fn identities() {
    let me = Identity::ed25519(&[0x11; 32]);
    assert_eq!(me.bytes().len(), 33);
    assert_eq!(me.public_key().unwrap(), me.bytes()[1..]);
    assert_eq!(psks().0.public_key(), None);
    assert_eq!(&psks().0.bytes()[1..], b"server");
    assert_eq!(Identity::psk(&[1; 32], &[b'n'; 65]).err(), Some(Error::ARGUMENT));
    assert_eq!(Identity::custom(&[2, 1]).err(), Some(Error::ARGUMENT));
    assert_eq!(Identity::custom(&[0x80, 1]).unwrap().bytes(), [0x80, 1]);
    assert_eq!(fingerprint(me.bytes()).len(), 35);

    let mut place = mem::ManuallyDrop::new(Identity::ed25519(&[0x11; 32]));
    unsafe { mem::ManuallyDrop::drop(&mut place) };
    let bytes = unsafe { std::slice::from_raw_parts((&*place as *const Identity).cast::<u8>(), 113) };
    assert!(bytes.iter().all(|b| *b == 0), "wiped when dropped");
}

#[test]
fn messages() {
    let (server_id, client_id) = psks();
    let (wait, call) = (Config::server(&server_id), Config::client(&client_id));
    let (mut p, mut q) = (Place::new(), Place::new());
    let (mut s, mut c) = (p.session(&wait), q.session(&call));
    assert_eq!(c.send(b"", ZERO), Err(Error::STATE));
    shuttle(&mut s, &mut c);
    assert_eq!((s.status(), c.status()), (Status::Connected, Status::Connected));
    assert_eq!(s.peer().map(|p| &p[1..]), Some(b"client".as_slice()));
    assert_eq!(s.recv(), Err(Error::AGAIN));
    assert_eq!(c.message_max(), 5000);
    assert_eq!(c.send(&[0; 5001], ZERO), Err(Error::SIZE));
    let mut moved = vec![s];
    for message in [&[][..], b"hello", &[7; 5000]] {
        c.renew().unwrap();
        c.send(message, ZERO).unwrap();
        let mut s = moved.pop().unwrap();
        while !c.wire_out().is_empty() {
            let n = s.wire_space().len().min(c.wire_out().len()).min(1000);
            s.wire_space()[..n].copy_from_slice(&c.wire_out()[..n]);
            s.wire_filled(n, ZERO).unwrap();
            c.wire_sent(n).unwrap();
        }
        assert_eq!(s.recv().unwrap(), message);
        s.recv_done().unwrap();
        moved.push(s);
    }
    let mut s = moved.pop().unwrap();
    assert!(c.key_ids().0 >= 3 && c.key_ids().0 == s.key_ids().1);

    let mut record = [0x5a; 100 + OVERHEAD];
    c.seal(&mut record, ZERO).unwrap();
    assert_eq!(s.open(&mut record, ZERO).unwrap(), [0x5a; 100]);
    assert_eq!(c.seal(&mut record[..OVERHEAD - 1], ZERO), Err(Error::ARGUMENT));

    let (mut k, mut l) = ([0; 32], [0; 32]);
    c.export("label", b"ctx", &mut k).unwrap();
    s.export("label", b"ctx", &mut l).unwrap();
    assert!(k == l && k != [0; 32]);
    for label in ["authenticator", "nul\0", &"x".repeat(256)] {
        assert_eq!(c.export(label, &[], &mut k), Err(Error::ARGUMENT));
    }
    assert_eq!(c.authenticator().unwrap(), s.authenticator().unwrap());
    assert_eq!(c.authenticator().unwrap().len(), 23);

    c.close(ZERO).unwrap();
    s.close(ZERO).unwrap();
    shuttle(&mut s, &mut c);
    assert_eq!((s.status(), c.recv()), (Status::Closed, Err(Error::END)));
    assert_eq!(c.wire_eof(), Ok(()));
    drop((s, c, moved));
    assert!(p.is_erased() && q.is_erased());
    let s = p.session(&wait); // once more in the same place, and forgotten there
    mem::forget(s);
    assert!(!p.is_erased());
    drop(p.session(&wait));
    assert!(p.is_erased());
}

#[test]
fn questions() {
    let (server_id, client_id) = (Identity::ed25519(&[0x11; 32]), Identity::ed25519(&[0x22; 32]));
    let known = [[9; 32], server_id.public_key().unwrap()];
    for hidden in [false, true] {
        let wait = Config::server(&server_id).context(b"test").hidden(hidden);
        let mut call = Config::client(&client_id).context(b"test").pad_to(256).early(Early::Never);
        if hidden {
            call = call.known_servers(&known);
        }
        let (mut p, mut q) = (Place::new(), Place::new());
        let (mut s, mut c) = (p.session(&wait), q.session(&call));
        let n = c.wire_in(s.wire_out(), ZERO).unwrap();
        s.wire_sent(n).unwrap();
        assert_eq!(c.status(), Status::NeedsVerdict);
        c.accept_known(&known).unwrap();
        let n = s.wire_in(c.wire_out(), ZERO).unwrap();
        c.wire_sent(n).unwrap();
        s.accept_known(&[client_id.public_key().unwrap()]).unwrap();
        shuttle(&mut s, &mut c);
        assert_eq!((s.status(), c.status()), (Status::Connected, Status::Connected));
    }

    let (own, client_id) = ([0x80, b's'], Identity::psk(&[3; 32], b"client").unwrap());
    let server_id = Identity::custom(&own).unwrap();
    let wait = Config::server(&server_id).peer_types(PEER_PSK);
    let call = Config::client(&client_id).peer_types(PEER_CUSTOM);
    let (mut p, mut q) = (Place::new(), Place::new());
    let (mut s, mut c) = (p.session(&wait), q.session(&call));
    assert_eq!(s.status(), Status::NeedsProof);
    let text = s.proof_message().unwrap();
    s.prove(b"proof").unwrap();
    let n = c.wire_in(s.wire_out(), ZERO).unwrap();
    s.wire_sent(n).unwrap();
    let (proof, shown) = c.peer_proof().unwrap();
    assert_eq!((proof, &*shown), (b"proof".as_slice(), &*text));
    c.accept().unwrap();
    let n = s.wire_in(c.wire_out(), ZERO).unwrap();
    c.wire_sent(n).unwrap();
    assert_eq!((s.status(), s.peer()), (Status::NeedsPsk, Some(client_id.bytes())));
    s.give_psk(&[3; 32]).unwrap();
    s.accept().unwrap();
    s.prove(b"proof").unwrap();
    shuttle(&mut s, &mut c);
    assert_eq!((s.status(), c.status()), (Status::Connected, Status::Connected));
}

#[test]
fn failures() {
    let (server_id, client_id) = psks();
    let (wait, call) = (Config::server(&server_id), Config::client(&client_id));
    let mut p = Place::new();
    {
        let mut c = p.session(&call);
        let e = c.wire_in(b"GET ", ZERO).unwrap_err();
        assert!(e == Error::VERSION && e.is_failure() && !Error::AGAIN.is_failure() && e.reason() == "version");
        assert_eq!((c.status(), c.error(), c.wire_out()), (Status::Failed, Some(e), [0; 16].as_slice()));
        assert!(e.to_string().len() > 20 && format!("{:?}", e) == "Error(version)");
    }
    {
        let mut s = p.session(&wait);
        assert_eq!(s.error(), None);
        s.abort();
        assert_eq!(s.error(), Some(Error::CANCELLED));
    }
    let never = Config::client(&client_id).handshake_within(None).keepalive(None).silence(None);
    assert_eq!(p.session(&never).tick(Duration::MAX), Ok(None));
    let soon = Config::client(&client_id).handshake_within(Some(ZERO));
    {
        let mut c = p.session(&soon);
        assert_eq!(c.tick(Duration::from_secs(1)), Ok(Some(Duration::from_millis(1001))));
        assert_eq!(c.tick(Duration::from_secs(2)), Err(Error::TIMEOUT));
    }
    let Place { storage, rx, tx } = &mut p;
    assert_eq!(Session::new(storage, &call, &mut [0; 32], rx, tx).err(), Some(Error::SEED));
    let (Place { storage, rx, .. }, mut small) = (&mut p, [0; 255]);
    assert_eq!(Session::new(storage, &call, &mut seed(), rx, &mut small).err(), Some(Error::SIZE));
    let (mut last, mut draws) = ([0; 16], [0; 64]);
    assert_eq!(seed_check(&mut last, &mut draws), Err(Error::SEED));
    draws = core::array::from_fn(|i| (i * i) as u8);
    assert_eq!(seed_check(&mut last, &mut draws), Ok(()));
}

#[test]
fn time() {
    let (server_id, client_id) = psks();
    let (wait, call) = (Config::server(&server_id), Config::client(&client_id));
    let (mut p, mut q) = (Place::new(), Place::new());
    let (mut s, mut c) = (p.session(&wait), q.session(&call));
    shuttle(&mut s, &mut c);
    s.tick(Duration::from_secs(25)).unwrap(); // a keep-alive; heard at 50 s: silent 60 s later
    assert!(c.wire_in(s.wire_out(), Duration::from_secs(50)).unwrap() > 0);
    assert!(c.tick(Duration::from_secs(109)).is_ok());
    assert_eq!(c.tick(Duration::from_secs(111)), Err(Error::SILENT));
}

fn is_send<T: Send>() {}
fn is_sync<T: Sync>() {}

#[test]
fn threads() {
    is_send::<Session>();
    is_send::<Stream<TcpStream>>();
    is_sync::<Config>();
    is_sync::<Identity>();
}

// ---- Stream -------------------------------------------------------------------------------------

/// A server in a thread of its own: what it does with its stream.
fn served(
    work: impl FnOnce(Stream<TcpStream>) -> io::Result<()> + Send + 'static,
) -> (TcpStream, thread::JoinHandle<io::Result<()>>) {
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let link = TcpStream::connect(door.local_addr().unwrap()).unwrap();
    link.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let server = thread::spawn(move || {
        let me = psks().0;
        let config = Config::server(&me).keepalive(Some(Duration::from_millis(100)));
        let mut place = Place::new();
        let link = door.accept()?.0;
        link.set_read_timeout(Some(Duration::from_millis(50)))?;
        let stream = Stream::handshake(place.session(&config), link, |s| s.accept())?;
        work(stream)
    });
    (link, server)
}

#[test]
fn streams() {
    let (link, server) = served(|mut s| {
        while let Some(message) = s.recv()? {
            let echo = message.to_vec();
            s.send(&echo)?;
        }
        s.close().map(drop)
    });
    let (_, me) = psks();
    let config = Config::client(&me).silence(Some(Duration::from_millis(700)));
    let mut place = Place::new();
    let mut stream = Stream::handshake(place.session(&config), link, |s| s.accept()).unwrap();
    assert_eq!(stream.session().status(), Status::Connected);
    stream.send(b"").unwrap();
    assert_eq!(stream.recv().unwrap(), Some(b"".as_slice()));
    stream.renew().unwrap();
    stream.send(&[7; 5000]).unwrap();
    assert_eq!(stream.recv().unwrap(), Some([7; 5000].as_slice()));

    // as bytes: longer than a message, and read in pieces that fit none
    let long: Vec<u8> = (0..12345u32).map(|i| (i * 7) as u8).collect();
    stream.write_all(&long).unwrap();
    stream.send(b"").unwrap();
    stream.write_all(b"end").unwrap();
    let mut back = vec![0; long.len() + 3];
    for piece in back.chunks_mut(777) {
        stream.read_exact(piece).unwrap();
    }
    assert!(back[..long.len()] == long && back.ends_with(b"end"));

    thread::sleep(Duration::from_secs(1)); // the server's keep-alives came meanwhile
    stream.send(b"still there?").unwrap();
    assert_eq!(stream.recv().unwrap(), Some(b"still there?".as_slice()));
    stream.close().unwrap();
    server.join().unwrap().unwrap();
}

#[test]
fn streams_that_end() {
    let (link, server) = served(|s| s.close().map(drop));
    let (_, me) = psks();
    let config = Config::client(&me);
    let mut place = Place::new();
    let mut stream = Stream::handshake(place.session(&config), link, |s| s.accept()).unwrap();
    assert_eq!(stream.read(&mut [0; 10]).unwrap(), 0);
    assert_eq!(stream.recv().unwrap(), None);
    stream.close().unwrap();
    server.join().unwrap().unwrap();

    let (link, server) = served(|_| Ok(())); // dropped without CLOSE
    let mut place = Place::new();
    let mut stream = Stream::handshake(place.session(&config), link, |s| s.accept()).unwrap();
    assert_eq!(stream.recv().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    drop(stream);
    server.join().unwrap().unwrap();

    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let link = TcpStream::connect(door.local_addr().unwrap()).unwrap();
    let other = thread::spawn(move || {
        let (mut link, mut heard) = (door.accept().unwrap().0, Vec::new());
        link.write_all(b"HTTP/1.1 400 Bad Request").unwrap();
        link.read_to_end(&mut heard).unwrap();
        heard
    });
    let mut place = Place::new();
    let no_svc = Stream::handshake(place.session(&config), link, |_| Ok(())).err().unwrap();
    assert_eq!(no_svc.get_ref().unwrap().downcast_ref(), Some(&Error::VERSION));
    assert_eq!(other.join().unwrap(), [0; 16]); // it was told

    let (link, server) = served(|_| Ok(()));
    let mut place = Place::new();
    let refused = Stream::handshake(place.session(&config), link, |_| Ok(())).err().unwrap(); // it leaves the question open
    assert_eq!(refused.get_ref().unwrap().downcast_ref(), Some(&Error::REFUSED));
    assert_eq!(server.join().unwrap().unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
}
