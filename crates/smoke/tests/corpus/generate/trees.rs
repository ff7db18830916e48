//! JSON of any form, with noise of any kind at any place.

use serde_json::{Value as Json, json};

use super::moment::{FORMS, Moment};
use super::{Answer, Shape, past};
use crate::marks::{Kind, mark_json};
use crate::rng::Rng;

/// A value that stays.
fn fixed(stable: &mut Rng) -> Json {
    match stable.below(9) {
        0 => stable.chance(50).into(),
        1 => Json::Null,
        2 => stable.between(-9, 9).into(),
        3 => stable.between(1_000, 90_000_000).into(),
        4 => (stable.between(-9_999, 9_999) as f64 / 64.0).into(),
        5 => past(stable).into(),
        6 => stable.uuid().into(),
        7 => stable.words(5).into(),
        _ => stable.word().into(),
    }
}

/// A value that moves.
fn moving(stable: &mut Rng, at: &mut Moment) -> Json {
    match stable.below(8) {
        0 => at.when(stable.below(FORMS)).into(),
        1 => at.uuid().into(),
        2 => at.hex(8 + stable.below(40)).into(),
        3 => {
            let length = 12 + stable.below(80);
            at.token(length).into()
        }
        4 => {
            let count = at.counter(stable.between(100, 90_000));
            at.value(Kind::Count, count)
        }
        5 => at.fraction(1, 99_999, 1_000),
        6 => format!(
            "{} {} {}",
            stable.word(),
            at.digits(Kind::Measure, 1_000, 999_999),
            stable.word()
        )
        .into(),
        _ => {
            let ms = at.ms;
            at.value(Kind::Time, ms)
        }
    }
}

fn tree(stable: &mut Rng, at: &mut Moment, depth: usize, moving_percent: usize) -> Json {
    let turn = stable.below(10);
    if depth == 0 || turn < 4 {
        if stable.chance(moving_percent) {
            return moving(stable, at);
        }
        return fixed(stable);
    }
    if turn < 8 {
        let mut members = json!({});
        for _ in 0..1 + stable.below(5) {
            let key = stable.word();
            members[key] = tree(stable, at, depth - 1, moving_percent);
        }
        return members;
    }
    // Elements of one form, as lists mostly have.
    let seed = stable.next();
    let count = 1 + stable.below(5);
    let mut items = Vec::new();
    for n in 0..count {
        let mut own = Rng::new(seed);
        let mut item = json!({ "key": format!("{}-{n}", stable.word()), "note": fixed(stable) });
        item["inner"] = tree(&mut own, at, depth - 1, moving_percent);
        items.push(item);
    }
    if stable.chance(25) {
        let items = at.shuffled(items);
        return mark_json(Kind::Order, items.into());
    }
    items.into()
}

fn document(stable: &mut Rng, at: &mut Moment, depth: usize, moving_percent: usize) -> Answer {
    let mut members = json!({});
    for _ in 0..3 + stable.below(4) {
        let key = stable.word();
        members[key] = tree(stable, at, depth, moving_percent);
    }
    Answer::json(members)
}

pub(super) const SHAPES: &[(&str, Shape)] = &[
    ("tree with little noise", |stable, at| {
        document(stable, at, 4, 8)
    }),
    ("tree with some noise", |stable, at| {
        document(stable, at, 3, 30)
    }),
    ("tree with much noise", |stable, at| {
        document(stable, at, 4, 60)
    }),
    ("flat with noise", |stable, at| document(stable, at, 1, 40)),
];
