//! Files whose parts are encrypted, as GrowthBook gives them to apps on request.
//!
//! A part is a base64 text of the initialisation vector, a dot, and a base64 text of what AES in CBC
//! mode with PKCS #7 padding made of the JSON (NIST SP 800-38A, RFC 5652 section 6.3). Nothing in it
//! proves who wrote it: it hides the rules from those who read an app, and is no signature.

use aes::Aes128;
use alloc::string::String;
use alloc::vec::Vec;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use core::fmt;
use core::str::FromStr;

/// The key of an SDK connection of GrowthBook: 16 bytes, written in base64.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DecryptionKey([u8; 16]);

/// Why something cannot be decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecryptionError {
    /// The key is not 16 bytes in base64.
    #[error(
        "the decryption key is not 16 bytes written in base64; copy it from the SDK connection"
    )]
    Key,
    /// It is not an initialisation vector of 16 bytes, a dot and the rest, both in base64.
    #[error("the encrypted part is not two base64 texts with a dot between them")]
    Form,
    /// What comes out is no text with the padding that belongs there.
    #[error("the encrypted part does not open with this key; it is of another SDK connection")]
    WrongKey,
}

impl FromStr for DecryptionKey {
    type Err = DecryptionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = STANDARD.decode(text.trim());
        let bytes = bytes.map_err(|_| DecryptionError::Key)?;
        let bytes = bytes.try_into().map_err(|_| DecryptionError::Key)?;
        Ok(Self(bytes))
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DecryptionKey(…)")
    }
}

impl DecryptionKey {
    /// The text that an encrypted part holds.
    ///
    /// # Errors
    ///
    /// If the part is not in the form, or does not open with this key.
    ///
    /// ```
    /// use nonevent_flags::{DecryptionError, DecryptionKey};
    ///
    /// let key: DecryptionKey = "Ns04T5n9+59rl2x3SlNHtQ==".parse()?;
    /// assert_eq!(key.decrypt("not encrypted"), Err(DecryptionError::Form));
    /// # Ok::<(), DecryptionError>(())
    /// ```
    pub fn decrypt(&self, part: &str) -> Result<String, DecryptionError> {
        let decoded = |text: &str| STANDARD.decode(text).map_err(|_| DecryptionError::Form);
        let (vector, text) = part.trim().split_once('.').ok_or(DecryptionError::Form)?;
        let vector: [u8; 16] = decoded(vector)?
            .try_into()
            .map_err(|_: Vec<u8>| DecryptionError::Form)?;
        let mut text = decoded(text)?;
        let cipher = cbc::Decryptor::<Aes128>::new(&self.0.into(), &vector.into());
        let opened = cipher.decrypt_padded::<Pkcs7>(&mut text);
        let opened = opened.map_err(|_| DecryptionError::WrongKey)?;
        let opened = core::str::from_utf8(opened);
        opened
            .map(String::from)
            .map_err(|_| DecryptionError::WrongKey)
    }
}

#[cfg(test)]
mod tests {
    use super::{DecryptionError, DecryptionKey};

    /// Of `{"dark-mode":{"defaultValue":true}}`, made with OpenSSL.
    const KEY: &str = "DOKpGJRzIbQrSU56iV4Q2A==";
    const PART: &str =
        "b2LHT/9gkxDlZ2hZIq/pvw==.AsA7v94z+Dd265ptru3yA+sEs9GVH+vjuBkngRw8lBONGkNaZbSQHmmyHT6gSyZ/";

    #[test]
    fn what_openssl_encrypts_opens_with_its_key_only() {
        let key: DecryptionKey = KEY.parse().expect("a key");
        assert_eq!(
            key.decrypt(PART).as_deref(),
            Ok(r#"{"dark-mode":{"defaultValue":true}}"#)
        );
        let other: DecryptionKey = "AAAAAAAAAAAAAAAAAAAAAA==".parse().expect("a key");
        assert_eq!(other.decrypt(PART), Err(DecryptionError::WrongKey));
        assert!(!alloc::format!("{key:?}").contains(&KEY[..4]));
    }

    #[test]
    fn keys_and_parts_of_another_form_are_told_apart() {
        for key in ["", "AAAA", "AAAAAAAAAAAAAAAAAAAAA!==", "not base64"] {
            assert_eq!(
                key.parse::<DecryptionKey>(),
                Err(DecryptionError::Key),
                "{key}"
            );
        }
        let key: DecryptionKey = KEY.parse().expect("a key");
        let (vector, text) = PART.split_once('.').expect("a dot");
        for part in [vector, text, &PART[4..], ".", ""] {
            assert_eq!(key.decrypt(part), Err(DecryptionError::Form), "{part}");
        }
        // A block is missing.
        let cut = alloc::format!("{vector}.");
        assert_eq!(key.decrypt(&cut), Err(DecryptionError::WrongKey));
    }
}
