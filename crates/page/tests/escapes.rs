//! What holds of every escaped text.

use std::process::Command;

use nonevent_page::escape;
use proptest::prelude::{Strategy, any, prop, proptest};
use proptest::test_runner::Config;

/// Texts rich in the characters that mean something somewhere.
fn nasty() -> impl Strategy<Value = String> {
    let special = prop::sample::select(
        "`~!@#$%^&*()-_=+[]{}\\|;:'\",.<>/? \t\n\ra1\u{e9}"
            .chars()
            .collect::<Vec<_>>(),
    );
    prop::collection::vec(
        prop::strategy::Union::new([special.boxed(), any::<char>().boxed()]),
        0..40,
    )
    .prop_map(|chars| chars.into_iter().collect())
}

/// Undoes HTML's escapes, as far as the escapers use them.
fn unescape(text: &str) -> String {
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#10;", "\n"),
        ("&#13;", "\r"),
        ("&#9;", "\t"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

proptest! {
    #[test]
    fn html_is_neutral_and_means_the_same(value in nasty()) {
        let shown: String = value
            .chars()
            .map(|c| if c.is_control() && !"\t\n\r".contains(c) { '\u{fffd}' } else { c })
            .collect();
        let text = escape::text(&value);
        assert!(!text.contains(['<', '>']));
        assert_eq!(unescape(&text), shown);
        let attribute = escape::attribute(&value);
        assert!(!attribute.contains(['<', '>', '"', '\'', '\n', '\t']));
        assert_eq!(unescape(&attribute), shown);
    }

    #[test]
    fn markdown_stays_on_one_line(value in nasty()) {
        for line in [
            escape::markdown_text(&value),
            escape::table_cell(&value),
            escape::code_span(&value),
            escape::table_code(&value),
        ] {
            assert!(!line.contains(|c: char| c.is_control() || "\u{2028}\u{2029}".contains(c)), "{line:?}");
        }
        assert!(!escape::table_cell(&value).contains('|'));
        assert!(!escape::table_code(&value).contains('|'));
    }

    #[test]
    fn nothing_closes_a_code_block_early(value in nasty()) {
        let block = escape::code_block("sh", &value);
        let lines: Vec<&str> = block.lines().collect();
        let fence = lines[lines.len() - 1];
        assert!(lines[0].starts_with(fence));
        let closers = lines[1..].iter().filter(|line| line.trim().starts_with(fence)).count();
        assert_eq!(closers, 1);
    }
}

proptest! {
    #![proptest_config(Config::with_cases(8))]
    #[test]
    fn a_shell_reads_back_each_word(words in prop::collection::vec(nasty(), 1..60)) {
        let words: Vec<String> = words.into_iter().map(|word| word.replace('\0', "")).collect();
        let quoted: Vec<String> = words.iter().map(|word| escape::shell_word(word)).collect();
        let script = format!("printf '%s\\0' {}", quoted.join(" "));
        let output = Command::new("sh").arg("-c").arg(&script).output().unwrap();
        let expected: String = words.iter().map(|word| word.clone() + "\0").collect();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    }
}
