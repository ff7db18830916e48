//! Content codings: from what came over the wire to what it means, never more than a limit.

use std::io::{self, Read};

use bytes::Bytes;

use crate::limits::Limits;
use crate::net::deadline::Clock;
use crate::trouble::{Cause, Trouble};

/// Codings applied on top of each other, of which more than one is already odd.
const CODINGS_MAX: usize = 3;
/// Longest window of a zstd frame in HTTP (RFC 9659).
const ZSTD_WINDOW_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Bytes that a decoder takes or gives between two looks at the clock.
const PIECE_BYTES: usize = 4 * 1024;

/// Decodes a body by the value of `content-encoding`. `None` in the answer's second part: it was
/// decoded whole; else the name of a coding that is not known here, and the body as it is.
pub(crate) fn decode(
    codings: &str,
    wire: Bytes,
    limits: &Limits,
    clock: Clock,
) -> Result<(Bytes, Option<String>), Trouble> {
    let names: Vec<String> = codings
        .split(',')
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty() && name != "identity")
        .collect();
    if wire.is_empty() {
        // The answer to HEAD, 204 and 304 have no body to be decoded.
        return Ok((wire, None));
    }
    if names.len() > CODINGS_MAX {
        let message = format!("the body is coded {} times over", names.len());
        return Err(Trouble::new(Cause::Limit, message));
    }
    let mut body = wire;
    for name in names.iter().rev() {
        let bytes = body.as_ref();
        let input = Timed {
            inner: bytes,
            clock,
        };
        let read = match name.as_str() {
            "gzip" | "x-gzip" => all(flate2::read::MultiGzDecoder::new(input), limits, clock),
            "deflate" if is_zlib(bytes) => {
                all(flate2::read::ZlibDecoder::new(input), limits, clock)
            }
            "deflate" => all(flate2::read::DeflateDecoder::new(input), limits, clock),
            "br" => brotli(input, limits),
            "zstd" => zstd(input, limits),
            _ => return Ok((body, Some(name.clone()))),
        };
        body = read.or_else(|error| {
            // Some decoders tell of the clock as if the input were wrong.
            clock.check("decoded body")?;
            Err(trouble(name, &error, limits))
        })?;
    }
    Ok((body, None))
}

/// What gives or takes its bytes in pieces, none of them after the deadline: a little input can
/// mean much, and much input nothing at all.
#[derive(Clone, Copy)]
struct Timed<R> {
    inner: R,
    clock: Clock,
}

impl<R: Read> Read for Timed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.clock.check("decoded body").is_err() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let length = buffer.len().min(PIECE_BYTES);
        self.inner
            .read(buffer.get_mut(..length).unwrap_or_default())
    }
}

