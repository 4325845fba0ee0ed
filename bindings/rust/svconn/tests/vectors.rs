// SPDX-License-Identifier: ISC
//! The vectors of SVC-1 (spec/vectors.md) through this crate: what goes to the link and to the application, byte for byte. Not in a package.
//! Proofs of custom identities are taken from the file, so those of its negative cases are left to the tests of the C library.
use std::time::Duration;
use svconn::*;

struct Case {
    lines: Vec<(String, String)>,
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
}

impl Case {
    fn text(&self, name: &str) -> Option<&str> {
        self.lines.iter().find(|l| l.0 == name).map(|l| l.1.trim_matches('"'))
    }
    fn has(&self, name: &str) -> bool {
        self.text(name).is_some()
    }
    fn get(&self, name: &str) -> Vec<u8> {
        bytes(self.text(name).unwrap_or(""))
    }
    fn key(&self, name: &str) -> [u8; 32] {
        self.get(name).try_into().unwrap()
    }
    fn is_custom(&self) -> bool {
        ["server_identity", "client_identity"].iter().any(|n| self.get(n).first() >= Some(&0x80))
    }
}

fn load() -> Vec<Case> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../test-vectors/svc1.txt");
    let mut cases = Vec::new();
    for line in std::fs::read_to_string(file).expect(file).lines().filter(|l| !l.starts_with('#') && !l.is_empty()) {
        let (name, value) = line.split_once(" =").unwrap();
        if name == "case" {
            cases.push(Case { lines: Vec::new() });
        }
        cases.last_mut().unwrap().lines.push((name.into(), value.trim_start().into()));
    }
    cases
}

fn identity<'a>(case: &Case, side: &str, bytes: &'a [u8]) -> Identity<'a> {
    let secret = case.key(&format!("{}_secret", side));
    match bytes[0] {
        1 => Identity::ed25519(&secret),
        2 => Identity::psk(&secret, &bytes[1..]).unwrap(),
        _ => Identity::custom(bytes).unwrap(),
    }
}

/// The pad_to that gives the padding of the case
fn pad_to(case: &Case) -> u16 {
    let p = case.get("padding");
    let padding = if p.is_empty() { 0 } else { usize::from(p[0]) * 256 + usize::from(p[1]) };
    let id = case.get("client_identity");
    let text = 2 + id.len() + 2 + if id[0] == 1 { 64 } else { 32 };
    (1..=65535).find(|n| padding > 0 && (n - text % n) % n == padding).unwrap_or(0) as u16
}

struct Party<'a> {
    session: Session<'a>,
    case: &'a Case,
    serves: bool,
    clock: Duration,
}

impl Party<'_> {
    fn answer(&mut self) {
        let s = &mut self.session;
        for _ in 0..8 {
            let result = match s.status() {
                Status::NeedsProof => {
                    let text = s.proof_message().unwrap();
                    let proof = if text.starts_with(b"SVC1 server hello") {
                        self.case.get("pS")
                    } else if text.starts_with(b"SVC1 client proof") {
                        self.case.get("pC")
                    } else {
                        self.case.get("M3_plain")[1..].to_vec()
                    };
                    s.prove(&proof)
                }
                Status::NeedsPsk => {
                    let secret = self.case.get(if self.serves { "client_secret" } else { "server_secret" });
                    match secret.try_into() {
                        Ok(psk) => s.give_psk(&psk),
                        Err(_) => s.refuse(),
                    }
                }
                Status::NeedsVerdict if self.case.has("refuse") => s.refuse(),
                Status::NeedsVerdict => s.accept(),
                _ => return,
            };
            assert!(result.map_or_else(Error::is_failure, |()| true), "{:?}", result);
        }
        panic!("asked again and again");
    }
    fn give(&mut self, mut bytes: &[u8], piece: usize) {
        while !bytes.is_empty() {
            let used = self.session.wire_in(&bytes[..piece.min(bytes.len())], self.clock).unwrap();
            assert!(used > 0);
            bytes = &bytes[used..];
            self.answer();
        }
    }
    fn sends(&mut self, want: &[u8]) {
        let out = self.session.wire_out();
        assert_eq!(out, want);
        let len = out.len();
        self.session.wire_sent(len).unwrap();
    }
    fn is_connected(&self) {
        assert_eq!(self.session.status(), Status::Connected);
        let digits = self.session.authenticator().unwrap().replace(' ', "");
        assert_eq!(Some(digits.as_str()), self.case.text("authenticator"));
        let mut out = [0; 80];
        self.session.export("test label", &[1, 2, 3], &mut out).unwrap();
        assert_eq!(out[..], self.case.get("export"));
    }
}

