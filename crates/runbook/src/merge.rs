//! A new page merged into one that people have worked on.
//!
//! Three pages meet: the one that was rendered (known by its imprint), the one that people made of
//! it, and the one that is rendered now. People's lines are copied as they are, byte for byte; a
//! rendered line is only replaced if nobody touched it. The new page gives the order of what is
//! rendered; what people added follows the line that it followed.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use crate::align::align;
use crate::print::{Line, Print, heading_level, imprint, lines, tick_in};
use crate::splice::{Orphan, Splice};

/// What became of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Merged {
    pub(crate) page: String,
    /// Whether anything but the time of rendering is new.
    pub(crate) changed: bool,
    /// Whether the page had an imprint.
    pub(crate) base_known: bool,
    /// Items that were ticked and are not any more.
    pub(crate) cleared: Vec<String>,
    /// Items that are on the page only now.
    pub(crate) added: Vec<String>,
    /// Items that the new page no longer has.
    pub(crate) removed: Vec<String>,
    /// Items whose words are others now.
    pub(crate) reworded: Vec<String>,
    /// What people wrote and has no place any more; it stands at the end of the page.
    pub(crate) orphans: Vec<String>,
}

/// The line whose only news is when the page was made.
const GENERATED: &str = "header/generated";
/// Their ticks speak of the whole plan.
const OF_THE_PLAN: [&str; 2] = ["sign-off/", "check/plan"];

/// A part of a rendered page: a line that has a name, and those under it.
struct Part {
    /// What it is known by: its id or its heading's text, and which of several it is.
    key: (bool, u32, u32),
    lines: Range<usize>,
}

fn parts(prints: &[Print]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut seen: BTreeMap<(bool, u32), u32> = BTreeMap::new();
    for (at, print) in prints.iter().enumerate() {
        if let Some(last) = parts.last_mut()
            && !print.leads()
        {
            last.lines.end = at + 1;
            continue;
        }
        let (named, known_by) = match (print.id, print.heading) {
            (Some(id), _) => (true, id),
            (None, true) => (false, print.text),
            (None, false) => (false, 0),
        };
        let copies = seen.entry((named, known_by)).or_default();
        parts.push(Part {
            key: (named, known_by, *copies),
            lines: at..at + 1,
        });
        *copies += 1;
    }
    parts
}

/// The page that people worked on, between what was rendered then and what is rendered now.
struct Merge<'a> {
    /// What was rendered.
    base: Vec<Print>,
    /// What people made of it, without the imprint.
    mine: Vec<Line<'a>>,
    /// What is rendered now, without the imprint.
    new: Vec<Line<'a>>,
    /// Where each line of the base stands now.
    here: Vec<Option<usize>>,
    /// What people wrote behind each line of the base, and, first, before all of them.
    after: Vec<Vec<usize>>,
    base_known: bool,
}

/// Merges `rendered` into `page`. Both are whole pages; the result is, too.
pub(crate) fn merge(page: &str, rendered: &str) -> Merged {
    let (new_text, new_imprint) = without_imprint(rendered);
    let found = imprint(page);
    let base = found.as_ref().and_then(|(_, prints)| prints.clone());
    let base_known = base.is_some();
    let own = found.map(|(range, _)| range);
    let end = own.as_ref().map_or(page.len(), |range| range.start);
    let new = lines(new_text);
    let mut mine = lines(&page[..end]);
    let tail_at = mine.len();
    if let Some(range) = &own {
        let mut tail = lines(&page[range.end..]);
        tail.iter_mut().for_each(|line| line.at += range.end);
        mine.extend(tail);
    }
    let base = base.unwrap_or_else(|| new.iter().map(|line| line.print).collect());
    let prints: Vec<Print> = mine.iter().map(|line| line.print).collect();
    let here = align(&base, &prints);
    let merge = Merge {
        after: behind(&here, mine.len()),
        base,
        mine,
        new,
        here,
        base_known,
    };
    if base_known && !merge.has_news() {
        return Merged {
            page: String::from(page),
            base_known,
            ..Merged::default()
        };
    }
    // If what was rendered stands behind the imprint, people moved that: it goes back to the end.
    let moved = merge.here.iter().flatten().any(|at| *at >= tail_at);
    let tail = own.filter(|_| !moved).map(|_| tail_at);
    merge.carry_out(page, tail, new_imprint)
}

fn without_imprint(page: &str) -> (&str, &str) {
    match imprint(page) {
        Some((range, _)) => (&page[..range.start], &page[range]),
        None => (page, ""),
    }
}

