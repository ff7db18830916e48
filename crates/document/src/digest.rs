//! SHA-256 digests, the names by which plans, runbooks and evidence refer to each other.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Digest as _;

/// A SHA-256 digest (FIPS 180-4), written `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(sha2::Sha256::digest(bytes).into())
    }

    /// The digest of bytes that are read piece by piece. `read` fills the front of what it is given
    /// and says how far; 0 is the end.
    ///
    /// ```
    /// use nonevent_document::Digest;
    ///
    /// let mut left: &[u8] = b"an artifact";
    /// let digest = Digest::of_stream(|piece| {
    ///     let count = left.len().min(piece.len()).min(3);
    ///     piece[..count].copy_from_slice(&left[..count]);
    ///     left = &left[count..];
    ///     Ok::<usize, std::convert::Infallible>(count)
    /// });
    /// assert_eq!(digest, Ok(Digest::of(b"an artifact")));
    /// ```
    ///
    /// # Errors
    ///
    /// The first that `read` has.
    pub fn of_stream<E>(mut read: impl FnMut(&mut [u8]) -> Result<usize, E>) -> Result<Digest, E> {
        let mut hasher = sha2::Sha256::new();
        let mut piece = [0; 8192];
        loop {
            let count = read(&mut piece)?.min(piece.len());
            match piece.get(..count) {
                None | Some([]) => return Ok(Digest(hasher.finalize().into())),
                Some(filled) => hasher.update(filled),
            }
        }
    }

    /// A digest computed elsewhere.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Digest {
        Digest(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 hexadecimal digits without the prefix, as in-toto's `digest.sha256` wants them.
    #[must_use]
    pub fn hex(&self) -> String {
        use fmt::Write as _;
        let mut hex = String::with_capacity(64);
        for byte in self.0 {
            write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
        }
        hex
    }

    /// The first 12 hexadecimal digits: enough for people, never for comparison.
    #[must_use]
    pub fn short(&self) -> String {
        let mut hex = self.hex();
        hex.truncate(12);
        hex
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// A text is not a digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest is `sha256:` and 64 lower-case hexadecimal digits")]
pub struct DigestError(());

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hex = text
            .strip_prefix("sha256:")
            .ok_or(DigestError(()))?
            .as_bytes();
        if hex.len() != 64 {
            return Err(DigestError(()));
        }
        let nibble = |digit: u8| match digit {
            b'0'..=b'9' => Ok(digit - b'0'),
            b'a'..=b'f' => Ok(digit - b'a' + 10),
            _ => Err(DigestError(())),
        };
        let mut bytes = [0u8; 32];
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Ok(Digest(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = alloc::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
