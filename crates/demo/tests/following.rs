//! A runbook that is followed through pipes: to its end, back after a failure, and on after its
//! process was killed.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set its scene has failed"
)]

mod place;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use place::{PROGRAM, Said};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// What is done about a question.
enum Reply {
    Says(&'static str),
    /// Nothing: time passes.
    Waits,
    /// No answer will come any more.
    Ends,
    /// The process is killed.
    Kills,
    /// Somebody presses Ctrl-C.
    Interrupts,
}
use Reply::{Ends, Interrupts, Kills, Says, Waits};

/// A folder with a page that can be followed, and a state folder.
struct Followed {
    dir: tempfile::TempDir,
    /// How the document is named, if there is one.
    document: Option<PathBuf>,
}

impl Followed {
    /// The page of a strategy's name alone, with its blanks filled in.
    fn of_strategy(strategy: &str) -> Followed {
        let followed = Followed {
            dir: tempfile::tempdir().unwrap(),
            document: None,
        };
        followed.render(&[
            "--strategy",
            strategy,
            "--service-name",
            "shop",
            "--env",
            "test",
            "--release",
            "1.5.0",
            "--previous",
            "1.4.2",
        ]);
        followed
    }

    /// The page of the document with people in it, and its flag files.
    fn of_people() -> Followed {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("flags")).unwrap();
        for stage in ["basket", "basket-off", "basket-internal", "basket-100"] {
            let text = format!("{{\"stage\": \"{stage}\"}}\n");
            fs::write(dir.path().join(format!("flags/{stage}.json")), text).unwrap();
        }
        let document = dir.path().join("people.yaml");
        fs::write(&document, include_str!("people.yaml")).unwrap();
        let followed = Followed {
            dir,
            document: Some(document.clone()),
        };
        followed.render(&["-f", document.to_str().unwrap()]);
        followed
    }

    /// The page of a document beside the tests.
    fn of_document(name: &str) -> Followed {
        let document = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests")
            .join(name);
        let followed = Followed {
            dir: tempfile::tempdir().unwrap(),
            document: Some(document.clone()),
        };
        followed.render(&["-f", document.to_str().unwrap()]);
        followed
    }

    fn render(&self, words: &[&str]) {
        let output = Command::new(PROGRAM)
            .arg("runbook")
            .args(words)
            .output()
            .unwrap();
        let page = String::from_utf8(output.stdout).unwrap();
        let mut page = page.as_str().to_owned();
        for blank in ["\\<owner\\>", "<owner>"] {
            page = page.replace(blank, "the shop team");
        }
        for blank in ["\\<window start, UTC\\>", "<window start, UTC>"] {
            page = page.replace(blank, "at noon");
        }
        for blank in ["\\<on-call contact\\>", "\\<escalation contact\\>"] {
            page = page.replace(blank, "the pager");
        }
        fs::write(self.page(), page).unwrap();
    }

    fn page(&self) -> PathBuf {
        self.dir.path().join("page.md")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.page()).unwrap()
    }

    fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(words).arg("--state").arg(self.state());
        command
    }

    fn run(&self, words: &[&str]) -> Said {
        let output = self.command(words).stdin(Stdio::null()).output().unwrap();
        output.into()
    }

    fn follow(&self, words: &[&str], replies: impl FnMut(&str) -> Reply) -> Said {
        let page = self.page();
        let mut command = self.command(&["runbook", "run", page.to_str().unwrap(), "--by", "ada"]);
        command.args(words);
        let left = self.state().join("journal.jsonl").exists();
        if let Some(document) = self.document.as_ref().filter(|_| !left) {
            command.arg("-f").arg(document);
        }
        converse(command, replies)
    }

    /// The signed statements of this kind, by the names of their files.
    fn evidence(&self, kind: &str) -> usize {
        let folder = fs::read_dir(self.state().join("evidence")).unwrap();
        let names = folder.map(|it| it.unwrap().file_name().to_string_lossy().into_owned());
        names.filter(|name| name.contains(kind)).count()
    }
}

