//! Content codings: little on the wire that means much, and what is not what it says.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use nonevent_smoke::Cause;

use crate::case::{Case, answering};

/// 16 MiB of zeros as one brotli stream, made with `brotli.compress(bytes(1 << 24))` of the Python
/// package `brotli` 1.2.
pub(crate) const BROTLI_BOMB: [u8; 14] = [
    0xcf, 0xff, 0xff, 0x7f, 0xf8, 0x27, 0x00, 0xe2, 0xb1, 0x40, 0x20, 0xf7, 0xfe, 0x7f,
];

/// What the bombs hold; 64 times what is allowed.
const BOMB_BYTES: usize = 16 * 1024 * 1024;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = bombs();
    cases.extend(floods());
    cases.extend(lies());
    cases
}

fn bombs() -> Vec<Case> {
    let zeros = |encoder: &mut dyn Write| write_pieces(&mut &mut *encoder, b"\0", BOMB_BYTES);
    let gzipped = gzip_of(b"\0", BOMB_BYTES);
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    zeros(&mut zlib);
    let zlib = zlib.finish().expect("memory");
    let mut raw = DeflateEncoder::new(Vec::new(), Compression::best());
    zeros(&mut raw);
    let raw = raw.finish().expect("memory");
    let twice = gzip(&gzipped);
    let bombs = [
        ("a bomb in gzip", "gzip", gzipped),
        ("a bomb in deflate", "deflate", zlib),
        ("a bomb in deflate without its header", "deflate", raw),
        ("a bomb in brotli", "br", BROTLI_BOMB.to_vec()),
        ("a bomb in zstd", "zstd", zstd_bomb()),
        ("a bomb in gzip in gzip", "gzip, gzip", twice.clone()),
        (
            "a bomb in gzip in gzip in zstd",
            "gzip, gzip, zstd",
            zstd_raw(&twice),
        ),
    ];
    bombs
        .into_iter()
        .map(|(name, coding, body)| {
            coded(name, coding, &body).fails(Cause::Limit, "over 262144 bytes (decoded_bytes_max)")
        })
        .collect()
}

/// Much to do for nothing: as many empty parts as there is room for.
fn floods() -> Vec<Case> {
    let many = |part: &[u8], bytes: usize| part.repeat(bytes / part.len());
    let most = 2 * 1024 * 1024;
    let empty_blocks = {
        let mut frame = zstd_frame();
        for _ in 0..50_000 {
            frame.extend(zstd_block(Block::Raw, 0, false));
        }
        frame.extend(zstd_block(Block::Raw, 0, true));
        frame
    };
    let empty_frame = [&zstd_frame()[..], &zstd_block(Block::Raw, 0, true)].concat();
    let floods = [
        ("empty gzip members", "gzip", many(&gzip(b""), most)),
        ("empty zstd frames", "zstd", many(&empty_frame, most)),
    ];
    let floods = floods.map(|(name, coding, body)| {
        coded(name, coding, &body)
            .limits(|limits| limits.total_ms = 300)
            .fails(Cause::Timeout, "no decoded body within 300ms")
    });
    let soon = [
        coded("empty zstd blocks", "zstd", &empty_blocks),
        coded(
            "empty deflate blocks",
            "deflate",
            &many(&[0, 0, 0, 0xff, 0xff], most / 8),
        )
        .fails(Cause::Protocol, "incomplete"),
    ];
    let roomy = |case: Case| {
        case.limits(|limits| {
            limits.body_bytes_max = 2 * 1024 * 1024;
            limits.wire_bytes_max = 4 * 1024 * 1024;
        })
    };
    floods.into_iter().chain(soon).map(roomy).collect()
}

fn lies() -> Vec<Case> {
    let text = b"a longer text that is cut or changed";
    let whole = gzip(text);
    let mut wrong_sum = whole.clone();
    let at = wrong_sum.len() - 6;
    wrong_sum[at] ^= 1;
    let cut = &whole[..whole.len() - 12];
    let huge_window = [&[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8][..], &[1, 0, 0]].concat();
    let reserved = [zstd_frame(), vec![0b111, 0, 0]].concat();
    let lies = [
        ("a gzip that is cut", "gzip", cut.to_vec()),
        ("a gzip of another checksum", "gzip", wrong_sum),
        ("plain text that says gzip", "gzip", text.to_vec()),
        ("plain text that says deflate", "deflate", text.to_vec()),
        ("plain text that says brotli", "br", text.to_vec()),
        ("plain text that says zstd", "zstd", text.to_vec()),
        (
            "a brotli window of a gigabyte",
            "br",
            vec![0x11, 0x1e, 0, 0],
        ),
        ("a zstd window of terabytes", "zstd", huge_window),
        ("a zstd block of the reserved kind", "zstd", reserved),
        ("a zstd frame that is cut", "zstd", zstd_frame()),
    ];
    let lies = lies.into_iter().map(|(name, coding, body)| {
        coded(name, coding, &body).fails(Cause::Protocol, "coded and is not")
    });
    let four = coded("four codings", "gzip, gzip, gzip, gzip", &whole)
        .fails(Cause::Limit, "coded 4 times over");
    lies.chain([four]).collect()
}

pub(crate) fn coded(name: &str, coding: &str, body: &[u8]) -> Case {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    answering(name, [head.as_bytes(), body].concat())
}

/// Writes a piece over and over, whole ones only, up to so many bytes.
pub(crate) fn write_pieces(encoder: &mut impl Write, piece: &[u8], bytes: usize) {
    let many = piece.repeat((64 * 1024 / piece.len()).clamp(1, bytes / piece.len()));
    for _ in 0..bytes / many.len() {
        encoder.write_all(&many).expect("memory");
    }
}

pub(crate) fn gzip_of(piece: &[u8], bytes: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    write_pieces(&mut encoder, piece, bytes);
    encoder.finish().expect("memory")
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).expect("memory");
    encoder.finish().expect("memory")
}

/// The kinds of a zstd block that need no compressor (RFC 8878, section 3.1.1.2.2).
#[derive(Clone, Copy)]
enum Block {
    Raw = 0,
    Rle = 1,
}

/// The head of a frame with a window of 8 MiB and no checksum.
fn zstd_frame() -> Vec<u8> {
    vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 13 << 3]
}

/// The head of a block: its last bit, its kind, its size.
fn zstd_block(kind: Block, size: u32, is_last: bool) -> [u8; 3] {
    let [first, second, third, _] =
        (size << 3 | (kind as u32) << 1 | u32::from(is_last)).to_le_bytes();
    [first, second, third]
}

/// Blocks of 128 KiB, the largest there are, of one byte each.
pub(crate) fn zstd_bomb() -> Vec<u8> {
    let block_bytes = 128 * 1024;
    let mut frame = zstd_frame();
    for done in 1..=BOMB_BYTES / block_bytes {
        let is_last = done * block_bytes == BOMB_BYTES;
        frame.extend(zstd_block(Block::Rle, 128 * 1024, is_last));
        frame.push(0);
    }
    frame
}

fn zstd_raw(text: &[u8]) -> Vec<u8> {
    let size = u32::try_from(text.len()).expect("a short text");
    [&zstd_frame()[..], &zstd_block(Block::Raw, size, true), text].concat()
}
