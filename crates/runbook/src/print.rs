//! A page line by line, and a short print of each line, by which a later reader tells what was
//! rendered from what people wrote.
//!
//! A rendered page ends in a comment, its *imprint*, that holds the prints of all its lines. So
//! whoever has the page alone knows three things of every line: what was rendered, what people
//! made of it, and, with another page, what takes its place. That is all a three-way merge needs:
//! it compares and never has to show a line that is gone.
//!
//! Prints tell lines apart, 30 bits each; they hold against accidents and not against malice. What
//! must hold against malice is signed over the whole text.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use crate::markdown;

/// How the comment begins.
const OPENS: &str = "<!-- rendered:";
const CLOSES: &str = "-->";
/// Characters of a print as it is written.
const PRINT_CHARS: usize = 5;
const PRINT_BITS: u32 = 30;
/// Characters on a line of the comment.
const WIDTH: usize = 100;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BLANK: char = '.';
const NAMED: char = '!';
const HEADING: char = '#';

/// What a line is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Print {
    /// Of its text, without tick and trailing white space; 0 if there is nothing else.
    pub(crate) text: u32,
    /// Of the id that stands on it, if one does.
    pub(crate) id: Option<u32>,
    /// Whether it is a heading.
    pub(crate) heading: bool,
}

impl Print {
    pub(crate) const fn is_blank(self) -> bool {
        self.text == 0
    }

    /// Whether a part of the page that has a name begins here.
    pub(crate) const fn leads(self) -> bool {
        self.id.is_some() || self.heading
    }

    /// Whether it has the same words.
    pub(crate) const fn says_the_same(self, other: Print) -> bool {
        self.text == other.text
    }

    /// Whether it is the same thing, whatever it says now. A line that says the same is, even if
    /// a fence that somebody opened above has made it code.
    pub(crate) fn is_same_item(self, other: Print) -> bool {
        match (self.id, other.id) {
            (Some(id), Some(other)) => id == other,
            _ => self.says_the_same(other),
        }
    }
}

/// One line of a page.
#[derive(Clone, Debug)]
pub(crate) struct Line<'a> {
    /// With its line break.
    pub(crate) raw: &'a str,
    /// Where it begins, in bytes of the page.
    pub(crate) at: usize,
    /// The id that stands on it.
    pub(crate) id: Option<&'a str>,
    pub(crate) print: Print,
}

/// All lines of a text, outside and inside code blocks.
pub(crate) fn lines(text: &str) -> Vec<Line<'_>> {
    each_line(text).collect()
}

fn each_line(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut fence = Fence::default();
    let mut at = 0;
    text.split_inclusive('\n').map(move |raw| {
        let line = line(raw, at, &mut fence);
        at += raw.len();
        line
    })
}

fn line<'a>(raw: &'a str, at: usize, fence: &mut Fence) -> Line<'a> {
    let bare = raw.trim_end();
    let inside = fence.takes(bare);
    let id = if inside { None } else { id_in(bare) };
    let heading = !inside && heading_level(bare).is_some();
    let print = Print {
        text: text_print(bare),
        id: id.map(|id| print_of([id.as_bytes()])),
        heading,
    };
    Line { raw, at, id, print }
}

/// The level of an ATX heading (CommonMark 0.31.2, section 4.2).
pub(crate) fn heading_level(line: &str) -> Option<usize> {
    let body = line.trim_start_matches(' ');
    let marks = body.bytes().take_while(|byte| *byte == b'#').count();
    let rest = body.get(marks..).unwrap_or_default();
    let opens = rest.is_empty() || rest.starts_with([' ', '\t']);
    ((1..=6).contains(&marks) && opens && line.len() - body.len() < 4).then_some(marks)
}

/// The id in the line's last comment that has one.
fn id_in(line: &str) -> Option<&str> {
    // Most lines have none, and a single character is soon looked for.
    let from = line.rfind('<')?;
    if !line[from..].starts_with("<!-- id:") && !line.contains("<!-- id:") {
        return None;
    }
    let (_, after) = line.rsplit_once("<!-- id:")?;
    let (id, _) = after.split_once(CLOSES)?;
    let id = id.trim();
    (!id.is_empty() && !id.contains(char::is_whitespace)).then_some(id)
}

/// Whether a line lies in a fenced code block.
#[derive(Default)]
struct Fence {
    /// The mark and how many of it close the block.
    open: Option<(char, usize)>,
}

