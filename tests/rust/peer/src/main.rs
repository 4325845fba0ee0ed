// SPDX-License-Identifier: ISC
//! The peer of tests/pairs in Rust. Usage: peer server KIND | peer client KIND PORT
use std::io::{self, Read};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::{env, fs::File, process, thread, time::Duration};
use svconn::{buffer_size, Config, Identity, Session, Storage, Stream};

const USAGE: &str = "usage: peer server KIND | peer client KIND PORT (KIND: key, hidden, psk)";

fn other(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Other, why)
}

fn seed() -> io::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn identity(kind: &str, serves: bool) -> io::Result<Identity<'static>> {
    let name = if serves { "server" } else { "client" };
    match kind {
        "psk" => Ok(Identity::psk(&[0x33; 32], name.as_bytes())?),
        "key" | "hidden" => Ok(Identity::ed25519(&[if serves { 0x11 } else { 0x22 }; 32])),
        _ => Err(other(USAGE)),
    }
}

fn link(serves: bool, port: Option<&String>) -> io::Result<TcpStream> {
    if !serves {
        let port = port.and_then(|p| p.parse().ok()).ok_or_else(|| other(USAGE))?;
        return TcpStream::connect((Ipv4Addr::LOCALHOST, port));
    }
    let door = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("port {}", door.local_addr()?.port());
    Ok(door.accept()?.0)
}

fn serve(stream: &mut Stream<TcpStream>) -> io::Result<()> {
    while let Some(message) = stream.recv()? {
        let echo = message.to_vec();
        stream.send(&echo)?;
    }
    Ok(())
}

fn ask(stream: &mut Stream<TcpStream>) -> io::Result<()> {
    let long: Vec<u8> = (0..5000).map(|i| (7 * i) as u8).collect();
    for message in [b"".as_slice(), b"hello", &long] {
        if message.len() == long.len() {
            stream.renew()?;
        }
        stream.send(message)?;
        if stream.recv()? != Some(message) {
            return Err(other("another message came back"));
        }
    }
    Ok(())
}

fn run(args: &[String]) -> io::Result<()> {
    let (serves, kind) = match args {
        [what, kind] if what == "server" => (true, kind),
        [what, kind, _] if what == "client" => (false, kind),
        _ => return Err(other(USAGE)),
    };
    let (me, peer) = (identity(kind, serves)?, identity(kind, !serves)?);
    let known: Vec<[u8; 32]> = peer.public_key().into_iter().collect();
    let mut config = if serves { Config::server(&me) } else { Config::client(&me) };
    if kind == "hidden" {
        config = if serves { config.hidden(true) } else { config.known_servers(&known) };
    }
    let (mut storage, mut rx, mut tx) = (Storage::new(), [0; buffer_size(16384)], [0; buffer_size(16384)]);
    let session = Session::new(&mut storage, &config, &mut seed()?, &mut rx, &mut tx)?;
    let link = link(serves, args.get(2))?;
    link.set_read_timeout(Some(Duration::from_secs(1)))?;
    let mut stream =
        Stream::handshake(session, link, |s| if s.peer() == Some(peer.bytes()) { s.accept() } else { s.refuse() })?;
    let digits = stream.session().authenticator()?;
    if serves {
        serve(&mut stream)?;
    } else {
        ask(&mut stream)?;
    }
    stream.close()?;
    println!("authenticator {}", digits);
    Ok(())
}

fn main() {
    thread::spawn(|| {
        thread::sleep(Duration::from_secs(30));
        eprintln!("30 s are over");
        process::exit(1);
    });
    if let Err(why) = run(&env::args().skip(1).collect::<Vec<_>>()) {
        eprintln!("{}", why);
        process::exit(1);
    }
}
