//! The moment at which an answer is made, and all that is otherwise at another moment.

use serde_json::Value as Json;

use crate::marks::{Kind, mark_json, mark_text};
use crate::rng::Rng;

/// When an answer is made, by the how many-th request.
pub(crate) struct Moment {
    pub(crate) ms: i64,
    pub(crate) count: i64,
    pub(crate) noise: Rng,
    /// What moved, in the order in which it was made.
    pub(crate) made: Vec<(Kind, String)>,
}

/// Forms of a time; each service has its own.
pub(crate) const FORMS: usize = 12;

impl Moment {
    /// Text that moves.
    pub(crate) fn text(&mut self, kind: Kind, text: &str) -> String {
        self.made.push((kind, text.to_owned()));
        mark_text(kind, text)
    }

    /// A value that moves.
    pub(crate) fn value(&mut self, kind: Kind, value: impl Into<Json>) -> Json {
        let value = value.into();
        self.made.push((kind, value.to_string()));
        mark_json(kind, value)
    }

    pub(crate) fn uuid(&mut self) -> String {
        let id = self.noise.uuid();
        self.text(Kind::Id, &id)
    }

    pub(crate) fn hex(&mut self, length: usize) -> String {
        let id = self.noise.hex(length);
        self.text(Kind::Id, &id)
    }

    pub(crate) fn token(&mut self, length: usize) -> String {
        let id = self.noise.token(length);
        self.text(Kind::Id, &id)
    }

    pub(crate) fn ulid(&mut self) -> String {
        let id = self.noise.ulid();
        self.text(Kind::Id, &id)
    }

    /// A whole number in a text.
    pub(crate) fn digits(&mut self, kind: Kind, low: i64, high: i64) -> String {
        let number = self.noise.between(low, high).to_string();
        self.text(kind, &number)
    }

    /// A whole number as a value.
    pub(crate) fn number(&mut self, kind: Kind, low: i64, high: i64) -> Json {
        let number = self.noise.between(low, high);
        self.value(kind, number)
    }

    /// A fraction as a value.
    pub(crate) fn fraction(&mut self, low: i64, high: i64, per: i64) -> Json {
        let number = self.noise.between(low, high) as f64 / per as f64;
        self.value(Kind::Measure, number)
    }

    /// A fraction in a text.
    pub(crate) fn fraction_text(&mut self, low: i64, high: i64, per: i64) -> String {
        let number = self.noise.between(low, high) as f64 / per as f64;
        self.text(Kind::Measure, &number.to_string())
    }

    /// A counter that has grown since a while ago.
    pub(crate) fn counter(&mut self, base: i64) -> i64 {
        base + self.count + self.noise.between(0, 3)
    }

    pub(crate) fn pick(&mut self, of: &[&str]) -> String {
        let picked = (*self.noise.pick(of)).to_owned();
        self.text(Kind::Choice, &picked)
    }

    /// The list in any order, which is that of another moment with natural probability.
    pub(crate) fn shuffled<T>(&mut self, mut list: Vec<T>) -> Vec<T> {
        let mut made = String::new();
        for at in (1..list.len()).rev() {
            let other = self.noise.below(at + 1);
            made += &format!("{other} ");
            list.swap(at, other);
        }
        self.made.push((Kind::Order, made));
        list
    }

    /// The time in one of `FORMS` forms.
    pub(crate) fn when(&mut self, form: usize) -> String {
        let text = time(self.ms, form);
        self.text(Kind::Time, &text)
    }
}

/// A time as text, in one of the forms.
pub(crate) fn time(ms: i64, form: usize) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (year, month, day) = civil(ms.div_euclid(86_400_000));
    let name = DAYS[usize::try_from(ms.div_euclid(86_400_000).rem_euclid(7)).expect("a day")];
    let month_name = MONTHS[usize::try_from(month - 1).expect("a month")];
    let second = ms.div_euclid(1_000).rem_euclid(86_400);
    let (h, m, s) = (second / 3_600, second / 60 % 60, second % 60);
    let fraction = ms.rem_euclid(1_000);
    let date = format!("{year}-{month:02}-{day:02}");
    let clock = format!("{h:02}:{m:02}:{s:02}");
    match form % FORMS {
        0 => format!("{date}T{clock}Z"),
        1 => format!("{date}T{clock}.{fraction:03}Z"),
        2 => format!("{date}T{clock}.{fraction:03}417+00:00"),
        3 => format!("{date}T{clock}+02:00"),
        4 => format!("{date} {clock}"),
        5 => format!("{name}, {day:02} {month_name} {year} {clock} GMT"),
        6 => format!("{}", ms / 1_000),
        7 => format!("{day:02}/{month_name}/{year}:{clock} +0000"),
        8 => format!("{year}{month:02}{day:02}T{h:02}{m:02}{s:02}Z"),
        9 => format!("{name}, {day} {month_name} {year} {clock} +0200"),
        10 => format!("{}.{fraction:03}", ms / 1_000),
        _ => format!("{month_name} {day}, {year}, {h}:{m:02}:{s:02}"),
    }
}

/// The date of a day counted from 1970, by a search for its year and month.
fn civil(days: i64) -> (i64, i64, i64) {
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let (mut year, mut left) = (1970, days);
    while left >= 365 + i64::from(is_leap(year)) {
        left -= 365 + i64::from(is_leap(year));
        year += 1;
    }
    let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    for (month, length) in (1..).zip(lengths) {
        let length = length + i64::from(month == 2 && is_leap(year));
        if left < length {
            return (year, month, left + 1);
        }
        left -= length;
    }
    (year, 12, left + 1)
}