/// RFC 9110, section 8.4.1.2, means the zlib format; some servers send bare deflate.
fn is_zlib(input: &[u8]) -> bool {
    matches!(input, [first, second, ..]
        if first & 0x0f == 8 && (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0)
}

fn brotli(input: Timed<&[u8]>, limits: &Limits) -> io::Result<Bytes> {
    // Windows of up to a gigabyte, which RFC 7932 does not have, are announced by this.
    if input
        .inner
        .first()
        .is_some_and(|first| first & 0x7f == 0x11)
    {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a large window"));
    }
    let clock = input.clock;
    all(
        brotli_decompressor::Decompressor::new(input, PIECE_BYTES),
        limits,
        clock,
    )
}

fn zstd(input: Timed<&[u8]>, limits: &Limits) -> io::Result<Bytes> {
    let bad = |error: &dyn core::fmt::Display| {
        io::Error::new(io::ErrorKind::InvalidData, error.to_string())
    };
    let mut read = Vec::new();
    let Timed {
        inner: mut rest,
        clock,
    } = input;
    // Frames may follow each other (RFC 8878, section 3.1).
    while !rest.is_empty() {
        let decoder = ruzstd::decoding::StreamingDecoder::new_with_max_window_size(
            Timed { inner: rest, clock },
            ZSTD_WINDOW_BYTES_MAX,
        )
        .map_err(|error| bad(&error))?;
        let left = limits.decoded_bytes_max.saturating_sub(read.len());
        let decoder = Timed {
            inner: decoder,
            clock,
        };
        let mut limited = decoder.take(left as u64 + 1);
        limited.read_to_end(&mut read)?;
        if read.len() > limits.decoded_bytes_max {
            return Err(too_large());
        }
        let (after, _) = limited.into_inner().inner.into_parts();
        if after.inner.len() == rest.len() {
            return Err(bad(&"a frame of no bytes"));
        }
        rest = after.inner;
    }
    Ok(Bytes::from(read))
}

fn all(decoder: impl Read, limits: &Limits, clock: Clock) -> io::Result<Bytes> {
    let mut read = Vec::new();
    let max = limits.decoded_bytes_max;
    let decoder = Timed {
        inner: decoder,
        clock,
    };
    decoder.take(max as u64 + 1).read_to_end(&mut read)?;
    if read.len() > max {
        return Err(too_large());
    }
    Ok(Bytes::from(read))
}

fn too_large() -> io::Error {
    io::ErrorKind::FileTooLarge.into()
}

fn trouble(name: &str, error: &io::Error, limits: &Limits) -> Trouble {
    if error.kind() == io::ErrorKind::FileTooLarge {
        let max = limits.decoded_bytes_max;
        let message =
            format!("the body is over {max} bytes (decoded_bytes_max) once {name} is undone");
        return Trouble::new(Cause::Limit, message);
    }
    let message = format!("the body says it is {name} coded and is not: {error}");
    Trouble::new(Cause::Protocol, message)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use bytes::Bytes;
    use proptest::prelude::{any, prop, proptest};

    use tokio::time::Instant;

    use crate::limits::Limits;
    use crate::net::deadline::Clock;
    use crate::trouble::{Cause, Trouble};

    fn decode(
        codings: &str,
        wire: Bytes,
        limits: &Limits,
    ) -> Result<(Bytes, Option<String>), Trouble> {
        let run = Clock::run_deadline(Instant::now(), 60_000);
        super::decode(codings, wire, limits, Clock::new(60_000, run))
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).expect("memory");
        encoder.finish().expect("memory")
    }

    fn zlib(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).expect("memory");
        encoder.finish().expect("memory")
    }

    fn raw(text: &[u8]) -> Vec<u8> {
        let mut encoder =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).expect("memory");
        encoder.finish().expect("memory")
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest)
    }

    /// "ok" as brotli.
    const BROTLI_OK: [u8; 6] = [0x8b, 0x00, 0x80, b'o', b'k', 0x03];

    #[test]
    fn every_coding_is_undone() {
        let limits = Limits::default();
        let cases: Vec<(&str, Vec<u8>)> = vec![
            ("gzip", gzip(b"ok")),
            ("X-GZIP", gzip(b"ok")),
            ("deflate", zlib(b"ok")),
            ("deflate", raw(b"ok")),
            ("zstd", zstd(b"ok")),
            ("zstd", [zstd(b"o"), zstd(b"k")].concat()),
            ("br", BROTLI_OK.to_vec()),
            ("identity", b"ok".to_vec()),
            ("", b"ok".to_vec()),
            ("gzip, zstd", zstd(&gzip(b"ok"))),
        ];
        for (name, wire) in cases {
            let (body, unknown) = decode(name, Bytes::from(wire), &limits).expect(name);
            assert_eq!((&body[..], unknown), (&b"ok"[..], None), "{name}");
        }
        let (body, unknown) =
            decode("rot13", Bytes::from_static(b"bx"), &limits).expect("as it is");
        assert_eq!((&body[..], unknown.as_deref()), (&b"bx"[..], Some("rot13")));
        assert_eq!(decode("gzip", Bytes::new(), &limits).expect("none").0, "");
    }

    #[test]
    fn bombs_and_lies_end_in_their_own_words() {
        let limits = Limits {
            decoded_bytes_max: 1_000,
            ..Limits::default()
        };
        let zeros = vec![0; 100_000];
        for (name, wire) in [
            ("gzip", gzip(&zeros)),
            ("deflate", zlib(&zeros)),
            ("zstd", zstd(&zeros)),
        ] {
            let trouble = decode(name, Bytes::from(wire), &limits).expect_err(name);
            assert_eq!(trouble.cause, Cause::Limit, "{name}: {trouble:?}");
        }
        for name in ["gzip", "br", "zstd"] {
            let lie = Bytes::from_static(b"<html>plain</html>");
            let trouble = decode(name, lie, &limits).expect_err(name);
            assert_eq!(trouble.cause, Cause::Protocol, "{name}: {trouble:?}");
        }
        let cut = gzip(b"a longer text that is cut")[..20].to_vec();
        let trouble = decode("gzip", Bytes::from(cut), &limits).expect_err("cut");
        assert_eq!(trouble.cause, Cause::Protocol, "{trouble:?}");
        let large_window = Bytes::from_static(&[0x11, 0x1e, 0, 0]);
        let trouble = decode("br", large_window, &limits).expect_err("large window");
        assert_eq!(trouble.cause, Cause::Protocol, "{trouble:?}");
        let trouble = decode("gzip,gzip,gzip,gzip", Bytes::from_static(b"x"), &limits);
        assert_eq!(trouble.expect_err("four").cause, Cause::Limit);
    }

    #[test]
    fn what_takes_too_long_is_given_up() {
        let limits = Limits::default();
        for (name, wire) in [
            ("gzip", gzip(b"").repeat(1_000)),
            ("deflate", zlib(b"ok")),
            ("br", BROTLI_OK.to_vec()),
            ("zstd", zstd(b"").repeat(1_000)),
        ] {
            let run = Clock::run_deadline(Instant::now(), 60_000);
            let clock = Clock::new(0, run);
            let trouble = super::decode(name, Bytes::from(wire), &limits, clock).expect_err(name);
            assert_eq!(trouble.cause, Cause::Timeout, "{name}: {trouble:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_grow(
            name in prop::sample::select(vec!["gzip", "deflate", "br", "zstd"]),
            wire in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let limits = Limits { decoded_bytes_max: 4_096, ..Limits::default() };
            if let Ok((body, _)) = decode(name, Bytes::from(wire), &limits) {
                assert!(body.len() <= 4_096);
            }
        }
    }
}
