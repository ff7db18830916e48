//! Takes known secrets out of a text before it is shown or stored.

use alloc::borrow::{Cow, ToOwned};
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use crate::Secret;

/// What stands where a secret was.
const MASK: &str = "***";

/// Replaces every secret it knows by `***`, in each of these forms: as it is, percent-encoded (any
/// selection of characters, upper or lower case, `+` for a space), with JSON escapes, with HTML
/// entities, and inside base64 (standard and URL alphabet) at any of the three offsets.
///
/// Secrets shorter than three bytes are not looked for in base64, where they would match by chance;
/// an empty secret is ignored. Other encodings (hexadecimal, encoded twice, split over two texts)
/// are not found.
#[derive(Clone, Default)]
pub struct Redactor {
    secrets: Vec<Known>,
}

#[derive(Clone)]
struct Known {
    text: String,
    /// The runs of base64 characters that only this secret decides.
    base64: Vec<Run>,
}

/// What of a base64 text a secret decides, at one offset and in one alphabet.
#[derive(Clone)]
struct Run {
    text: String,
    /// The character before it also carries bits of the secret.
    before: bool,
    /// The character after it also carries bits of the secret.
    after: bool,
}

impl core::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Redactor({} secrets)", self.secrets.len())
    }
}

impl Redactor {
    /// From now on `secret` is replaced.
    pub fn add(&mut self, secret: &Secret) {
        let text = secret.expose();
        if text.is_empty() || self.secrets.iter().any(|known| known.text == text) {
            return;
        }
        self.secrets.push(Known {
            text: text.to_owned(),
            base64: base64_runs(text.as_bytes()),
        });
    }

    /// `text` with every known secret replaced by `***`; borrowed if there was none.
    #[must_use]
    pub fn apply<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut found: Vec<Range<usize>> = Vec::new();
        for known in &self.secrets {
            known.find(text, &mut found);
        }
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        found.sort_by_key(|range| (range.start, range.end));
        let mut out = String::with_capacity(text.len());
        let mut shown = 0;
        let mut masked_to = None;
        for range in found {
            // Ranges that overlap or touch share one mask: what two secrets share stays hidden.
            if masked_to.is_none_or(|end| range.start > end) {
                out.push_str(&text[shown..range.start]);
                out.push_str(MASK);
            }
            let end = masked_to.map_or(range.end, |end: usize| end.max(range.end));
            masked_to = Some(end);
            shown = end;
        }
        out.push_str(&text[shown..]);
        Cow::Owned(out)
    }
}

impl Known {
    fn find(&self, text: &str, found: &mut Vec<Range<usize>>) {
        let first = self.text.as_bytes()[0];
        let mut ends = Ends::default();
        for (start, _) in text.char_indices() {
            let byte = text.as_bytes()[start];
            if (byte == first || begins_escape(byte))
                && let Some(end) = ends.furthest(text, start, &self.text)
            {
                found.push(start..end);
            }
        }
        for run in &self.base64 {
            let matches = overlapping(text, &run.text);
            found.extend(matches.map(|at| run.widened(text, at)));
        }
    }
}

/// Every occurrence, also those that overlap.
fn overlapping<'a>(text: &'a str, run: &'a str) -> impl Iterator<Item = usize> + 'a {
    let mut from = 0;
    core::iter::from_fn(move || {
        let at = from + text.get(from..)?.find(run)?;
        // A run is ASCII, so the next byte begins a character.
        from = at + 1;
        Some(at)
    })
}

impl Run {
    fn widened(&self, text: &str, at: usize) -> Range<usize> {
        let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
        let bytes = text.as_bytes();
        let end = at + self.text.len();
        let before = self.before && at > 0 && base64(&bytes[at - 1]);
        let after = self.after && bytes.get(end).is_some_and(base64);
        at - usize::from(before)..end + usize::from(after)
    }
}

fn base64_runs(secret: &[u8]) -> Vec<Run> {
    let mut runs = Vec::new();
    if secret.len() < 3 {
        return runs;
    }
    for alphabet in [b"+/", b"-_"] {
        for offset in 0..3 {
            // Bits of the secret in the text: from 8 * offset on. Only groups of six bits that lie
            // wholly within it are the same whatever stands before and after.
            let bits = 8 * offset..8 * (offset + secret.len());
            let groups = bits.start.div_ceil(6)..bits.end / 6;
            let bit = |n: usize| secret[n / 8 - offset] >> (7 - n % 8) & 1;
            let text = groups
                .clone()
                .map(|group| (0..6).fold(0, |value, n| value << 1 | bit(group * 6 + n)))
                .map(|value| base64_char(value, alphabet))
                .collect::<String>();
            let run = Run {
                text,
                before: groups.start * 6 > bits.start,
                after: groups.end * 6 < bits.end,
            };
            if !runs.iter().any(|known: &Run| known.text == run.text) {
                runs.push(run);
            }
        }
    }
    runs
}

