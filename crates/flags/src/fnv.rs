//! FNV-1a over the UTF-16 units of texts, as GrowthBook divides subjects.
//!
//! Source: Fowler, Noll, Vo, "The FNV Non-Cryptographic Hash Algorithm" (RFC 9923), in 32 bits;
//! what is fed to it are whole UTF-16 units, as JavaScript's `charCodeAt` gives them, which for
//! ASCII is the same as bytes.

const OFFSET_BASIS: u32 = 0x811c_9dc5;
const PRIME: u32 = 0x0100_0193;

/// A hash of texts one after another.
#[derive(Clone, Copy)]
pub(crate) struct Fnv1a(u32);

impl Fnv1a {
    pub(crate) const fn new() -> Self {
        Self(OFFSET_BASIS)
    }

    pub(crate) fn text(self, text: &str) -> Self {
        text.encode_utf16().fold(self, Self::unit)
    }

    pub(crate) const fn finish(self) -> u32 {
        self.0
    }

    /// The hash of this hash, written as a decimal number.
    pub(crate) fn again(self) -> u32 {
        let mut digits = [0_u8; 10];
        let mut left = self.0;
        let mut first = digits.len();
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (left % 10) as u8;
            left /= 10;
            first -= 1;
            if left == 0 {
                break;
            }
        }
        let digits = digits.iter().skip(first);
        digits
            .fold(Self::new(), |hash, digit| hash.unit(u16::from(*digit)))
            .finish()
    }

    const fn unit(self, unit: u16) -> Self {
        Self((self.0 ^ unit as u32).wrapping_mul(PRIME))
    }
}

#[cfg(test)]
mod tests {
    use super::Fnv1a;

    #[test]
    fn published_vectors() {
        // RFC 9923, appendix: FNV-1a, 32 bits.
        for (text, hash) in [
            ("", 0x811c_9dc5),
            ("a", 0xe40c_292c),
            ("foobar", 0xbf9c_f968),
        ] {
            assert_eq!(Fnv1a::new().text(text).finish(), hash, "{text}");
        }
        assert_eq!(
            Fnv1a::new().text("foo").text("bar").finish(),
            Fnv1a::new().text("foobar").finish()
        );
    }

    #[test]
    fn a_hash_is_hashed_as_its_decimal_digits() {
        for text in ["", "a", "foobar", "zz", "nonevent"] {
            let hash = Fnv1a::new().text(text);
            let digits = alloc::format!("{}", hash.finish());
            assert_eq!(hash.again(), Fnv1a::new().text(&digits).finish());
        }
        assert_eq!(Fnv1a(0).again(), Fnv1a::new().text("0").finish());
    }
}