/// Talks with a process: each question, down to the line with what can be said, has a reply.
fn converse(mut command: Command, mut replies: impl FnMut(&str) -> Reply) -> Said {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take();
    let mut said = String::new();
    let mut question = String::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        said += &line;
        said.push('\n');
        question += &line;
        question.push('\n');
        if !line.starts_with("  > ") {
            continue;
        }
        match replies(&std::mem::take(&mut question)) {
            Says(text) => writeln!(input.as_mut().unwrap(), "{text}").unwrap(),
            Waits => {}
            Ends => drop(input.take()),
            Kills => child.kill().unwrap(),
            Interrupts => kill_process(Pid::from_child(&child), Signal::INT).unwrap(),
        }
        assert!(said.len() < 1 << 20, "it never ends:\n{said}");
    }
    let mut out = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut out)
        .unwrap();
    Said {
        code: child.wait().unwrap().code(),
        out,
        err: said,
    }
}

/// Somebody who does as they are asked and has no patience.
fn obeys(question: &str) -> Reply {
    let asks = |part: &str| question.contains(part);
    if asks("waits for the pause") {
        Says("promote")
    } else if asks("how did it end?") {
        Says("passed")
    } else if asks("what do the figures say?") {
        Says("pass")
    } else if asks("may still agree: ada") {
        Says("ada agrees")
    } else if asks("may still agree: grace") {
        Says("grace agrees")
    } else if asks("  > again") {
        Says("again")
    } else {
        Says("yes")
    }
}

/// How many of the boxes of steps are ticked, and how many there are.
fn ticks(page: &str) -> (usize, usize) {
    let steps = page.lines().filter(|it| it.contains("<!-- id: step/"));
    let boxes: Vec<&str> = steps.filter(|it| it.starts_with("- [")).collect();
    let ticked = boxes.iter().filter(|it| it.starts_with("- [x]")).count();
    (ticked, boxes.len())
}

#[test]
fn a_canary_is_carried_out_by_hand_and_every_step_is_ticked() {
    let followed = Followed::of_strategy("canary");
    let said = followed.follow(&[], obeys);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.out.is_empty(), "questions are no output: {}", said.out);
    let page = followed.text();
    let (ticked, boxes) = ticks(&page);
    assert_eq!((ticked, boxes), (30, 30), "{page}");
    let seen = page
        .lines()
        .skip_while(|it| !it.contains("step/traffic-25/seen"))
        .nth(1)
        .unwrap();
    assert!(
        seen.starts_with("  - Done 20") && seen.contains(" by ada in "),
        "{seen}"
    );
    assert!(seen.ends_with(": as it says <!-- run -->"), "{seen}");
    assert_eq!(followed.evidence("rollout"), 1);
    let summary = fs::read(followed.state().join("summary.json")).unwrap();
    let summary: Value = serde_json::from_slice(&summary).unwrap();
    assert_eq!(summary["outcome"], "promoted");
    assert!(said.err.contains("1.5.0 serves everything"), "{}", said.err);
    // What is over is told by the journal, and the page cannot be followed twice.
    let status = followed.run(&["status"]);
    assert_eq!(status.code, Some(0), "{status:?}");
    let again = followed.follow(&[], obeys);
    assert_eq!(again.code, Some(2), "{}", again.err);
    assert!(again.err.contains("was followed before"), "{}", again.err);
}

#[test]
fn every_strategy_can_be_carried_out_by_hand() {
    // Who accepts a downtime stands in a document only.
    for followed in [
        Followed::of_strategy("blue-green"),
        Followed::of_strategy("rolling"),
        Followed::of_document("recreate.yaml"),
    ] {
        let said = followed.follow(&[], obeys);
        assert_eq!(said.code, Some(0), "{}", said.err);
        let (ticked, boxes) = ticks(&followed.text());
        assert_eq!(ticked, boxes, "{}", said.err);
    }
}

