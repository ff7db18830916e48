//! Changes put into an answer at places that stay as they are. It knows nothing of how changes are
//! found.

mod gross;
mod json;
mod text;

use nonevent_smoke::Response;
use serde_json::Value as Json;

pub(crate) use self::gross::gross;
use crate::places::{Body, Places};
use crate::rng::Rng;

/// One change: what it is called, what was changed, and the answer with it.
pub(crate) struct Injected {
    pub(crate) kind: &'static str,
    pub(crate) what: String,
    pub(crate) response: Response,
}

/// What was done: its kind, and the place or the new text.
type Done = Option<(&'static str, String)>;

/// An answer with one change; nothing where it has no place for the kind that was drawn.
pub(crate) fn inject(base: &Response, places: &Places, rng: &mut Rng) -> Option<Injected> {
    let mut response = base.clone();
    let (kind, what) = match rng.below(20) {
        0 => status(&mut response, rng),
        1 | 2 => header(&mut response, &places.headers, rng),
        3 | 4 => whole_body(&mut response, rng),
        _ => match &places.body {
            Body::Json(tree) => json::change(&mut response, tree, rng),
            Body::Text(text) => text::change(&mut response, text, rng),
            Body::Bytes => bytes(&mut response, rng),
            Body::Moving => None,
        },
    }?;
    (!is_same(base, &response)).then_some(Injected {
        kind,
        what,
        response,
    })
}

/// Whether nothing was changed, or nothing but how JSON is written.
fn is_same(base: &Response, response: &Response) -> bool {
    let json = |of: &Response| serde_json::from_slice::<Json>(&of.body).ok();
    response.status == base.status
        && response.headers == base.headers
        && (response.body == base.body || json(base).is_some() && json(base) == json(response))
}

fn status(response: &mut Response, rng: &mut Rng) -> Done {
    let others: Vec<u16> = [
        200, 201, 202, 204, 301, 302, 400, 401, 403, 404, 429, 500, 503,
    ]
    .into_iter()
    .filter(|status| *status != response.status)
    .collect();
    response.status = *rng.pick(&others);
    Some(("status", response.status.to_string()))
}

fn header(response: &mut Response, stable: &[bool], rng: &mut Rng) -> Done {
    if rng.chance(25) {
        let name = match rng.below(4) {
            0 => "www-authenticate".to_owned(),
            1 => "deprecation".to_owned(),
            2 => "x-powered-by".to_owned(),
            _ => format!("x-{}", rng.word()),
        };
        let at = rng.below(response.headers.len() + 1);
        response.headers.insert(at, (name.clone(), rng.word()));
        return Some(("header added", name));
    }
    let stable: Vec<usize> = (0..response.headers.len())
        .filter(|at| stable[*at])
        .collect();
    if stable.is_empty() {
        return None;
    }
    let at = *rng.pick(&stable);
    let name = response.headers[at].0.clone();
    if rng.chance(40) {
        response.headers.remove(at);
        return Some(("header removed", name));
    }
    let value = mutated(&response.headers[at].1, rng);
    response.headers[at].1.clone_from(&value);
    Some(("header changed", format!("{name}: {value}")))
}

fn whole_body(response: &mut Response, rng: &mut Rng) -> Done {
    let length = response.body.len();
    match rng.below(3) {
        0 if length > 0 => {
            response.body.clear();
            Some(("body emptied", String::new()))
        }
        1 if length > 7 => {
            response.body.truncate(length / 3 + rng.below(length / 2));
            Some(("body truncated", response.body.len().to_string()))
        }
        _ => {
            let page =
                "<html><head><title>Error</title></head><body>Something went wrong</body></html>";
            response.body = page.as_bytes().to_vec();
            Some(("error page", String::new()))
        }
    }
}

fn bytes(response: &mut Response, rng: &mut Rng) -> Done {
    if response.body.is_empty() {
        response.body = rng.words(3).into_bytes();
        return Some(("body where none was", String::new()));
    }
    if rng.chance(50) {
        let at = rng.below(response.body.len());
        response.body[at] ^= 0x55;
        return Some(("byte changed", at.to_string()));
    }
    for byte in &mut response.body {
        *byte = rng.next().to_le_bytes()[1];
    }
    Some(("bytes replaced", String::new()))
}

/// Another text: by a letter, a word, or all of it.
fn mutated(text: &str, rng: &mut Rng) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let letters: Vec<usize> = (0..chars.len())
        .filter(|at| chars[*at].is_alphanumeric())
        .collect();
    match rng.below(6) {
        0..=2 if !letters.is_empty() => {
            let at = *rng.pick(&letters);
            chars[at] = match chars[at] {
                '9' => '4',
                c @ '0'..='8' => char::from(c as u8 + 1),
                'x' => 'b',
                'X' => 'B',
                c if c.is_uppercase() => 'X',
                _ => 'x',
            };
            chars.into_iter().collect()
        }
        3 => format!("{text} {}", rng.word()),
        4 if chars.len() > 3 => chars[..chars.len() - 1].iter().collect(),
        _ => rng.word() + "-q",
    }
}
