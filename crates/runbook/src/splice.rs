//! A page put together from what people have and what is rendered anew.

use alloc::string::String;
use alloc::vec::Vec;

use crate::markdown;
use crate::print::Line;

/// The heading of what has no place any more.
const KEPT: &str = "## Kept from the page before";
const WHY: &str = "What people wrote and has no place on the page as it is now: move it to where it belongs, or \
     remove it.";

/// What people wrote about something that is gone.
pub(crate) struct Orphan<'a> {
    pub(crate) id: Option<String>,
    pub(crate) why: &'static str,
    pub(crate) lines: Vec<Line<'a>>,
}

/// The page in the making.
pub(crate) struct Splice<'a> {
    out: String,
    /// What people wrote behind the last rendered line, not yet put down.
    held: Vec<Line<'a>>,
    line_break: &'static str,
    /// People's lines from this one on stand behind the imprint.
    tail_at: usize,
    tail: String,
    pub(crate) orphans: Vec<Orphan<'a>>,
    has_kept: bool,
}

impl<'a> Splice<'a> {
    pub(crate) fn of(page: &str, tail_at: Option<usize>) -> Splice<'a> {
        let breaks = page.matches('\n').count();
        let crlf = page.matches("\r\n").count();
        Splice {
            out: String::with_capacity(page.len() + page.len() / 4),
            held: Vec::new(),
            line_break: if crlf * 2 > breaks { "\r\n" } else { "\n" },
            tail_at: tail_at.unwrap_or(usize::MAX),
            tail: String::new(),
            orphans: Vec::new(),
            has_kept: page.lines().any(|line| line.trim_end() == KEPT),
        }
    }

    fn end_line(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push_str(self.line_break);
        }
    }

    /// A line of people's own: it waits for what comes next.
    pub(crate) fn held(&mut self, line: &Line<'a>, at: usize) {
        if at >= self.tail_at {
            self.tail.push_str(line.raw);
        } else {
            self.held.push(line.clone());
        }
    }

    /// A rendered line that stays as it is.
    pub(crate) fn kept(&mut self, line: &Line<'a>, at: usize) {
        self.release();
        if at >= self.tail_at {
            self.tail.push_str(line.raw);
            return;
        }
        self.end_line();
        self.out.push_str(line.raw);
    }

    /// The same, without its tick.
    pub(crate) fn cleared(&mut self, line: &Line<'a>, at: usize, tick: usize) {
        let mut raw = String::from(line.raw);
        raw.replace_range(tick..=tick, " ");
        self.release();
        if at >= self.tail_at {
            self.tail.push_str(&raw);
            return;
        }
        self.end_line();
        self.out.push_str(&raw);
    }

    /// A line in the place of one that people had.
    pub(crate) fn rendered(&mut self, raw: &str) {
        self.release();
        self.fresh(raw);
    }

    /// A line that nobody had.
    pub(crate) fn fresh(&mut self, raw: &str) {
        self.end_line();
        self.out.push_str(raw.trim_end_matches(['\r', '\n']));
        self.out.push_str(self.line_break);
    }

    /// Puts down what waits.
    pub(crate) fn release(&mut self) {
        self.put(self.held.len());
    }

    /// Puts down what belongs to the line before: up to a blank line behind which something begins
    /// that is not indented.
    pub(crate) fn release_notes(&mut self) {
        let ends = |at: usize| {
            let mut rest = self.held[at..].iter().skip_while(|it| it.print.is_blank());
            let next = rest.next();
            self.held[at].print.is_blank() && next.is_none_or(|it| !it.raw.starts_with([' ', '\t']))
                || self.held[at].print.heading
        };
        let end = (0..self.held.len()).find(|at| ends(*at));
        self.put(end.unwrap_or(self.held.len()));
    }

    fn put(&mut self, count: usize) {
        let rest = self.held.split_off(count);
        for line in core::mem::replace(&mut self.held, rest) {
            self.end_line();
            self.out.push_str(line.raw);
        }
    }

    pub(crate) fn finish(mut self, imprint: &str) -> String {
        self.release();
        let orphans = core::mem::take(&mut self.orphans);
        if !orphans.is_empty() {
            self.heading(if self.has_kept { None } else { Some(KEPT) });
        }
        for orphan in &orphans {
            self.end_line();
            let name = orphan.id.as_deref().map_or_else(
                || String::from("A line without an id"),
                |id| alloc::format!("About {}", markdown::code(id)),
            );
            self.fresh("");
            self.fresh(&alloc::format!("### {name}: {}", orphan.why));
            self.fresh("");
            for line in &orphan.lines {
                self.end_line();
                // The id stands on the page once, or not at all.
                if line.id.is_some() && line.id == orphan.id.as_deref() {
                    self.out.push_str(&without_id(line.raw));
                } else {
                    self.out.push_str(line.raw);
                }
            }
        }
        self.end_line();
        for line in imprint.split_inclusive('\n') {
            self.fresh(line);
        }
        self.out + &self.tail
    }

    fn heading(&mut self, heading: Option<&str>) {
        if let Some(heading) = heading {
            self.end_line();
            self.fresh("");
            self.fresh(heading);
            self.fresh("");
            self.fresh(WHY);
        }
    }
}

/// The line without the comment that names its item.
fn without_id(raw: &str) -> String {
    let Some((before, after)) = raw.rsplit_once("<!-- id:") else {
        return String::from(raw);
    };
    let (_, after) = after.split_once("-->").unwrap_or(("", after));
    let mut line = String::from(before.trim_end_matches(' '));
    line.push_str(after);
    line
}