/// The lines of people's own behind each line of the base; the first list stands before all.
fn behind(here: &[Option<usize>], count: usize) -> Vec<Vec<usize>> {
    let mut rendered = vec![None; count];
    for (base, mine) in here.iter().enumerate() {
        if let Some(slot) = mine.and_then(|mine| rendered.get_mut(mine)) {
            *slot = Some(base);
        }
    }
    let mut after = vec![Vec::new(); here.len() + 1];
    let mut last = 0;
    for (mine, base) in rendered.iter().enumerate() {
        match base {
            Some(base) => last = base + 1,
            None => after[last].push(mine),
        }
    }
    after
}

impl<'a> Merge<'a> {
    /// Whether the new page differs from the old one in more than when it was made.
    fn has_news(&self) -> bool {
        self.base.len() != self.new.len()
            || self
                .base
                .iter()
                .zip(&self.new)
                .any(|(base, new)| *base != new.print && new.id != Some(GENERATED))
    }

    fn carry_out(self, page: &'a str, tail: Option<usize>, new_imprint: &str) -> Merged {
        let prints: Vec<Print> = self.new.iter().map(|line| line.print).collect();
        let (old_parts, new_parts) = (parts(&self.base), parts(&prints));
        let by_key: BTreeMap<_, &Part> = old_parts.iter().map(|part| (part.key, part)).collect();
        let mut pairs: Vec<Option<usize>> = vec![None; self.new.len()];
        let mut survives = vec![false; self.base.len()];
        for part in &new_parts {
            let Some(old) = by_key.get(&part.key) else {
                continue;
            };
            survives[old.lines.clone()].fill(true);
            let found = align(&self.base[old.lines.clone()], &prints[part.lines.clone()]);
            for (at, there) in found.iter().enumerate() {
                if let Some(there) = there {
                    pairs[part.lines.start + there] = Some(old.lines.start + at);
                }
            }
        }
        let mut work = Work {
            out: Splice::of(page, tail),
            merged: Merged {
                changed: true,
                base_known: self.base_known,
                ..Merged::default()
            },
            done: vec![false; self.base.len()],
            after: self.after.clone(),
            before_is_blank: true,
            merge: &self,
        };
        work.rehome(&old_parts, &survives);
        work.own(0);
        for part in &new_parts {
            let old = by_key.get(&part.key);
            for at in part.lines.clone() {
                match pairs[at] {
                    Some(base) => {
                        work.dropped(old.map_or(base, |old| old.lines.start)..base);
                        work.known(base, at);
                    }
                    None => work.fresh(at),
                }
            }
            work.dropped(old.map_or(0..0, |old| old.lines.clone()));
        }
        work.finish(new_imprint)
    }
}

/// The merge on its way.
struct Work<'m, 'a> {
    merge: &'m Merge<'a>,
    out: Splice<'a>,
    merged: Merged,
    /// Lines of the base that are dealt with.
    done: Vec<bool>,
    after: Vec<Vec<usize>>,
    /// Whether the last rendered line was blank.
    before_is_blank: bool,
}

