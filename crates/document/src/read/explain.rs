//! What the YAML scanner says, in the words of a document's author.

/// A part of the scanner's message, what it means, and what to do.
const KNOWN: [(&str, &str, &str); 16] = [
    (
        "tab",
        "a tab where only spaces may stand",
        "indent with spaces; a tab inside quotes can be written as `\\t`",
    ),
    (
        "simple key expect",
        "a line that is neither `key: value` nor a list item",
        "write `key: value`, or put a text that goes on over several lines in quotes",
    ),
    (
        "mapping values are not allowed in this context",
        "a colon where no key can end",
        "put the value in quotes if the colon belongs to it, and check the line's indentation",
    ),
    (
        "illegal placement of ':' indicator",
        "a colon where no key can end",
        "put the value in quotes if the colon belongs to it",
    ),
    (
        "did not find expected key",
        "a line whose indentation fits nothing above it",
        "indent all keys of one mapping alike, and its values further",
    ),
    (
        "did not find expected '-' indicator",
        "a line whose indentation fits nothing above it",
        "indent all items of one list alike",
    ),
    (
        "found unknown anchor",
        "an alias without an anchor before it",
        "mark the value that is meant with `&name`, or put a text that begins with `*` in quotes",
    ),
    (
        "expected ',' or ']'",
        "a list in brackets that goes on without a comma",
        "add a comma, or the closing bracket before it",
    ),
    (
        "expected ',' or '}'",
        "a mapping in braces that goes on without a comma",
        "add a comma, or the closing brace before it",
    ),
    (
        "found unknown escape character",
        "an unknown escape in double quotes",
        "write a backslash itself as `\\\\`, or use single quotes",
    ),
    (
        "found unexpected end of stream",
        "a text in quotes that does not end",
        "add the closing quote",
    ),
    (
        "invalid indentation in quoted scalar",
        "a text in quotes that does not end, or whose lines are not indented",
        "add the closing quote",
    ),
    (
        "invalid trailing content after",
        "more text after a closing quote",
        "put all of it inside the quotes",
    ),
    (
        "unexpected character",
        "a character that cannot begin a value",
        "put the value in quotes",
    ),
    (
        "block sequence entries are not allowed",
        "a list item where none can stand",
        "begin the list on a line of its own",
    ),
    (
        "byte order mark",
        "a byte order mark inside the text",
        "remove it; it may only be the first character",
    ),
];

/// Message and advice for what the scanner said.
pub(super) fn explain(info: &str) -> (&str, &'static str) {
    let known = KNOWN.iter().find(|(part, ..)| info.contains(part));
    known.map_or(
        (
            info,
            "check the indentation, quotes and brackets at and before this place",
        ),
        |(_, message, help)| (message, help),
    )
}
