//! Gross changes at places that move: what no moment would ever make of them.

use nonevent_smoke::Response;
use serde_json::Value as Json;

use super::{Injected, is_same};
use crate::marks::Kind;
use crate::places::{Body, Places};
use crate::rng::Rng;

/// An answer with one gross change; nothing where nothing moves.
pub(crate) fn gross(base: &Response, places: &Places, rng: &mut Rng) -> Option<Injected> {
    let mut response = base.clone();
    let (kind, what) = match &places.body {
        Body::Json(tree) => {
            if tree.marks.is_empty() {
                return None;
            }
            let (pointer, kind) = rng.pick(&tree.marks).clone();
            let mut root = tree.plain.clone();
            let (name, new) = gross_value(kind, rng)?;
            *root.pointer_mut(&pointer)? = new;
            response.body = root.to_string().into_bytes();
            (name, pointer)
        }
        Body::Text(text) => {
            let of_value: Vec<_> = text
                .marks
                .iter()
                .filter(|(range, kind)| kind.is_of_value() && !range.is_empty())
                .collect();
            if of_value.is_empty() {
                return None;
            }
            let (range, kind) = (*rng.pick(&of_value)).clone();
            let (name, new) = match rng.chance(50) {
                true => (named(kind)[0], ""),
                false => (named(kind)[1], "error"),
            };
            let (before, after) = (&text.plain[..range.start], &text.plain[range.end..]);
            response.body = [before, new, after].concat().into_bytes();
            (name, text.plain[range].to_owned())
        }
        _ => return None,
    };
    (!is_same(base, &response)).then_some(Injected {
        kind,
        what,
        response,
    })
}

/// What a kind of place is called when it is empty, an error, or null.
fn named(kind: Kind) -> [&'static str; 3] {
    match kind {
        Kind::Time => ["time emptied", "time to error", "time to null"],
        Kind::Id => ["id emptied", "id to error", "id to null"],
        Kind::Count => ["count emptied", "count to error", "count to null"],
        Kind::Measure => ["measure emptied", "measure to error", "measure to null"],
        Kind::Choice => ["choice emptied", "choice to error", "choice to null"],
        _ => ["list emptied", "list to error", "list to null"],
    }
}

fn gross_value(kind: Kind, rng: &mut Rng) -> Option<(&'static str, Json)> {
    let names = named(kind);
    match (kind, rng.below(3)) {
        // An optional thing may go, and a list of any length may be empty in some services.
        (Kind::Optional | Kind::Length, _) => Some((names[1], "error".into())),
        (Kind::Order, 0) => Some((names[0], Json::Array(Vec::new()))),
        (Kind::Keys, 0) => Some((names[0], Json::Object(serde_json::Map::new()))),
        // Some readings are null by turns.
        (Kind::Choice, 2) => None,
        (_, 0) => Some((names[0], "".into())),
        (_, 1) => Some((names[1], "error".into())),
        _ => Some((names[2], Json::Null)),
    }
}
