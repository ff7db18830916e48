//! Numbers that look random and are the same for the same seed (splitmix64), and the texts and
//! values that definitions and contexts are made of.

use serde_json::{Value as Json, json};

/// A source of choices.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number under `end`, which is not 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Whether something happens that happens so many times in a hundred.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of these.
    pub(crate) fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    /// From `least` to `most` of what `make` makes.
    pub(crate) fn several<T>(
        &mut self,
        least: usize,
        most: usize,
        mut make: impl FnMut(&mut Self) -> T,
    ) -> Vec<T> {
        let count = least + self.below(most - least + 1);
        (0..count).map(|_| make(self)).collect()
    }

    /// A short text, of those that definitions and contexts have in common.
    pub(crate) fn word(&mut self) -> String {
        self.pick(WORDS).to_owned()
    }

    /// A number as somebody might write it, or what only looks like one.
    pub(crate) fn number_text(&mut self) -> String {
        match self.below(4) {
            0 => self.pick(ODD_NUMBERS).to_owned(),
            1 => format!("{}", self.below(5)),
            2 => format!("{}.{}", self.below(5), self.below(10)),
            _ => format!("-{}", self.below(5)),
        }
    }

    /// A version, or what only looks like one.
    pub(crate) fn version_text(&mut self) -> String {
        match self.below(3) {
            0 => self.pick(ODD_VERSIONS).to_owned(),
            _ => format!("{}.{}.{}", self.below(2), self.below(3), self.below(3)),
        }
    }

    /// A time, or what only looks like one. None is near the time at which this runs.
    pub(crate) fn time_text(&mut self) -> String {
        self.pick(TIMES).to_owned()
    }

    /// A regular expression, now and then none.
    pub(crate) fn pattern(&mut self) -> String {
        self.pick(PATTERNS).to_owned()
    }

    /// An address, a network, or neither.
    pub(crate) fn address(&mut self) -> String {
        self.pick(ADDRESSES).to_owned()
    }

    /// Any of the texts above.
    pub(crate) fn any_text(&mut self) -> String {
        match self.below(8) {
            0..=2 => self.word(),
            3 => self.number_text(),
            4 => self.version_text(),
            5 => self.time_text(),
            6 => self.address(),
            _ => format!("user-{}", self.below(1000)),
        }
    }

    /// A value of JSON that is neither list nor object.
    pub(crate) fn scalar(&mut self) -> Json {
        match self.below(8) {
            0 => Json::Null,
            1 => self.chance(50).into(),
            2 | 3 => self.number(),
            _ => self.any_text().into(),
        }
    }

    /// A number of JSON.
    pub(crate) fn number(&mut self) -> Json {
        match self.below(8) {
            0 => json!(self.below(10) as f64 / 4.0),
            1 => json!(-(self.below(4) as i64)),
            2 => self
                .pick(&[
                    &json!(1e3),
                    &json!(0.1),
                    &json!(-0.0),
                    &json!(1e21),
                    &json!(1e-7),
                    &json!(9_007_199_254_740_993_i64),
                    &json!(1_577_836_800_000_i64),
                    &json!(1.0),
                ])
                .clone(),
            _ => json!(self.below(5)),
        }
    }
}

const WORDS: &[&str] = &[
    "",
    "a",
    "A",
    "ab",
    "b",
    "pro",
    "PRO",
    "team",
    "de",
    "DE",
    "ada@shop.example",
    "bob@mail.example",
    "Ünïcode",
    "ünïcode",
    "STRASSE",
    "straße",
    "ΟΔΟΣ",
    "οδος",
    "İstanbul",
    "日本",
    "a b",
    " a",
    "a,b",
    "a.b",
    "true",
    "false",
    "null",
    "e\u{301}",
    "é",
    "\u{1F600}",
    "tab\there",
];

const ODD_NUMBERS: &[&str] = &[
    "1e3",
    "1E3",
    "+5",
    "-0",
    "0",
    "00",
    "007",
    ".5",
    "5.",
    "1_000",
    "0x10",
    "NaN",
    "inf",
    "-inf",
    "infinity",
    " 5",
    "5 ",
    "",
    "1.0000000000000001",
    "1e400",
    "1e-400",
    "9007199254740993",
    "0.30000000000000004",
    "1,5",
    "٣",
    "1.0",
    "1.00",
    "1e",
    "e1",
    "--1",
];

const ODD_VERSIONS: &[&str] = &[
    "1.2",
    "1",
    "v1.2.3",
    "V1.2.3",
    "1.2.3-rc.1",
    "1.2.3-rc.2",
    "1.2.3-alpha",
    "1.2.3-1",
    "1.2.3-rc.10",
    "1.2.3+build.5",
    "1.2.3-rc.1+5",
    "1.02.3",
    "01.2.3",
    "1.2.3-01",
    "1.2.3-",
    "1.2.3+",
    "1.2.3.4",
    "",
    "x.y.z",
    "99999999999999999999.0.0",
    "1.0.0",
    "1.2.x",
    "1.2.3 ",
    " 1.2.3",
];

const TIMES: &[&str] = &[
    "2020-01-01T00:00:00Z",
    "2020-01-01T00:00:00.000Z",
    "2020-01-01T00:00:00.001Z",
    "2020-01-01T00:00:00.123456Z",
    "2020-01-01T00:00:00+02:00",
    "2019-12-31T22:00:00-00:00",
    "2020-01-01t00:00:00z",
    "2020-01-01 00:00:00Z",
    "2020-01-01T00:00Z",
    "2020-01-01",
    "2020-02-30T00:00:00Z",
    "2020-01-01T24:00:00Z",
    "2020-06-30T23:59:60Z",
    "2045-06-30T12:00:00Z",
    "2045-06-30T12:00:00+0200",
    "1999-12-31T23:59:59Z",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "tomorrow",
    "1577836800000",
    "",
];

const PATTERNS: &[&str] = &[
    "",
    "a",
    "^a",
    "a$",
    "^[a-z]+$",
    "(?i)PRO",
    "pro|team",
    r"\d+",
    r"^\w+@shop\.example$",
    r"\bb\b",
    r"[^a]",
    ".",
    "^$",
    r"\p{Greek}+",
    r"(?s).*",
    "ü",
    "(open",
    "(?=ahead)",
    r"\1",
    "a{2,1}",
    "[z-a]",
    r"\x{1F600}",
    "a b",
    r"\s",
    r"(a|b)*c?$",
    r#"say "a""#,
    r"back\\slash",
];

const ADDRESSES: &[&str] = &[
    "10.0.0.1",
    "10.0.0.0/8",
    "10.0.0.1/8",
    "10.0.0.0/33",
    "10.0.0.0/255.0.0.0",
    "10.1",
    "10.0.0.01",
    "192.168.1.7",
    "192.168.0.0/16",
    "0.0.0.0/0",
    "::1",
    "::1/128",
    "::/0",
    "::ffff:10.0.0.1",
    "2001:db8::/32",
    "2001:db8::7",
    "fe80::1%eth0",
    "",
    "localhost",
    " 10.0.0.1",
    "10.0.0.1 ",
    "10.0.0.1/",
    "256.0.0.1",
];
