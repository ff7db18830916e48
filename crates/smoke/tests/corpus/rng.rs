//! Numbers that look random and are the same in each run.

/// Marsaglia's xorshift64 with Vigna's multiplier.
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Rng {
        let mut rng = Rng((seed ^ 0x2545_f491_4f6c_dd1d).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..8 {
            rng.next();
        }
        rng
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 8
    }

    /// From 0 to `below`, which is not 0, without it.
    pub(crate) fn below(&mut self, below: usize) -> usize {
        usize::try_from(self.next() % below as u64).expect("it is below a usize")
    }

    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = usize::try_from(high - low + 1).expect("the bounds are in order");
        low + i64::try_from(self.below(span)).expect("a small number")
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    fn of(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length)
            .map(|_| char::from(*self.pick(alphabet)))
            .collect()
    }

    pub(crate) fn hex(&mut self, length: usize) -> String {
        self.of(b"0123456789abcdef", length)
    }

    pub(crate) fn token(&mut self, length: usize) -> String {
        self.of(
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
            length,
        )
    }

    pub(crate) fn ulid(&mut self) -> String {
        format!("01K{}", self.of(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ", 23))
    }

    pub(crate) fn uuid(&mut self) -> String {
        let variant = *self.pick(&['8', '9', 'a', 'b']);
        let mut part = |length| self.hex(length);
        let (a, b, c, d, e) = (part(8), part(4), part(3), part(3), part(12));
        format!("{a}-{b}-4{c}-{variant}{d}-{e}")
    }

    pub(crate) fn word(&mut self) -> String {
        const STARTS: [&str; 16] = [
            "br", "c", "d", "f", "gl", "h", "k", "l", "m", "n", "p", "qu", "st", "tr", "v", "w",
        ];
        const ENDS: [&str; 12] = [
            "ade", "ell", "ine", "ock", "um", "ara", "est", "ill", "ope", "urn", "ex", "io",
        ];
        (0..=self.below(2) + usize::from(self.chance(60)))
            .map(|_| format!("{}{}", self.pick(&STARTS), self.pick(&ENDS)))
            .collect()
    }

    pub(crate) fn words(&mut self, count: usize) -> String {
        let words: Vec<String> = (0..count).map(|_| self.word()).collect();
        words.join(" ")
    }
}
