//! Entries of maps and lists, lines and phrases that come and go.

use super::{answer, json, places, told};
use crate::differential::DifferenceKind;

#[test]
fn entries_of_a_map_are_held_against_each_other() {
    let of = |first: &str, second: &str| {
        json(&format!(
            r#"{{"sessions":{{"6f1e9a0077d0c3b1":{first},"{second}}}}}"#
        ))
    };
    let entry = r#"{"rate":10,"hits":7,"scopes":["read"]}"#;
    let a = of(
        entry,
        r#"aa19bb28cc37dd46":{"rate":10,"hits":31,"scopes":["read"]}"#,
    );
    let b = of(
        entry,
        r#"11ee22dd33cc44bb":{"rate":10,"hits":12,"scopes":["read"]}"#,
    );
    let new = |value: &str| of(entry, &format!(r#"0be41d72a5f6c839":{value}"#));
    let same = new(r#"{"rate":10,"hits":55,"scopes":["read"]}"#);
    let place = "$.sessions.0be41d72a5f6c839";
    for (other, at, kind) in [
        (
            r#"{"rate":11,"hits":55,"scopes":["read"]}"#,
            ".rate",
            DifferenceKind::Value,
        ),
        (
            r#"{"hits":55,"scopes":["read"]}"#,
            ".rate",
            DifferenceKind::Missing,
        ),
        (
            r#"{"rate":10,"hits":55,"scopes":["read","all"]}"#,
            ".scopes",
            DifferenceKind::Added,
        ),
        (
            r#"{"rate":10,"hits":55,"scopes":["write"]}"#,
            ".scopes[0]",
            DifferenceKind::Value,
        ),
        (r#""gone""#, "", DifferenceKind::Type),
    ] {
        told(&a, &b, &same, &new(other), &format!("{place}{at}"), kind);
    }
    // An entry that stays is held against itself.
    let stays = "$.sessions.6f1e9a0077d0c3b1.hits";
    let other = of(
        r#"{"rate":10,"hits":8,"scopes":["read"]}"#,
        r#"0be41d72a5f6c839":{"rate":10,"hits":55,"scopes":["read"]}"#,
    );
    told(&a, &b, &same, &other, stays, DifferenceKind::Value);
    // Entries may go, but not all of them.
    let other = json(r#"{"sessions":{}}"#);
    told(&a, &b, &same, &other, "$.sessions", DifferenceKind::Missing);
    // A name that is none of an entry is a member as any other.
    let other = new(r#"{"rate":10,"hits":55,"scopes":["read"]},"total":{"rate":10}"#);
    told(
        &a,
        &b,
        &same,
        &other,
        "$.sessions.total",
        DifferenceKind::Added,
    );
}

#[test]
fn a_selection_out_of_many_may_be_any() {
    let of = |names: [&str; 3], value: &str| {
        let members = names.map(|name| format!(r#""{name}":[{{"type":{value}}}]"#));
        json(&format!("{{{}}}", members.join(",")))
    };
    let a = of(["reads", "writes", "pages"], r#""counter""#);
    let b = of(["syncs", "errors", "pages"], r#""counter""#);
    let same = of(["flushes", "syncs", "loads"], r#""counter""#);
    let other = of(["flushes", "syncs", "loads"], "null");
    told(
        &a,
        &b,
        &same,
        &other,
        "$.flushes[0].type",
        DifferenceKind::Type,
    );
    // One name that is another is not a selection.
    let two = |name: &str| json(&format!(r#"{{"{name}":1,"kept":2}}"#));
    let found = places([&two("ham"), &two("egg")], &two("spam"));
    assert_eq!(found, [("$.spam".to_owned(), DifferenceKind::Added)]);
}

#[test]
fn a_list_in_the_order_of_a_number_follows_it() {
    let of = |names: [&str; 3], counts: [u32; 3]| {
        let items = names
            .iter()
            .zip(counts)
            .map(|(name, count)| format!(r#"{{"name":"{name}","requests":{count}}}"#));
        json(&format!("[{}]", items.collect::<Vec<_>>().join(",")))
    };
    let a = of(["tea", "coffee", "milk"], [30, 20, 10]);
    let b = of(["tea", "coffee", "milk"], [31, 20, 10]);
    let same = of(["coffee", "tea", "milk"], [33, 31, 10]);
    let reversed = of(["milk", "coffee", "tea"], [10, 20, 31]);
    told(&a, &b, &same, &reversed, "$", DifferenceKind::Order);
}

#[test]
fn no_element_is_within_reach_or_not() {
    let of = |count: usize| json(&format!("[{}]", vec!["7"; count].join(",")));
    assert_eq!(places([&of(1), &of(2)], &of(0)), []);
    let missing = [("$".to_owned(), DifferenceKind::Missing)];
    assert_eq!(places([&of(9), &of(8)], &of(0)), missing);
}

#[test]
fn elements_of_markup_come_and_go() {
    let page = |comments: &[&str]| {
        let items: Vec<String> = comments.iter().map(|it| format!("<li>{it}</li>")).collect();
        let body = format!(
            "<h1>Shop</h1>\n<ul>\n{}\n</ul>\n<p>bye</p>\n",
            items.join("\n")
        );
        answer("text/html", &body)
    };
    let a = page(&["good", "not bad at all", "me too"]);
    let b = page(&["never again", "good", "not bad at all", "me too"]);
    let same = page(&["so so", "quite nice", "never again", "good", "me too"]);
    let mut other = same.clone();
    other.body = String::from_utf8(other.body)
        .expect("text")
        .replace("<p>bye</p>\n", "")
        .into_bytes();
    told(&a, &b, &same, &other, "line 7", DifferenceKind::Text);
}

#[test]
fn phrases_have_more_or_fewer_words() {
    let of = |banner: &str, class: &str| {
        answer(
            "text/html",
            &format!("<div class=\"{class}\">{banner}</div>\n<p>x</p>\n"),
        )
    };
    let (a, b) = (
        of("coffee comes fresh", "top"),
        of("milk stays cold", "top"),
    );
    let same = of("tea is very cheap today", "top");
    told(
        &a,
        &b,
        &same,
        &of("tea is cheap today", "tip"),
        "line 1",
        DifferenceKind::Text,
    );
    let emptied = of("", "top");
    told(&a, &b, &same, &emptied, "line 1", DifferenceKind::Text);
}

#[test]
fn a_series_has_one_sample() {
    let of = |body: &str| answer("text/plain; version=0.0.4", body);
    let a = of("# TYPE up gauge\nup{job=\"a\"} 1\n");
    let same = of("# TYPE up gauge\nup{job=\"a\"} 0\nup{job=\"b\"} 1\n");
    let twice = of("# TYPE up gauge\nup{job=\"a\"} 1\nup{job=\"a\"} 0\n");
    told(&a, &a, &same, &twice, "line 3", DifferenceKind::Text);
}

#[test]
fn headers_of_the_answer_keep_their_form() {
    let of = |value: &str| {
        let mut answer = json("{}");
        answer
            .headers
            .push(("retry-after".to_owned(), value.to_owned()));
        answer
    };
    let later = of("Mon, 05 Jan 2026 11:00:00 GMT");
    let a = of("30");
    told(
        &a,
        &a,
        &of("9"),
        &of("soon"),
        "header retry-after",
        DifferenceKind::Header,
    );
    assert_eq!(places([&a, &a], &later), []);
}
