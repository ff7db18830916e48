//! The guides under `docs/guide`, taken literally: every file is written, every command run in a shell, and
//! every answer compared.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A fenced block: its language, what else its first line says, and its text.
struct Block {
    line: usize,
    language: String,
    says: Vec<(String, String)>,
    text: String,
}

fn blocks(guide: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Option<Block> = None;
    for (at, line) in guide.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some("")) => blocks.extend(open.take()),
            (Some(block), _) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, Some(info)) => {
                let mut words = info.split_whitespace().map(str::to_owned);
                open = Some(Block {
                    line: at + 1,
                    language: words.next().unwrap_or_default(),
                    says: words
                        .filter_map(|word| {
                            let (name, value) = word.split_once('=')?;
                            Some((name.to_owned(), value.to_owned()))
                        })
                        .collect(),
                    text: String::new(),
                });
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

impl Block {
    fn says(&self, name: &str) -> Option<&str> {
        let found = self.says.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| &**value)
    }
}

/// Whether the answer is what the guide says: a line that is `…` stands for any lines, a `…` in a line for
/// anything in it.
fn fits(wanted: &[&str], got: &[&str]) -> bool {
    match (wanted.split_first(), got.split_first()) {
        (None, None) => true,
        (Some((&"…", rest)), _) => (0..=got.len()).any(|skip| fits(rest, &got[skip..])),
        (Some((wanted, rest)), Some((line, more))) => line_fits(wanted, line) && fits(rest, more),
        _ => false,
    }
}

fn line_fits(wanted: &str, line: &str) -> bool {
    let mut parts = wanted.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn shell(dir: &Path, script: &str) -> (Option<i32>, String) {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_nonevent"));
    let mut path = program
        .parent()
        .expect("in a folder")
        .as_os_str()
        .to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let output = Command::new("sh")
        .args(["-e", "-c", &format!("exec 2>&1\n{script}")])
        .current_dir(dir)
        .env("PATH", path)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_NAME", "Ada")
        .env("GIT_AUTHOR_EMAIL", "ada@shop.example")
        .env("GIT_COMMITTER_NAME", "Ada")
        .env("GIT_COMMITTER_EMAIL", "ada@shop.example")
        .output()
        .expect("a shell starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), text)
}

fn follow(guide: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/guide")
        .join(guide);
    let text = fs::read_to_string(path).expect("the guide is there");
    let dir = tempfile::tempdir().expect("a folder");
    let blocks = blocks(&text);
    let mut ran = 0;
    for (at, block) in blocks.iter().enumerate() {
        let place = format!("{guide}:{}", block.line);
        if let Some(file) = block.says("file") {
            fs::write(dir.path().join(file), &block.text).expect("written");
        }
        if block.language != "sh" {
            continue;
        }
        let (status, answer) = shell(dir.path(), &block.text);
        let wanted = block
            .says("exit")
            .map_or(0, |it| it.parse().expect("a status"));
        assert_eq!(status, Some(wanted), "{place}: {answer}");
        ran += 1;
        if let Some(said) = blocks.get(at + 1).filter(|next| next.language == "text") {
            let lines = |text: &'_ str| -> Vec<String> {
                text.trim_end().lines().map(str::to_owned).collect()
            };
            let (said, got) = (lines(&said.text), lines(&answer));
            let said: Vec<&str> = said.iter().map(String::as_str).collect();
            let got: Vec<&str> = got.iter().map(String::as_str).collect();
            assert!(
                fits(&said, &got),
                "{place} does not answer what it says:\n{answer}"
            );
        }
    }
    assert!(ran > 0, "{guide} has no command");
}

#[test]
fn gates() {
    follow("gates.md");
}

#[test]
fn runbook() {
    follow("runbook.md");
}

#[test]
fn answers_are_compared_line_by_line() {
    let fits = |wanted: &str, got: &str| {
        let (wanted, got): (Vec<&str>, Vec<&str>) =
            (wanted.lines().collect(), got.lines().collect());
        fits(&wanted, &got)
    };
    assert!(fits("a\n…\nd", "a\nb\nc\nd"));
    assert!(fits("a …b", "a xyb"));
    assert!(!fits("a\nb", "a\nb\nc"));
    assert!(!fits("a …b", "a xyc"));
    assert!(!fits("…\nb", "b\na"));
}