impl Fence {
    fn takes(&mut self, line: &str) -> bool {
        let body = line.trim_start();
        let mark = body.chars().next().filter(|c| matches!(c, '`' | '~'));
        let run = mark.map_or(0, |mark| body.chars().take_while(|c| *c == mark).count());
        let rest = body.get(run..).unwrap_or_default();
        match (self.open, mark) {
            (None, Some(mark)) if run >= 3 && (mark == '~' || !rest.contains('`')) => {
                self.open = Some((mark, run));
                true
            }
            (Some((open, least)), Some(mark))
                if open == mark && run >= least && rest.trim().is_empty() =>
            {
                self.open = None;
                true
            }
            (open, _) => open.is_some(),
        }
    }
}

/// Where the mark of a task item stands in a line, `x` or a space.
pub(crate) fn tick_in(line: &str) -> Option<usize> {
    let body = line.trim_start_matches([' ', '\t', '>']);
    let after = body.strip_prefix(['-', '*', '+'])?;
    let mark = after.trim_start_matches([' ', '\t']).strip_prefix('[')?;
    let boxed = mark.get(1..2) == Some("]") && mark.starts_with([' ', 'x', 'X']);
    (boxed && after.starts_with([' ', '\t'])).then(|| line.len() - mark.len())
}

/// Whether a line is a task item that is ticked.
pub(crate) fn is_ticked(raw: &str) -> bool {
    tick_in(raw).is_some_and(|at| !raw[at..].starts_with(' '))
}

/// A line as it is read: without its mark, its box and its comment.
pub(crate) fn shown(raw: &str) -> String {
    let line = raw.trim();
    let line = match line.rsplit_once("<!-- id:") {
        Some((before, after)) => {
            let after = after.split_once("-->").map_or("", |(_, after)| after);
            alloc::format!("{}{after}", before.trim_end())
        }
        None => String::from(line),
    };
    let start = tick_in(&line).map_or(0, |at| at + 2);
    let body = line.get(start..).unwrap_or_default();
    let body = body.trim_start_matches(['-', '*', '#', '>', '|', ' ']);
    markdown::plain(body.trim_end_matches(['|', ' ']))
}

fn text_print(bare: &str) -> u32 {
    if bare.is_empty() {
        return 0;
    }
    match tick_in(bare) {
        Some(at) => print_of([&bare.as_bytes()[..at], &bare.as_bytes()[at + 1..]]),
        None => print_of([bare.as_bytes()]),
    }
}

