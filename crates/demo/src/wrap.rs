//! Prose on lines that fit a terminal.

/// Columns that a line of prose takes at most.
pub(crate) const WIDTH: usize = 80;

/// The words on lines of at most [`WIDTH`] columns, where none is longer.
pub(crate) fn wrapped(words: &str) -> String {
    hanging("", words, 0)
}

/// The same after `first`; further lines begin with `indent` spaces.
pub(crate) fn hanging(first: &str, words: &str, indent: usize) -> String {
    let mut text = first.to_owned();
    let mut column = first.chars().count();
    let mut fresh = true;
    for word in words.split(' ') {
        let length = word.chars().count();
        if !fresh && column + 1 + length > WIDTH {
            text.push('\n');
            text.push_str(&" ".repeat(indent));
            column = indent;
        } else if !fresh {
            text.push(' ');
            column += 1;
        }
        fresh = false;
        text += word;
        column += length;
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped_between_and_never_inside() {
        assert_eq!(wrapped("a bc"), "a bc\n");
        let long = "x".repeat(WIDTH);
        assert_eq!(wrapped(&format!("a {long} b")), format!("a\n{long}\nb\n"));
    }

    #[test]
    fn further_lines_hang_under_the_first() {
        let word = "y".repeat(40);
        let text = hanging("    1m  ", &format!("{word} {word} z"), 8);
        assert_eq!(text, format!("    1m  {word}\n        {word} z\n"));
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH));
    }
}