impl<'a> Work<'_, 'a> {
    /// What people wrote behind base line `index - 1`.
    fn own(&mut self, index: usize) {
        for mine in core::mem::take(&mut self.after[index]) {
            self.out.held(&self.merge.mine[mine], mine);
        }
    }

    fn mine(&self, base: usize) -> Option<(usize, &Line<'a>)> {
        let at = self.merge.here.get(base).copied().flatten()?;
        self.merge.mine.get(at).map(|line| (at, line))
    }

    /// A line of the new page that the old one had, with these words or others.
    fn known(&mut self, base: usize, new: usize) {
        self.done[base] = true;
        let (old, line) = (self.merge.base[base], &self.merge.new[new]);
        let same = old == line.print;
        let mine = self.mine(base).map(|(at, mine)| (at, mine.clone()));
        let id = line.id.map(String::from);
        match mine {
            Some((at, mine)) => {
                let touched = !mine.print.says_the_same(old);
                // Without an imprint nobody knows who wrote a line that differs.
                if same && (!touched || self.merge.base_known) {
                    self.untouched(at, &mine, line.id);
                } else {
                    self.cleared(&mine, line.id);
                    self.merged.reworded.extend(id);
                    if touched && !mine.print.says_the_same(line.print) {
                        self.orphan(&mine, "its words have changed in the plan", &[at]);
                    }
                    self.out.rendered(line.raw);
                }
            }
            // People took it off the page; but not as it is now.
            None if same && self.merge.base_known => {}
            None => {
                self.merged.added.extend(id);
                self.out.rendered(line.raw);
            }
        }
        self.before_is_blank = line.print.is_blank();
        self.own(base + 1);
    }

    /// A rendered line that stays as people have it; only what they ticked may be void.
    fn untouched(&mut self, at: usize, mine: &Line<'a>, id: Option<&str>) {
        let of_the_plan = |id: &str| OF_THE_PLAN.iter().any(|start| id.starts_with(start));
        match tick_in(mine.raw) {
            Some(tick) if id.is_some_and(of_the_plan) => {
                self.cleared(mine, id);
                self.out.cleared(mine, at, tick);
            }
            _ => self.out.kept(mine, at),
        }
    }

    fn cleared(&mut self, mine: &Line<'a>, id: Option<&str>) {
        let ticked = tick_in(mine.raw).is_some_and(|at| !mine.raw[at..].starts_with(' '));
        if ticked && let Some(id) = id {
            self.merged.cleared.push(String::from(id));
        }
    }

    /// A line that the old page did not have.
    fn fresh(&mut self, new: usize) {
        let line = &self.merge.new[new];
        // What follows without a blank line belongs to what it follows: notes stay under theirs,
        // and what stands apart comes after.
        if self.before_is_blank || line.print.is_blank() {
            self.out.release();
        } else {
            self.out.release_notes();
        }
        self.merged.added.extend(line.id.map(String::from));
        self.out.fresh(line.raw);
        self.before_is_blank = line.print.is_blank();
    }

    /// Deals with those lines of an old part that the new page does not have.
    fn dropped(&mut self, lines: Range<usize>) {
        for base in lines {
            if core::mem::replace(&mut self.done[base], true) {
                continue;
            }
            if let Some((at, mine)) = self.mine(base).map(|(at, mine)| (at, mine.clone()))
                && !mine.print.says_the_same(self.merge.base[base])
            {
                self.orphan(&mine, "its line is gone from the plan", &[at]);
            }
            self.own(base + 1);
        }
    }

    /// What people wrote in parts that are gone: a section of their own stays where it is, behind
    /// the part before; notes go with what they are about.
    fn rehome(&mut self, parts: &[Part], survives: &[bool]) {
        let mut home = 0;
        for part in parts {
            let first = part.lines.start;
            if survives.get(first) == Some(&true) {
                home = part.lines.end;
                continue;
            }
            let mut about = Vec::new();
            let mut own = false;
            for base in part.lines.clone() {
                self.done[base] = true;
                let written = core::mem::take(&mut self.after[base + 1]);
                let apart = written
                    .iter()
                    .position(|at| starts_section(&self.merge.mine[*at]))
                    .unwrap_or(written.len());
                let (notes, free) = written.split_at(apart);
                if let Some((at, mine)) = self.mine(base) {
                    own |= !mine.print.says_the_same(self.merge.base[base]);
                    about.push(at);
                }
                own |= notes
                    .iter()
                    .any(|at| !self.merge.mine[*at].print.is_blank());
                about.extend(notes);
                self.after[home].extend(free);
            }
            self.gone(first, &about, own);
        }
    }

    fn gone(&mut self, first: usize, about: &[usize], own: bool) {
        let lead = self.mine(first).map(|(_, line)| line.clone());
        let Some(lead) = lead.or_else(|| {
            let at = about.first()?;
            self.merge.mine.get(*at).cloned()
        }) else {
            return;
        };
        self.merged.removed.extend(lead.id.map(String::from));
        self.cleared(&lead, lead.id);
        if own {
            self.orphan(&lead, "it is gone from the plan", about);
        }
    }

    fn orphan(&mut self, about: &Line<'a>, why: &'static str, lines: &[usize]) {
        let name = about.id.unwrap_or("a line without an id");
        self.merged.orphans.push(String::from(name));
        let lines = lines.iter().filter_map(|at| self.merge.mine.get(*at));
        self.out.orphans.push(Orphan {
            id: about.id.map(String::from),
            why,
            lines: lines.cloned().collect(),
        });
    }

    fn finish(mut self, new_imprint: &str) -> Merged {
        // Nothing of people's is forgotten, wherever it came to lie.
        for index in 0..self.after.len() {
            self.own(index);
        }
        let known: alloc::collections::BTreeSet<&str> =
            self.merge.mine.iter().filter_map(|line| line.id).collect();
        self.merged.added.retain(|id| !known.contains(id.as_str()));
        self.merged.page = self.out.finish(new_imprint);
        self.merged
    }
}

/// Whether a section of a page begins here, by the levels that rendered pages have.
fn starts_section(line: &Line<'_>) -> bool {
    line.print.heading && heading_level(line.raw.trim_end()).is_some_and(|level| level <= 3)
}
