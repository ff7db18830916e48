//! HTTP/2 frames, written by hand (RFC 9113, section 6).

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Data = 0,
    Headers = 1,
    Reset = 3,
    Settings = 4,
    PushPromise = 5,
    Ping = 6,
    GoAway = 7,
    WindowUpdate = 8,
    Continuation = 9,
    Unknown = 0xee,
}

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// The static table's `:status: 200` (RFC 7541, appendix A).
pub(crate) const STATUS_200: u8 = 0x88;

pub(crate) fn frame(kind: Kind, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload");
    let mut frame = length.to_be_bytes()[1..].to_vec();
    frame.extend([kind as u8, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// What a server says first: its settings, each an identifier and a value.
pub(crate) fn settings(values: &[(u16, u32)]) -> Vec<u8> {
    let mut payload = Vec::new();
    for (name, value) in values {
        payload.extend(name.to_be_bytes());
        payload.extend(value.to_be_bytes());
    }
    frame(Kind::Settings, 0, 0, &payload)
}

/// The head of an answer on the first stream.
pub(crate) fn head(flags: u8) -> Vec<u8> {
    frame(Kind::Headers, END_HEADERS | flags, 1, &[STATUS_200])
}

/// A literal header line without indexing, uncompressed; both shorter than 127 bytes.
pub(crate) fn line(name: &str, value: &str) -> Vec<u8> {
    let mut line = vec![0];
    for text in [name, value] {
        line.push(u8::try_from(text.len()).expect("a short text"));
        line.extend_from_slice(text.as_bytes());
    }
    line
}

/// Reads the preface and frames until the head of a request was there.
pub(crate) async fn read_head(stream: &mut TcpStream) -> Option<()> {
    stream.read_exact(&mut [0; 24]).await.ok()?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).ok()?];
        stream.read_exact(&mut payload).await.ok()?;
        if head[3] == Kind::Headers as u8 {
            return Some(());
        }
    }
}
