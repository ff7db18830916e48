//! A session whose whole state travels in its cookie, so that any instance of any version can
//! carry it on.

use std::fmt;

/// The cookie's name.
pub(super) const COOKIE: &str = "session";

/// Shared by all versions. It is in the source for all to read: the check finds a value that was
/// mixed up or cut short, it keeps nobody out, and a real service signs its sessions.
const DEMO_KEY: &[u8] = b"nonevent demonstration, not a secret";

/// One visitor's state: who, and how many times seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) id: u64,
    pub(super) count: u64,
}

impl Session {
    /// The session in a `Cookie` header, if there is one and it is whole.
    pub(super) fn from_cookies(header: &str) -> Option<Session> {
        let value = header.split(';').find_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == COOKIE).then_some(value)
        })?;
        let mut parts = value.splitn(3, '.');
        let id = u64::from_str_radix(parts.next()?, 16).ok()?;
        let count = parts.next()?.parse().ok()?;
        let session = Session { id, count };
        // Compared as written, so that there is one spelling of a session.
        (session.to_string() == value).then_some(session)
    }

    /// The same session, one visit later.
    pub(super) const fn next(self) -> Session {
        Session {
            id: self.id,
            count: self.count.saturating_add(1),
        }
    }

    /// FNV-1a over key, id and count.
    fn check(self) -> u64 {
        let state = [self.id.to_be_bytes(), self.count.to_be_bytes()];
        let bytes = DEMO_KEY.iter().chain(state.iter().flatten());
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}.{}.{:016x}", self.id, self.count, self.check())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_reads_back_and_nothing_else_does() {
        let session = Session {
            id: 0xabc,
            count: 41,
        };
        let cookie = session.to_string();
        let header = format!("theme=dark; {COOKIE}={cookie}; x=y");
        assert_eq!(Session::from_cookies(&header), Some(session));
        for damaged in [
            String::new(),
            "session".to_owned(),
            format!("other={cookie}"),
            format!("{COOKIE}={}", cookie.replace(".41.", ".42.")),
            format!("{COOKIE}={}", cookie.replace(".41.", ".041.")),
            format!("{COOKIE}={}", &cookie[..cookie.len() - 1]),
            format!("{COOKIE}={cookie}."),
            format!("{COOKIE}=+{}", &cookie[1..]),
        ] {
            assert_eq!(Session::from_cookies(&damaged), None, "{damaged}");
        }
    }

    #[test]
    fn counting_keeps_the_identity() {
        let session = Session { id: 7, count: 1 }.next();
        assert_eq!(session, Session { id: 7, count: 2 });
    }
}