#[test]
fn a_failure_leads_back_from_the_last_step_on() {
    let followed = Followed::of_strategy("canary");
    let mut broke = false;
    let said = followed.follow(&[], |question| {
        if broke || !question.contains("step 6 of 15") {
            return obeys(question);
        }
        broke = true;
        Says("no the router refused")
    });
    // Asked again, somebody tries again; then it goes on.
    assert_eq!(said.code, Some(0), "{}", said.err);

    let followed = Followed::of_strategy("canary");
    let said = followed.follow(&[], |question| match question.contains("step 6 of 15") {
        true => Says("back"),
        false => obeys(question),
    });
    assert_eq!(said.code, Some(1), "{}", said.err);
    let begun: Vec<&str> = said
        .err
        .lines()
        .filter(|it| it.starts_with("       step "))
        .collect();
    assert_eq!(begun.len(), 6, "{begun:?}");
    assert!(begun[0].contains("step 6: Send 25%"), "{begun:?}");
    assert!(begun[5].contains("step 1: Smoke-test"), "{begun:?}");
    let asked = |part: &str| {
        said.err
            .find(part)
            .unwrap_or_else(|| panic!("{}", said.err))
    };
    let traffic = asked("Set the router: 100% of requests to 1.4.2, 0% to 1.5.0.");
    assert!(traffic < asked("the new version's request counter stands still"));
    // The plan keeps the one instance there is for whoever looks for the cause.
    assert!(!said.err.contains("Stop every instance"), "{}", said.err);
    let page = followed.text();
    assert!(page.contains("  - Failed 20"), "{page}");
    assert!(
        page.contains("a person aborted it <!-- run -->"),
        "why it failed is on the page"
    );
    let (ticked, _) = ticks(&page);
    assert_eq!(ticked, 10, "five steps were done");
    assert_eq!(followed.evidence("rollout"), 1);
}

#[test]
fn a_process_that_is_killed_is_gone_on_with_and_what_is_in_doubt_is_asked() {
    let followed = Followed::of_strategy("blue-green");
    let page = followed.text();
    let traffic = page
        .lines()
        .find(|it| it.contains("/do -->") && it.contains("Set the router"));
    assert!(traffic.is_some(), "{page}");
    let said = followed.follow(&[], |question| match question.contains("Set the router") {
        true => Kills,
        false => obeys(question),
    });
    assert_eq!(said.code, None, "{}", said.err);
    let (before, _) = ticks(&followed.text());
    assert!(before > 0);

    // Neither a deployment's commands nor another page go on with it.
    for (words, part) in [
        (&["resume"][..], "is followed by hand"),
        (&["abort"], "is followed by hand"),
        (&["promote"], "nonevent runbook run "),
    ] {
        let said = followed.run(words);
        assert_eq!(said.code, Some(2), "{words:?}: {said:?}");
        assert!(said.err.contains(part), "{words:?}: {said:?}");
    }
    let status = followed.run(&["status"]);
    let command = format!(
        "`nonevent runbook run {}` goes on",
        followed.page().display()
    );
    assert!(status.out.contains(&command), "{status:?}");
    let other = followed.dir.path().join("other.md");
    fs::copy(followed.page(), &other).unwrap();
    let said = followed.run(&["runbook", "run", other.to_str().unwrap()]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("is about another rollout"), "{said:?}");

    // A rollout of `deploy` has no page that it is followed from.
    let kept = fs::read(followed.state().join("follow.json")).unwrap();
    fs::remove_file(followed.state().join("follow.json")).unwrap();
    let said = followed.run(&["runbook", "run", followed.page().to_str().unwrap()]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(
        said.err.contains("`nonevent resume` goes on with it"),
        "{said:?}"
    );
    fs::write(followed.state().join("follow.json"), kept).unwrap();

    let mut first = None;
    let said = followed.follow(&[], |question| {
        first.get_or_insert_with(|| question.to_owned());
        obeys(question)
    });
    assert_eq!(said.code, Some(0), "{}", said.err);
    let first = first.unwrap();
    assert!(
        first.contains("going on with shop 1.4.2 → 1.5.0"),
        "{first}"
    );
    assert!(
        first.contains("nobody said how it ended: Set the router"),
        "{first}"
    );
    let (ticked, boxes) = ticks(&followed.text());
    assert_eq!(ticked, boxes);
}

#[test]
fn answers_that_end_leave_everything_as_it_is() {
    let followed = Followed::of_strategy("canary");
    let said = followed.follow(&[], |question| match question.contains("step 2 of 15") {
        true => Ends,
        false => obeys(question),
    });
    assert_eq!(said.code, Some(3), "{}", said.err);
    assert!(said.err.contains("nonevent runbook run "), "{}", said.err);
    let said = followed.follow(&[], |question| match question.contains("step 4 of 15") {
        true => Says("leave"),
        false => obeys(question),
    });
    assert_eq!(said.code, Some(130), "{}", said.err);
    let said = followed.follow(&[], |question| {
        match question.contains("waits for the pause") {
            true => Interrupts,
            false => obeys(question),
        }
    });
    assert_eq!(said.code, Some(130), "{}", said.err);
    let said = followed.follow(&[], |question| {
        match question.contains("what stands now?") {
            true => Interrupts,
            false => obeys(question),
        }
    });
    assert_eq!(said.code, Some(130), "{}", said.err);
    let status = followed.run(&["status", "--json"]);
    assert!(status.out.contains("\"pause\""), "{}", status.out);
    assert_eq!(followed.follow(&[], obeys).code, Some(0));
}

#[test]
fn a_mixed_runbook_asks_people_and_does_the_rest_from_here() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0u8; 4_096];
            let _ = stream.read(&mut request);
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    let followed = Followed::of_people();
    let flag = || fs::read_to_string(followed.dir.path().join("flags/basket.json")).unwrap();
    let mut elsewhere = 0;
    let said = followed.follow(&["--url", &url, "--yes-to-automated"], |question| {
        if question.contains("waits for the pause") {
            return Waits;
        }
        // The first approval is given at another terminal while the question is open here.
        if question.contains("may still agree: ada, grace") && elsewhere == 0 {
            elsewhere += 1;
            let agrees = followed.run(&["approve", "--by", "grace"]);
            assert_eq!(agrees.code, Some(0), "{agrees:?}");
            return Waits;
        }
        obeys(question)
    });
    assert_eq!(elsewhere, 1);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(
        said.err.contains("do   tell the support desk"),
        "{}",
        said.err
    );
    assert!(
        said.err.contains("smoke suite passed: 1 of 1 tests"),
        "{}",
        said.err
    );
    assert!(
        said.err.contains("grace agrees to approve-go-wide"),
        "{}",
        said.err
    );
    assert!(flag().contains("basket-100"), "{}", flag());
    assert_eq!(followed.evidence("smoke-before"), 1);
    assert_eq!(followed.evidence("smoke-after"), 1);
    let page = followed.text();
    assert!(page.contains("ada agrees"), "{page}");
    let (ticked, boxes) = ticks(&page);
    assert_eq!(ticked, boxes);
}

