//! Secrets that a document holds where it should name a reference.

use alloc::string::String;
use alloc::vec::Vec;

use super::Checker;
use super::texts::{instructions, named, references};
use crate::rules;

/// Addresses that are a secret as a whole: whoever knows one can post.
const HOOKS: [&str; 3] = [
    "hooks.slack.com/",
    "discord.com/api/webhooks/",
    "webhook.office.com/",
];
/// How tokens of well-known services begin.
const PREFIXES: [&str; 8] = [
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "sk_live_",
];
/// The fewest characters of something that could be a secret outside of an address.
const SECRET_CHARS_MIN: usize = 8;

impl Checker<'_> {
    pub(super) fn secrets(&mut self) {
        let deployment = self.deployment;
        let texts = named(deployment).into_iter();
        let texts = texts.chain(references(deployment));
        let texts = texts.chain(instructions(deployment));
        let found: Vec<(String, &str)> = texts.filter(|(_, text)| holds_secret(text)).collect();
        for (path, text) in found {
            let what = if text.contains("://") {
                "this looks like an address with a secret in it"
            } else {
                "this looks like a secret"
            };
            self.push(
                rules::SECRET_TEXT,
                &path,
                String::from(what),
                "name a reference, such as `pagerduty-checkout`, and keep the secret where it is \
                 read",
            );
        }
    }
}

/// Whether some word of a text looks like a secret, or like an address that carries one.
fn holds_secret(text: &str) -> bool {
    let ends = |sign: char| sign.is_whitespace() || "\"'`<>(),;".contains(sign);
    text.split(ends).any(|word| match word.split_once("://") {
        Some((scheme, rest)) => address_holds(scheme, rest),
        None => {
            let assigned = word.split_once('=');
            assigned.is_some_and(|(name, value)| {
                is_telling(name) && value.len() >= SECRET_CHARS_MIN && is_literal(value)
            }) || is_token(word)
        }
    })
}

/// A password before an `@`, or a parameter of a telling name.
fn address_holds(scheme: &str, rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    if let Some((user, _)) = authority.rsplit_once('@') {
        // A user's name alone is a token, but for SSH, where it is a name.
        let (name, password) = user.split_once(':').unwrap_or((user, ""));
        let secret = if scheme.ends_with("ssh") || !password.is_empty() {
            password
        } else {
            name
        };
        if !secret.is_empty() && is_literal(secret) {
            return true;
        }
    }
    let lower = rest.to_ascii_lowercase();
    if HOOKS.iter().any(|hook| lower.contains(hook)) {
        return true;
    }
    let parameters = rest.split(['?', '#', '&']).skip(1);
    let mut pairs = parameters.filter_map(|it| it.split_once('='));
    pairs.any(|(name, value)| {
        let telling = is_telling(name) || name.eq_ignore_ascii_case("key");
        (telling && !value.is_empty() && is_literal(value)) || is_token(value)
    })
}

/// Whether what has this name is a secret.
fn is_telling(name: &str) -> bool {
    const ENDS: [&str; 5] = ["token", "secret", "password", "passwd", "signature"];
    const KEYS: [&str; 4] = ["api", "access", "private", "secret"];
    let signs = name.chars().filter(char::is_ascii_alphanumeric);
    let name: String = signs.map(|sign| sign.to_ascii_lowercase()).collect();
    let of_key = name.strip_suffix("key").unwrap_or_default();
    ENDS.iter().any(|end| name.ends_with(end))
        || name == "sig"
        || KEYS.iter().any(|kind| of_key.ends_with(kind))
}

/// Whether a value stands for itself and not for another, as `$TOKEN` and `{{token}}` do.
fn is_literal(value: &str) -> bool {
    !value.starts_with(['$', '{', '%', '*', '[']) && !value.contains("...")
}

/// Whether a word is the token of a well-known service.
fn is_token(word: &str) -> bool {
    let long = |rest: &str| rest.len() >= SECRET_CHARS_MIN && is_literal(rest);
    let rest_of = |prefix: &&str| word.strip_prefix(*prefix);
    PREFIXES.iter().filter_map(rest_of).any(long)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_secret_and_what_only_looks_like_one() {
        for (text, secret) in [
            ("https://hooks.slack.com/services/T0/B0/x", true),
            ("https://ci:hunter2@example.org/notify", true),
            ("https://5f3a9c@errors.example.org/4", true),
            ("https://example.org/hook?token=5f3a9c", true),
            ("https://example.org/hook?key=5f3a9c", true),
            ("https://example.org/hook?a=1&apiKey=5f3a9c", true),
            ("https://example.org/hook#access_token=5f3a9c", true),
            (
                "see https://example.org, then https://u:p@example.org",
                true,
            ),
            ("run PGPASSWORD=correct-horse psql", true),
            ("clone with ghp_0123456789abcdef", true),
            ("https://wiki.example.org/page?monkey=banana", false),
            ("https://wiki.example.org/page?pageKey=12&sort=key", false),
            (
                "https://grafana.example.org/d/abc?orgId=1&var-design=a",
                false,
            ),
            ("ssh://git@example.org/repository.git", false),
            ("git+ssh://git@example.org/repository.git", false),
            ("postgres://$USER:$PASSWORD@db/shop", false),
            ("curl https://example.org/hook?token=$TOKEN", false),
            ("curl 'https://example.org/hook?token=<token>'", false),
            ("run PGPASSWORD=$PGPASSWORD psql", false),
            ("set max_token=4096", false),
            ("ada@example.org", false),
            ("pagerduty-checkout", false),
            ("vault://secret/checkout#token", false),
        ] {
            assert_eq!(holds_secret(text), secret, "{text}");
        }
    }
}