fn base64_char(value: u8, alphabet: &[u8; 2]) -> char {
    let byte = match value {
        0..=25 => b'A' + value,
        26..=51 => b'a' + value - 26,
        52..=61 => b'0' + value - 52,
        62 => alphabet[0],
        _ => alphabet[1],
    };
    char::from(byte)
}

/// Places in the text that the characters of a secret so far may reach. A raw `%` and the `%25`
/// that stands for it differ in length, so there may be more than one.
#[derive(Default)]
struct Ends {
    now: Vec<usize>,
    next: Vec<usize>,
}

impl Ends {
    /// The furthest end of `secret` at `start`, each of its characters raw or escaped in any way.
    fn furthest(&mut self, text: &str, start: usize, secret: &str) -> Option<usize> {
        self.now.clear();
        self.now.push(start);
        for character in secret.chars() {
            self.next.clear();
            for at in &self.now {
                let rest = text.get(*at..)?;
                if !rest.as_bytes().first().copied().is_some_and(begins_escape) {
                    if rest.starts_with(character) {
                        push_new(&mut self.next, at + character.len_utf8());
                    }
                    continue;
                }
                for length in forms(rest, character).into_iter().flatten() {
                    push_new(&mut self.next, at + length);
                }
            }
            core::mem::swap(&mut self.now, &mut self.next);
            if self.now.is_empty() {
                return None;
            }
        }
        self.now.iter().max().copied()
    }
}

fn push_new(ends: &mut Vec<usize>, end: usize) {
    if !ends.contains(&end) {
        ends.push(end);
    }
}

fn begins_escape(byte: u8) -> bool {
    matches!(byte, b'%' | b'\\' | b'&' | b'+')
}

/// How many bytes of `rest` write `character`, for each way of writing it.
fn forms(rest: &str, character: char) -> [Option<usize>; 4] {
    let raw = rest.starts_with(character).then(|| character.len_utf8());
    let percent = match rest.as_bytes().first() {
        Some(b'%') => percent_form(rest.as_bytes(), character),
        Some(b'+') if character == ' ' => Some(1),
        _ => None,
    };
    let json = rest
        .strip_prefix('\\')
        .and_then(|rest| json_form(rest, character));
    let html = rest
        .strip_prefix('&')
        .and_then(|rest| html_form(rest, character));
    [raw, percent, json, html]
}

fn percent_form(rest: &[u8], character: char) -> Option<usize> {
    let mut buffer = [0; 4];
    let mut length = 0;
    for byte in character.encode_utf8(&mut buffer).bytes() {
        let escape = rest.get(length..length + 3)?;
        let hex = core::str::from_utf8(&escape[1..]).ok()?;
        if escape[0] != b'%' || u8::from_str_radix(hex, 16) != Ok(byte) {
            return None;
        }
        length += 3;
    }
    Some(length)
}

/// `rest` is what follows the backslash.
fn json_form(rest: &str, character: char) -> Option<usize> {
    let short = match character {
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{c}' => 'f',
        '\r' => 'r',
        '"' | '\\' | '/' => character,
        _ => '\0',
    };
    if short != '\0' && rest.starts_with(short) {
        return Some(2);
    }
    let mut units = [0; 2];
    let mut length = 0;
    for (index, unit) in character.encode_utf16(&mut units).iter().enumerate() {
        let rest = rest.get(length..)?;
        let rest = if index > 0 {
            rest.strip_prefix('\\')?
        } else {
            rest
        };
        let hex = rest.strip_prefix('u')?.get(..4)?;
        if u16::from_str_radix(hex, 16) != Ok(*unit) {
            return None;
        }
        length += 5 + usize::from(index > 0);
    }
    Some(length + 1)
}

/// `rest` is what follows the ampersand.
fn html_form(rest: &str, character: char) -> Option<usize> {
    // The longest entity of one of these characters is `&#x0010ffff;`.
    let body = rest.as_bytes().iter().take(12).position(|b| *b == b';')?;
    let body = rest.get(..body)?;
    let named = match body {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => None,
    };
    let code = || {
        let digits = body.strip_prefix('#')?;
        let number = match digits.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => digits.parse(),
        };
        char::from_u32(number.ok()?)
    };
    let matches = named.or_else(code) == Some(character);
    matches.then_some(body.len() + 2)
}