const RFC8032_TEST_2: [u8; 32] = [
    0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a, 0x92, 0xb7, 0x0a, 0xa7, 0x4d, 0x1b, 0x7e, 0xbc, 0x9c, 0x98, 0x2c,
    0xcf, 0x2e, 0xc4, 0x96, 0x8c, 0xc0, 0xcd, 0x55, 0xf1, 0x2a, 0xf4, 0x66, 0x0c,
];

/// What both sides of a case are made from
struct Made {
    ids: [Vec<u8>; 2], // client, server
    known: Vec<[u8; 32]>,
    context: Vec<u8>,
}
impl Made {
    fn of(case: &Case) -> Self {
        let ids = [case.get("client_identity"), case.get("server_identity")];
        let mut known: Vec<[u8; 32]> = case.get("known").chunks(32).map(|k| k.try_into().unwrap()).collect();
        if !case.has("known") && case.text("hidden") == Some("01") && ids[1].len() == 33 {
            known = vec![RFC8032_TEST_2, ids[1][1..].try_into().unwrap()];
        }
        Made { ids, known, context: case.get("context") }
    }
    fn config<'a>(&'a self, case: &Case, me: &'a Identity<'a>, serves: bool) -> Config<'a> {
        let config = if serves { Config::server(me) } else { Config::client(me) };
        let config = config.context(&self.context).peer_types(PEER_ED25519 | PEER_PSK | PEER_CUSTOM);
        if serves {
            return config.hidden(case.text("hidden") == Some("01"));
        }
        let early = if case.has("early") { Early::Always } else { Early::IfSafe };
        config.known_servers(&self.known).pad_to(pad_to(case)).early(early)
    }
}

fn party<'a>(
    case: &'a Case,
    config: &'a Config<'a>,
    serves: bool,
    storage: &'a mut Storage,
    buffers: &'a mut [Vec<u8>; 2],
) -> Party<'a> {
    let [rx, tx] = buffers;
    let mut seed = case.key(if serves { "server_random" } else { "client_random" });
    let session = Session::new(storage, config, &mut seed, rx, tx).unwrap();
    let mut p = Party { session, case, serves, clock: Duration::ZERO };
    p.answer();
    p
}

fn room() -> (Storage, [Vec<u8>; 2]) {
    (Storage::new(), [vec![0; buffer_size(MESSAGE_MAX)], vec![0; buffer_size(MESSAGE_MAX)]])
}

