//! What a file's bytes are, whatever its name says.

use alloc::string::{String, ToString as _};

use nonevent_document::{Document, Limits};

use super::structured::first;
use super::xml;

/// What documents may hold; as large as a report of a tool.
const LIMITS: Limits = Limits {
    bytes_max: 4 << 20,
    depth_max: 64,
    nodes_max: 200_000,
};

/// A type of content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContentType {
    /// UTF-8 without control characters but for tab, form feed and line ends.
    Text,
    Json,
    Yaml,
    Xml,
    Pdf,
    Png,
    Jpeg,
    Gzip,
    Zip,
}

const TYPES: [(&str, ContentType); 9] = [
    ("text", ContentType::Text),
    ("json", ContentType::Json),
    ("yaml", ContentType::Yaml),
    ("xml", ContentType::Xml),
    ("pdf", ContentType::Pdf),
    ("png", ContentType::Png),
    ("jpeg", ContentType::Jpeg),
    ("gzip", ContentType::Gzip),
    ("zip", ContentType::Zip),
];

impl ContentType {
    pub(crate) fn of_name(name: &str) -> Option<ContentType> {
        let mut types = TYPES.into_iter();
        types.find(|(known, _)| *known == name).map(|(_, it)| it)
    }

    pub(crate) fn names() -> String {
        let names = TYPES.map(|(name, _)| alloc::format!("`{name}`"));
        names.join(", ")
    }

    pub(crate) fn name(self) -> &'static str {
        let mut types = TYPES.into_iter();
        types
            .find(|(_, known)| *known == self)
            .map_or("", |it| it.0)
    }

    /// Whether the bytes are of the type: documents are read whole, of other files the first bytes
    /// are looked at.
    ///
    /// # Errors
    ///
    /// Why they are not.
    pub(crate) fn fits(self, bytes: &[u8]) -> Result<(), String> {
        let document = |name: &str| match Document::parse(name, bytes, &LIMITS) {
            Ok(_) => Ok(()),
            Err(findings) => Err(first(&findings)),
        };
        let begins = |magic: &[u8]| {
            if bytes.starts_with(magic) {
                Ok(())
            } else {
                Err(String::from("it begins otherwise"))
            }
        };
        match self {
            ContentType::Text => text(bytes).map(drop),
            ContentType::Json => document("file.json"),
            ContentType::Yaml => document("file.yaml"),
            ContentType::Xml => text(bytes).and_then(|text| xml::parse(text).map(drop)),
            // ISO 32000-1, 7.5.2
            ContentType::Pdf => begins(b"%PDF-"),
            // PNG, third edition, 5.2
            ContentType::Png => begins(b"\x89PNG\r\n\x1a\n"),
            // ITU-T T.81, B.1.1.3: start of image, and the next marker
            ContentType::Jpeg => begins(b"\xff\xd8\xff"),
            // RFC 1952, 2.3.1: deflate is the only method there is
            ContentType::Gzip => begins(b"\x1f\x8b\x08"),
            // APPNOTE 6.3.10, 4.3.7: a local file header, so that an empty archive is none
            ContentType::Zip => begins(b"PK\x03\x04"),
        }
    }
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    let text = core::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let odd = |it: &char| it.is_control() && !matches!(it, '\t' | '\n' | '\r' | '\u{c}');
    match text.chars().find(odd) {
        None => Ok(text),
        Some(odd) => Err(alloc::format!(
            "it has the control character {}",
            odd.escape_default()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_decide() {
        let cases: [(ContentType, &[u8], &[u8]); 9] = [
            (ContentType::Text, "Grüße\r\n\tx".as_bytes(), b"a\x1b[2J"),
            (ContentType::Json, b"{\"a\": 1}", b"{a: 1}"),
            (ContentType::Yaml, b"a: 1\n", b"a: [1"),
            (ContentType::Xml, b"<a/>", b"<a>"),
            (ContentType::Pdf, b"%PDF-1.7\n", b"PDF"),
            (ContentType::Png, b"\x89PNG\r\n\x1a\n\0", b"\x89PNG\n"),
            (ContentType::Jpeg, b"\xff\xd8\xff\xe0", b"\xff\xd8"),
            (ContentType::Gzip, b"\x1f\x8b\x08\0", b"\x1f\x8b\x07"),
            (ContentType::Zip, b"PK\x03\x04\0", b"PK\x05\x06"),
        ];
        for (wanted, good, bad) in cases {
            assert_eq!(wanted.fits(good), Ok(()), "{}", wanted.name());
            assert!(wanted.fits(bad).is_err(), "{}", wanted.name());
            assert_eq!(ContentType::of_name(wanted.name()), Some(wanted));
        }
        assert!(ContentType::Text.fits(b"\xff\xfe").is_err());
    }
}