/// A multiplicative hash, eight bytes at a time, stirred as in MurmurHash3's finaliser and cut; never
/// 0. How the text is cut into parts matters, which is the same for the same line.
fn print_of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> u32 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut take = |word: u64| {
        hash = (hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    };
    for part in parts {
        let (words, rest) = part.as_chunks::<8>();
        for word in words {
            take(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        take(u64::from_le_bytes(last));
        take(rest.len() as u64);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    let cut = u32::try_from(hash >> (64 - PRINT_BITS)).expect("30 bits are left of 64");
    cut.max(1)
}

/// The prints of lines as text, to be read by [`decoded`].
pub(crate) fn encoded(prints: impl IntoIterator<Item = Print>) -> String {
    let mut out = String::new();
    let push = |out: &mut String, print: u32| {
        for place in (0..PRINT_CHARS).rev() {
            let digit = (print >> (6 * place)) & 63;
            let digit = ALPHABET.get(digit as usize).copied().unwrap_or(b'A');
            out.push(char::from(digit));
        }
    };
    for print in prints {
        if print.is_blank() {
            out.push(BLANK);
            continue;
        }
        if let Some(id) = print.id {
            out.push(NAMED);
            push(&mut out, id);
        }
        if print.heading {
            out.push(HEADING);
        }
        push(&mut out, print.text);
    }
    out
}

/// What [`encoded`] wrote, with white space anywhere; nothing if it is anything else.
pub(crate) fn decoded(text: &str) -> Option<Vec<Print>> {
    let mut marks = text.bytes().filter(|byte| !byte.is_ascii_whitespace());
    let mut prints = Vec::new();
    while let Some(first) = marks.next() {
        if char::from(first) == BLANK {
            prints.push(Print {
                text: 0,
                id: None,
                heading: false,
            });
            continue;
        }
        let mut next = first;
        let mut id = None;
        if char::from(next) == NAMED {
            id = Some(read_print(marks.next()?, &mut marks)?);
            next = marks.next()?;
        }
        let heading = char::from(next) == HEADING;
        if heading {
            next = marks.next()?;
        }
        let text = read_print(next, &mut marks).filter(|text| *text != 0)?;
        prints.push(Print { text, id, heading });
    }
    Some(prints)
}

fn read_print(first: u8, marks: &mut impl Iterator<Item = u8>) -> Option<u32> {
    let mut print = digit(first)?;
    for _ in 1..PRINT_CHARS {
        print = (print << 6) | digit(marks.next()?)?;
    }
    Some(print)
}

fn digit(mark: u8) -> Option<u32> {
    Some(u32::from(match mark {
        b'A'..=b'Z' => mark - b'A',
        b'a'..=b'z' => mark - b'a' + 26,
        b'0'..=b'9' => mark - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

/// A rendered page with its imprint at its end.
pub(crate) fn imprinted(mut page: String) -> String {
    let prints = encoded(each_line(&page).map(|line| line.print));
    page.reserve(prints.len() + prints.len() / WIDTH + 64);
    page.push('\n');
    page.push_str(OPENS);
    let mut rest = prints.as_str();
    while !rest.is_empty() {
        // All of it is ASCII.
        let (line, more) = rest.split_at(rest.len().min(WIDTH));
        page.push('\n');
        page.push_str(line);
        rest = more;
    }
    page.push('\n');
    page.push_str(CLOSES);
    page.push('\n');
    page
}

/// Where the imprint stands, with the line breaks around it that came with it, and what it says;
/// the last one counts.
pub(crate) fn imprint(page: &str) -> Option<(Range<usize>, Option<Vec<Print>>)> {
    let (start, _) = page
        .rmatch_indices(OPENS)
        .find(|(at, _)| page[..*at].is_empty() || page[..*at].ends_with('\n'))?;
    let inside = start + OPENS.len();
    let length = page[inside..].find(CLOSES)?;
    let prints = decoded(&page[inside..inside + length]);
    let mut end = inside + length + CLOSES.len();
    for line_break in ["\r\n", "\n"] {
        if page[end..].starts_with(line_break) {
            end += line_break.len();
            break;
        }
    }
    let before = page[..start].trim_end_matches(['\r', '\n']);
    // The break that ends the line before is that line's.
    let kept = &page[before.len()..start];
    let own = kept.find('\n').map_or(0, |at| at + 1);
    Some((before.len() + own..end, prints))
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use alloc::vec::Vec;

    use super::{decoded, encoded, heading_level, imprint, imprinted, lines, tick_in};

    const PAGE: &str =
        "# A <!-- id: a -->\n\n- [ ] b <!-- id: b/c -->\n  ## no\n```\n# code\n```\nz\n";

    #[test]
    fn an_imprint_says_what_the_page_was() {
        let page = imprinted(String::from(PAGE));
        let (range, prints) = imprint(&page).unwrap();
        assert_eq!(&page[..range.start], PAGE);
        assert_eq!(range.end, page.len());
        let expected: Vec<_> = lines(PAGE).iter().map(|line| line.print).collect();
        assert_eq!(prints.unwrap(), expected);
        // Through another system's line breaks.
        let page = page.replace('\n', "\r\n");
        let (range, prints) = imprint(&page).unwrap();
        assert_eq!(&page[..range.start], PAGE.replace('\n', "\r\n"));
        assert_eq!(prints.unwrap(), expected);
    }

    #[test]
    fn ticks_and_trailing_space_are_no_part_of_a_print() {
        let print = |line: &str| lines(line)[0].print;
        assert_eq!(print("- [ ] a\n"), print("- [x] a  \r\n"));
        assert_eq!(print("  * [X] a"), print("  * [ ] a\t"));
        assert_ne!(print("- [ ] a"), print("- [y] a"));
        assert_ne!(print("- [ ] a"), print("- [ ] b"));
        assert!(print(" \t\r\n").is_blank());
        assert_eq!(tick_in("- [x] a"), Some(3));
        assert_eq!(tick_in("-[x] a"), None);
        assert_eq!(tick_in("- [é] a"), None);
        assert_eq!(tick_in("- ["), None);
    }

    #[test]
    fn headings_and_ids_are_not_seen_in_code() {
        let seen: Vec<(bool, Option<&str>)> = lines(PAGE)
            .iter()
            .map(|line| (line.print.heading, line.id))
            .collect();
        assert_eq!(seen[0], (true, Some("a")));
        assert_eq!(seen[2], (false, Some("b/c")));
        assert_eq!(seen[3], (true, None));
        assert_eq!(seen[5], (false, None));
        assert_eq!(heading_level("#a"), None);
        assert_eq!(heading_level("    # a"), None);
        assert_eq!(heading_level("####### a"), None);
        assert_eq!(heading_level("##"), Some(2));
    }

    #[test]
    fn what_is_no_imprint_is_not_taken_for_one() {
        for text in ["!", "AAAA", "AAAAA", "!AAAAB", "#.", "é", "-AAAAB"] {
            assert_eq!(decoded(text), None, "{text}");
        }
        assert_eq!(decoded("").unwrap(), []);
        assert_eq!(decoded(&encoded([])).unwrap(), []);
        assert!(imprint("<!-- rendered: A").is_none());
        assert!(imprint("x <!-- rendered: -->").is_none());
        assert_eq!(imprint("<!-- rendered: ? -->\r\n"), Some((0..22, None)));
    }
}