fn positive(case: &Case, piece: usize) {
    let made = Made::of(case);
    let ids = [identity(case, "client", &made.ids[0]), identity(case, "server", &made.ids[1])];
    let config = |serves| {
        // time passes only for keep-alives
        made.config(case, &ids[usize::from(serves)], serves).handshake_within(None).silence(None)
    };
    let (call, wait) = (config(false), config(true));
    let ((mut m, mut b), (mut n, mut d)) = (room(), room());
    let mut parties = [party(case, &call, false, &mut m, &mut b), party(case, &wait, true, &mut n, &mut d)];
    let mut queue: [std::collections::VecDeque<Vec<u8>>; 2] = Default::default();

    parties[1].sends(&case.get("M1"));
    parties[0].give(&case.get("M1"), piece);
    parties[0].sends(&case.get("M2"));
    parties[1].give(&case.get("M2"), piece);
    parties[1].sends(&case.get("M3"));
    parties[1].is_connected();
    if !case.has("early") {
        parties[0].give(&case.get("M3"), piece);
        parties[0].is_connected();
    }
    for (name, value) in &case.lines {
        if name == "confirmed" {
            assert_eq!(parties[0].session.status(), Status::Confirming);
            parties[0].give(&case.get("M3"), piece);
            parties[0].is_connected();
        }
        let s2c = name.starts_with("s2c_");
        if !s2c && !name.starts_with("c2s_") {
            continue;
        }
        let (what, value) = (&name[4..], bytes(value));
        let (from, to) = (usize::from(s2c), usize::from(!s2c));
        let p = &mut parties[from];
        match what {
            "renew" => p.session.renew().unwrap(),
            "send" => p.session.send(&value, p.clock).unwrap(),
            "close" => p.session.close(p.clock).unwrap(),
            "keepalive" => {
                p.clock += Duration::from_secs(20);
                p.session.tick(p.clock).unwrap();
            }
            "wire" => {
                p.sends(&value);
                queue[from].push_back(value);
            }
            "key" => {}
            take => {
                let record = queue[from].pop_front().unwrap();
                let p = &mut parties[to];
                p.give(&record, piece);
                match take {
                    "take" => {
                        assert_eq!(p.session.recv().unwrap(), value);
                        p.session.recv_done().unwrap();
                    }
                    "take_close" => assert_eq!(p.session.recv(), Err(Error::END)),
                    "take_keepalive" => assert_eq!(p.session.recv(), Err(Error::AGAIN)),
                    _ => panic!("{}", name),
                }
            }
        }
    }
    for p in &parties {
        assert_eq!((p.session.wire_out().len(), p.session.error()), (0, None));
    }
}

fn negative(case: &Case, piece: usize) {
    let serves = case.text("to") == Some("server");
    let made = Made::of(case);
    let me = identity(case, if serves { "server" } else { "client" }, &made.ids[usize::from(serves)]);
    let config = made.config(case, &me, serves);
    let (mut storage, mut buffers) = room();
    let mut p = party(case, &config, serves, &mut storage, &mut buffers);
    let (mut output, mut messages) = (Vec::new(), Vec::new());
    let mut collect = |s: &mut Session| loop {
        output.extend_from_slice(s.wire_out());
        let len = s.wire_out().len();
        s.wire_sent(len).unwrap();
        match s.recv() {
            Ok(m) => messages.push(m.to_vec()),
            Err(_) => return,
        }
        let _ = s.recv_done(); // a failure is what it comes to
    };
    collect(&mut p.session);
    let input = case.get("input");
    let mut rest = input.as_slice();
    while !rest.is_empty() && p.session.status() != Status::Failed {
        if let Ok(used) = p.session.wire_in(&rest[..piece.min(rest.len())], Duration::ZERO) {
            rest = &rest[used..];
        }
        p.answer();
        collect(&mut p.session);
    }
    if ["timeout", "silent"].contains(&case.text("reason").unwrap()) {
        p.session.tick(Duration::from_secs(60)).unwrap_err();
    }
    if case.has("eof") {
        let _ = p.session.wire_eof();
    }
    collect(&mut p.session);
    assert_eq!(p.session.error().map(Error::reason), case.text("reason"));
    assert_eq!(output, case.get("output"));
    let wanted: Vec<_> = case.lines.iter().filter(|l| l.0 == "message").map(|l| bytes(&l.1)).collect();
    assert_eq!(messages, wanted);
}

#[test]
fn svc1() {
    let (mut positives, mut negatives) = (0, 0);
    for case in load() {
        let is_early_keepalive = case.has("early") && case.has("c2s_keepalive"); // no session sends that of its own accord
        for piece in [usize::MAX, 1] {
            if case.has("input") && !case.is_custom() {
                negative(&case, piece);
                negatives += 1;
            } else if !case.has("input") && !case.has("rounds") && !is_early_keepalive {
                positive(&case, piece);
                positives += 1;
            }
        }
    }
    println!("{} positive, {} negative", positives / 2, negatives / 2);
    assert!(positives >= 60 && negatives >= 800);
}
