// SPDX-License-Identifier: ISC
//! A session over a link of the standard library.
use crate::{Error, Result, Session, Status};
use std::io::{self, Read, Write};
use std::time::Instant;

impl From<Error> for io::Error {
    fn from(e: Error) -> io::Error {
        let kind = match e {
            Error::AGAIN => io::ErrorKind::WouldBlock,
            Error::ARGUMENT | Error::STATE | Error::SIZE | Error::SEED => io::ErrorKind::InvalidInput,
            Error::ABSENT | Error::TRUNCATED | Error::END => io::ErrorKind::UnexpectedEof,
            Error::ABORTED | Error::CANCELLED => io::ErrorKind::ConnectionAborted,
            Error::TIMEOUT | Error::SILENT => io::ErrorKind::TimedOut,
            Error::REFUSED | Error::UNKNOWN | Error::PROOF => io::ErrorKind::PermissionDenied,
            Error::UNSUPPORTED => io::ErrorKind::Unsupported,
            _ => io::ErrorKind::InvalidData,
        };
        io::Error::new(kind, e)
    }
}

/// A [`Session`] and its link, which blocks: messages by [`send`](Stream::send) and [`recv`](Stream::recv), or bytes by [`Read`] and [`Write`].
///
/// Deadlines and keep-alives want the processor now and then: give the link a read timeout of a few seconds
/// (`TcpStream::set_read_timeout`). It is no error here; waiting goes on.
pub struct Stream<'a, L> {
    session: Session<'a>,
    link: L,
    began: Instant,
    taken: Option<usize>, // of the message that is lent: how much of it Read has given out
}

impl<'a, L: Read + Write> Stream<'a, L> {
    /// The handshake. `answer` is called when [`Session::status`] is one of the questions; what it leaves unanswered is refused.
    pub fn handshake(
        session: Session<'a>,
        link: L,
        mut answer: impl FnMut(&mut Session<'a>) -> Result<()>,
    ) -> io::Result<Self> {
        let mut s = Stream { session, link, began: Instant::now(), taken: None };
        loop {
            match s.session.status() {
                Status::Connected => return s.sent().map(|()| s),
                Status::NeedsProof | Status::NeedsPsk | Status::NeedsVerdict => {
                    let question = s.session.status();
                    let answered = answer(&mut s.session);
                    // A proof is not refused but not given.
                    if (answered.is_err() || s.session.status() == question) && s.session.refuse().is_err() {
                        s.session.abort();
                    }
                }
                _ => s.step()?,
            }
        }
    }

    /// The session, for what it knows (its peer, keys for other purposes).
    pub fn session(&self) -> &Session<'a> {
        &self.session
    }
    /// The next record that we send has a new key.
    pub fn renew(&mut self) -> io::Result<()> {
        Ok(self.session.renew()?)
    }

    /// Sends one message.
    pub fn send(&mut self, message: &[u8]) -> io::Result<()> {
        let mut result = self.session.send(message, self.began.elapsed());
        if result == Err(Error::AGAIN) {
            self.sent()?;
            result = self.session.send(message, self.began.elapsed());
        }
        result?;
        self.sent()
    }
    /// Waits for the next message; gives back the one before, and what [`Read`] has left of it. `None`: the peer has closed, in order.
    pub fn recv(&mut self) -> io::Result<Option<&[u8]>> {
        if self.taken.take().is_some() {
            self.session.recv_done()?;
        }
        if !self.wait()? {
            return Ok(None);
        }
        let message = self.session.recv()?;
        self.taken = Some(message.len()); // Read goes on behind it
        Ok(Some(message))
    }
    /// Closes in order: messages that still come are dropped. Returns the link.
    pub fn close(mut self) -> io::Result<L> {
        self.session.close(self.began.elapsed())?;
        self.sent()?;
        while self.recv()?.is_some() {}
        Ok(self.link)
    }

    /// Is there a message (true), or the end?
    fn wait(&mut self) -> io::Result<bool> {
        loop {
            match self.session.recv().map(drop) {
                Ok(()) => return Ok(true),
                Err(Error::END) => return Ok(false),
                Err(Error::AGAIN) => self.step()?,
                Err(e) => return Err(e.into()),
            }
        }
    }
    /// All that the session has for the link
    fn sent(&mut self) -> io::Result<()> {
        loop {
            let n = match self.session.wire_out() {
                [] => return self.link.flush(),
                bytes => match self.link.write(bytes) {
                    Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => 0,
                    result => result?,
                },
            };
            self.session.wire_sent(n)?;
        }
    }
    /// What is to be sent, then the next bytes. A failure is told to the peer. Not while a message is lent: there may be no room then.
    fn step(&mut self) -> io::Result<()> {
        let result = self.session.tick(self.began.elapsed()).map(drop);
        let sent = self.sent();
        if let Some(e) = self.session.error().or_else(|| result.err()) {
            return Err(e.into());
        }
        sent?;
        let result = match self.link.read(self.session.wire_space()) {
            Ok(0) => self.session.wire_eof(),
            Ok(n) => self.session.wire_filled(n, self.began.elapsed()),
            Err(e) => match e.kind() {
                io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Ok(()),
                _ => return Err(e),
            },
        };
        if let Err(e) = result {
            let _ = self.sent(); // the reason is the failure
            return Err(e.into());
        }
        Ok(())
    }
}

/// The bytes of all messages, one behind the other; 0 at the end.
impl<L: Read + Write> Read for Stream<'_, L> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !out.is_empty() {
            if self.taken.is_none() && !self.wait()? {
                return Ok(0);
            }
            let taken = self.taken.unwrap_or(0);
            let rest = &self.session.recv()?[taken..];
            let n = rest.len().min(out.len());
            out[..n].copy_from_slice(&rest[..n]);
            self.taken = Some(taken + n);
            if n > 0 {
                return Ok(n);
            }
            self.taken = None;
            self.session.recv_done()?;
        }
        Ok(0)
    }
}

/// Each write is one message, of as much as the buffer of the session can hold.
impl<L: Read + Write> Write for Stream<'_, L> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = bytes.len().min(self.session.message_max());
        if len > 0 {
            self.send(&bytes[..len])?;
        }
        Ok(len)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.sent()
    }
}
