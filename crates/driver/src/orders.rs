//! Orders and words from other terminals, left as files in the state folder.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

use nonevent_rollout::Command;
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::conduct::Order;
use crate::state_dir::StateDir;
use crate::words::Word;

const FOLDER: &str = "orders";
const LOOK: Duration = Duration::from_millis(100);
/// What the file of a word is called, before and after the word's digest.
const WORD: (&str, &str) = ("word-", ".json");
/// The longest word, in bytes.
const WORD_BYTES_MAX: u64 = 16 * 1024;
/// Words taken at one look; the others wait for the next.
const WORDS_MAX: usize = 64;

const NAMES: [(Command, &str); 4] = [
    (Command::Abort, "abort"),
    (Command::Pause, "pause"),
    (Command::Resume, "resume"),
    (Command::Promote, "promote"),
];

fn name(command: Command) -> &'static str {
    NAMES
        .iter()
        .find(|(it, _)| *it == command)
        .map_or("abort", |(_, name)| name)
}

/// Leaves an order for the process that holds the lock.
///
/// # Errors
/// As the system says.
pub fn give_order(state: &StateDir, command: Command) -> io::Result<()> {
    state.write(&format!("{FOLDER}/{}", name(command)), b"")
}

/// Leaves a word for the process that holds the lock.
///
/// # Errors
/// As the system says.
pub fn give_word(state: &StateDir, word: &Word) -> io::Result<()> {
    let text = serde_json::to_vec(word).map_err(io::Error::other)?;
    let (before, after) = WORD;
    let name = format!("{FOLDER}/{before}{}{after}", word.digest().hex());
    state.write(&name, &text)
}

/// Forgets orders that nobody has taken: they were meant for another rollout. Words say themselves
/// what they were meant for, and whoever gave one hears that it does not count.
pub fn forget_orders(state: &StateDir) {
    for (_, name) in NAMES {
        // One that is not there needs no forgetting.
        drop(fs::remove_file(state.path(FOLDER).join(name)));
    }
}

/// Forgets orders to go on that nobody has lived to take: they were meant for a step that may be
/// over. Those to stop are heeded, however old.
pub fn forget_orders_to_go_on(state: &StateDir) {
    for command in [Command::Promote, Command::Resume] {
        // As above.
        drop(fs::remove_file(state.path(FOLDER).join(name(command))));
    }
}

/// Hands over orders and words as they are left, each once, until nobody listens any more.
pub async fn take_orders(state: StateDir, to: mpsc::Sender<Order>) {
    loop {
        for (command, name) in NAMES {
            let taken = fs::remove_file(state.path(FOLDER).join(name)).is_ok();
            if taken && to.send(Order::Command(command)).await.is_err() {
                return;
            }
        }
        for order in take_words(&state) {
            if to.send(order).await.is_err() {
                return;
            }
        }
        if to.is_closed() {
            return;
        }
        sleep(LOOK).await;
    }
}

/// Takes the words that were left, in the order in which they were said.
fn take_words(state: &StateDir) -> Vec<Order> {
    let Ok(folder) = fs::read_dir(state.path(FOLDER)) else {
        return Vec::new();
    };
    let (mut words, mut garbled) = (Vec::new(), Vec::new());
    for entry in folder.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with(WORD.0) || !name.ends_with(WORD.1) {
            continue;
        }
        let read = read_word(&entry.path());
        // One that cannot be taken away would be heard for ever.
        if fs::remove_file(entry.path()).is_err() {
            continue;
        }
        match read {
            Ok(word) => words.push(word),
            Err(error) => garbled.push(Order::Garbled(format!("{name}: {error}"))),
        }
        if words.len() + garbled.len() >= WORDS_MAX {
            break;
        }
    }
    words.sort_by_key(|word| word.said);
    let words = words.into_iter().map(|word| Order::Word(Box::new(word)));
    words.chain(garbled).collect()
}

fn read_word(path: &Path) -> io::Result<Word> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut text = Vec::new();
    let read = File::open(path)?
        .take(WORD_BYTES_MAX + 1)
        .read_to_end(&mut text)?;
    if read as u64 > WORD_BYTES_MAX {
        return Err(io::Error::other(format!(
            "it is longer than {WORD_BYTES_MAX} bytes"
        )));
    }
    serde_json::from_slice(&text).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use nonevent_document::{Digest, Timestamp};

    use super::*;
    use crate::words::Says;

    fn word(said: i64, by: &str) -> Word {
        Word {
            plan: Digest::of(b"plan"),
            attempt: Digest::of(b"attempt"),
            step: 3,
            by: Some(by.to_owned()),
            said: Timestamp::from_unix_ms(said),
            until: Timestamp::from_unix_ms(said + 1_000),
            says: Says::Agrees,
        }
    }

    #[test]
    fn words_are_taken_once_in_the_order_in_which_they_were_said() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(dir.path()).unwrap();
        assert_eq!(take_words(&state), []);
        let words = [word(2, "ada"), word(1, "grace"), word(3, "edsger")];
        for word in &words {
            give_word(&state, word).unwrap();
        }
        give_word(&state, &words[0]).unwrap();
        forget_orders(&state);
        let [second, first, third] = words.map(|it| Order::Word(Box::new(it)));
        assert_eq!(take_words(&state), [first, second, third]);
        assert_eq!(take_words(&state), []);
    }

    #[test]
    fn what_is_old_stops_a_rollout_and_does_not_make_it_go_on() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(dir.path()).unwrap();
        for (command, _) in NAMES {
            give_order(&state, command).unwrap();
        }
        forget_orders_to_go_on(&state);
        let left = |command| state.path(FOLDER).join(name(command)).exists();
        assert!(left(Command::Abort) && left(Command::Pause));
        assert!(!left(Command::Promote) && !left(Command::Resume));
    }

    #[test]
    fn what_is_no_word_is_told_and_taken_away() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(dir.path()).unwrap();
        let folder = state.path(FOLDER);
        fs::create_dir_all(&folder).unwrap();
        let long = vec![b' '; usize::try_from(WORD_BYTES_MAX).unwrap() + 1];
        for (name, text) in [
            ("word-a.json", &b"{}"[..]),
            ("word-b.json", b"\xff"),
            ("word-c.json", &long),
            ("word-d.new", b"half written"),
            ("promote", b""),
        ] {
            fs::write(folder.join(name), text).unwrap();
        }
        std::os::unix::fs::symlink("/dev/zero", folder.join("word-e.json")).unwrap();
        let taken = take_words(&state);
        assert_eq!(taken.len(), 4);
        assert!(
            taken.iter().all(|it| matches!(it, Order::Garbled(_))),
            "{taken:?}"
        );
        assert_eq!(take_words(&state), []);
        assert!(folder.join("promote").exists(), "an order is no word");
        assert!(folder.join("word-d.new").exists());
    }
}