#[test]
fn a_page_about_another_plan_or_with_errors_is_not_followed() {
    let followed = Followed::of_strategy("canary");
    let page = followed.text();
    let refused = |text: String, words: &[&str], part: &str| {
        fs::write(followed.page(), text).unwrap();
        let said = followed.follow(words, |_| Ends);
        assert_eq!(said.code, Some(2), "{part}: {}", said.err);
        assert!(said.err.contains(part), "{part}: {}", said.err);
        assert!(!followed.state().exists(), "{part}: nothing was begun");
    };
    let other = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rolling.yaml");
    refused(
        page.replace("1.5.0", "1.6.0"),
        &[],
        "name the deployment document",
    );
    refused(
        page.replace("sha256:", "md5:"),
        &[],
        "does not name the plan",
    );
    let reworded = page.replace("Set the router to 95%", "Set the router to 90%");
    refused(reworded, &[], "NE6020");
    refused(
        page.replace("at noon", "<window start, UTC>"),
        &[],
        "is still a blank",
    );
    refused(
        page.clone(),
        &["-f", other.to_str().unwrap()],
        "the page is about plan",
    );
    refused(page, &["--url", "ftp://shop"], "--url ftp://shop");
}

#[test]
fn a_checklist_that_does_not_hold_keeps_it_from_beginning() {
    let followed = Followed::of_strategy("canary");
    let said = followed.follow(&[], |question| {
        match question.contains("Monitoring is up") {
            true => Says("no the dashboards are down"),
            false => Says("yes"),
        }
    });
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(said.err.contains("nothing was begun"), "{}", said.err);
    let page = followed.text();
    assert!(
        page.contains(": the dashboards are down <!-- run -->"),
        "{page}"
    );
    // What holds is not asked again.
    let mut asked = 0;
    let said = followed.follow(&[], |question| {
        asked += 1;
        match question.contains("holds?") {
            true => Says("yes"),
            false => Says("leave"),
        }
    });
    assert_eq!(said.code, Some(130), "{}", said.err);
    assert_eq!(
        asked, 7,
        "monitoring and what comes after it, and the first step"
    );
}
