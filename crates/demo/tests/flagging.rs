//! `flags diff`, `flags stage`, `flags check` and `flags serve` as other programs call them.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows test functions as tests, and not what they call"
)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

const OLD: &str = "flags:\n  dark-mode: true\n  basket: { rollout_percentage: 25 }\n";
const NEW: &str = "flags:\n  dark-mode: true\n  basket: { rollout_percentage: 50 }\n";

fn nonevent(arguments: &[&str], dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nonevent"));
    command.arg("flags").args(arguments).current_dir(dir);
    command
}

fn ended(arguments: &[&str], dir: &Path) -> (i32, String) {
    let output = nonevent(arguments, dir).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8(text).unwrap(),
    )
}

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("old.yaml"), OLD).unwrap();
    fs::write(dir.path().join("new.yaml"), NEW).unwrap();
    dir
}

#[test]
fn a_diff_says_who_changes_and_answers_no_beyond_a_bound() {
    let dir = folder();
    let grown = [
        "diff",
        "--flags",
        "new.yaml",
        "--since",
        "old.yaml",
        "--nobody-loses",
    ];
    let (code, text) = ended(&grown, dir.path());
    assert_eq!(code, 0, "{text}");
    assert!(text.starts_with("basket: another value for 2"), "{text}");
    assert!(text.contains("1 flags are the same for all"), "{text}");
    let (code, text) = ended(
        &[&grown[..], &["--changed-at-most", "20"]].concat(),
        dir.path(),
    );
    assert!(
        code == 1 && text.contains("more than allowed: "),
        "{code}: {text}"
    );

    let shrunk = ["diff", "--flags", "old.yaml", "--since", "new.yaml"];
    let (code, text) = ended(&shrunk, dir.path());
    assert!(
        code == 0 && text.contains(" lose the feature"),
        "{code}: {text}"
    );
    let (code, text) = ended(
        &[&shrunk[..], &["--nobody-loses", "--json"]].concat(),
        dir.path(),
    );
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &json["ok"]), (1, &false.into()), "{text}");
    assert_eq!(json["diff"]["population"], 10_000);

    for (population, code, said) in [
        (
            "{\"targetingKey\":\"a\"}\n{\"targetingKey\":\"b\"}\n",
            0,
            " of 2",
        ),
        ("[{\"targetingKey\":\"a\"},{},{}]", 0, " of 3"),
        ("", 2, "no context"),
        ("7", 2, "not an object"),
        ("{", 2, "pop.json: "),
    ] {
        fs::write(dir.path().join("pop.json"), population).unwrap();
        let all = [&shrunk[..], &["--population", "pop.json"]].concat();
        let (found, text) = ended(&all, dir.path());
        assert!(found == code && text.contains(said), "{found}: {text}");
    }
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn flags_are_served_to_who_has_the_token_until_it_is_asked_to_end() {
    let dir = folder();
    fs::write(dir.path().join("tokens"), "\nfirst\nsecond\n").unwrap();
    let arguments = [
        "serve",
        "--flags",
        "old.yaml",
        "--listen",
        "127.0.0.1:0",
        "--token-file",
        "tokens",
        "--usage",
        "usage.json",
    ];
    fs::write(dir.path().join("usage.json"), r#"{"basket": 40}"#).unwrap();
    let child = nonevent(&arguments, dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut running = Running(child);
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    let line = lines.next().unwrap().unwrap();
    assert!(
        line.starts_with("2 flags of old.yaml (plain) at http://127.0.0.1:"),
        "{line}"
    );
    assert!(line.ends_with(" for who has one of 2 tokens"), "{line}");
    let address = line
        .split("http://")
        .nth(1)
        .unwrap()
        .split('/')
        .next()
        .unwrap();
    let ask = |token: &str| {
        let body = r#"{"context":{"targetingKey":"user-7"}}"#;
        let mut stream = TcpStream::connect(address).unwrap();
        let head = "POST /ofrep/v1/evaluate/flags HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
        let text = format!(
            "{head}authorization: Bearer {token}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(ask("second").starts_with("HTTP/1.1 200 "));
    assert!(ask("third").starts_with("HTTP/1.1 403 "));
    kill_process(Pid::from_child(&running.0), Signal::TERM).unwrap();
    assert!(running.0.wait().unwrap().success());
    assert_eq!(lines.next().unwrap().unwrap(), "ended");
    let usage = fs::read_to_string(dir.path().join("usage.json")).unwrap();
    let usage: serde_json::Value = serde_json::from_str(&usage).unwrap();
    assert_eq!(usage["basket"]["evaluations"], 41, "{usage}");
    assert_eq!(usage["dark-mode"]["variants"]["on"], 1, "{usage}");
    let check = ["check", "--flags", "old.yaml", "--usage", "usage.json"];
    let (code, text) = ended(&check, dir.path());
    assert!(code == 0 && !text.contains("nobody evaluated"), "{text}");
}

#[test]
fn flags_are_not_served_as_nobody_meant() {
    let dir = folder();
    for (arguments, said) in [
        (
            ["serve", "--flags", "old.yaml", "--listen", "0.0.0.0:0"],
            "give a token",
        ),
        (
            ["serve", "--flags", "gone.yaml", "--listen", "127.0.0.1:0"],
            "gone.yaml cannot be read",
        ),
        (
            ["serve", "--flags", "old.yaml", "--token-file", "old.json"],
            "old.json: ",
        ),
        (
            [
                "serve",
                "--flags",
                "old.yaml",
                "--token-env",
                "NO_SUCH_TOKEN",
            ],
            "not set",
        ),
        (
            ["serve", "--flags", "old.yaml", "--allow-origin", "shop"],
            "no origin",
        ),
        (
            ["serve", "--flags", "old.yaml", "--usage", "old.yaml"],
            "numbers by key",
        ),
    ] {
        let (code, text) = ended(&arguments, dir.path());
        assert!(code != 0 && text.contains(said), "{code}: {text}");
    }
}

#[test]
fn a_check_knows_the_code_that_asks() {
    let dir = folder();
    fs::write(dir.path().join("keys"), "dark-mode\n\nbascet\n").unwrap();
    fs::write(dir.path().join("usage.json"), r#"{"basket":12}"#).unwrap();
    let check = ["check", "--flags", "old.yaml"];
    let (code, text) = ended(&[&check[..], &["--keys", "keys"]].concat(), dir.path());
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("the code asks for \"bascet\""), "{text}");
    assert!(text.contains("no code asks for \"basket\""), "{text}");
    let usage = ["--usage", "usage.json", "--days", "7"];
    let (code, text) = ended(&[&check[..], &usage].concat(), dir.path());
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("nobody evaluated \"dark-mode\" in the last 7 days"),
        "{text}"
    );
    let (code, text) = ended(&[&check[..], &["--usage", "keys"]].concat(), dir.path());
    assert!(
        code == 2 && text.contains("numbers by key"),
        "{code}: {text}"
    );
}

#[test]
fn a_stage_is_shown_as_a_diff_or_written() {
    let dir = folder();
    let file = dir.path().join("flags.yaml");
    let before = "# ours\nflags:\n  basket: false   # until May\n  other: 7\n";
    fs::write(&file, before).unwrap();
    let stage = |at: &str, more: &[&str]| {
        let all = ["stage", "-f", "flags.yaml", "basket", "--at", at];
        ended(&[&all[..], more].concat(), dir.path())
    };
    let text = || fs::read_to_string(&file).unwrap();

    let (code, said) = stage("internal", &[]);
    assert!(
        code == 1 && said.contains("NE4029") && said.contains("say who is internal"),
        "{said}"
    );
    let first = ["--internal", "@shop.example"];
    let (code, said) = stage("internal", &first);
    assert_eq!(code, 0, "{said}");
    let changed = "  basket: {\"always\": [{\"attribute\": \"email\", \"operator\": \"ends_with\", \"value\": \"@shop.example\"}], \"rollout_percentage\": 0}   # until May";
    let expected = format!(
        "--- flags.yaml\n+++ flags.yaml\n@@ -1,4 +1,4 @@\n # ours\n flags:\n-  basket: false   # until May\n+{changed}\n   other: 7\n"
    );
    assert_eq!(said, expected);
    assert_eq!(text(), before);

    let (code, said) = stage("internal", &[&first[..], &["--write"]].concat());
    assert_eq!(
        (code, said.as_str()),
        (0, "flags.yaml: basket is at internal now\n")
    );
    assert!(text().contains(changed));
    let (code, said) = stage("25", &["--write", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (code, &json["written"], &json["staged"]["stage"]),
        (0, &true.into(), &"25%".into())
    );
    assert_eq!(text(), json["staged"]["text"]);
    assert_eq!(json["staged"]["edits"][0]["text"], "25");
    let (code, said) = stage("25%", &["--write"]);
    assert_eq!(
        (code, said.as_str()),
        (0, "flags.yaml: basket is at 25% already\n")
    );
    let (code, said) = stage("off", &["--write"]);
    assert_eq!(code, 0, "{said}");
    let (_, said) = ended(&["eval", "--flags", "flags.yaml", "basket"], dir.path());
    assert!(said.starts_with("basket = false (DISABLED"), "{said}");
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        3,
        "nothing is left beside it"
    );

    let (code, said) = stage("0", &[]);
    assert!(code == 2 && said.contains("from 1 to 100"), "{said}");
    let (code, said) = ended(
        &["stage", "-f", "flags.yaml", "other", "--at", "5"],
        dir.path(),
    );
    assert!(code == 1 && said.contains("neither on nor off"), "{said}");
    let (code, said) = ended(
        &["stage", "-f", "gone.yaml", "other", "--at", "5"],
        dir.path(),
    );
    assert!(code == 2 && said.contains("gone.yaml"), "{said}");
}

#[test]
fn a_check_answers_in_three_formats_with_one_status() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let cases = [
        ("fixtures/flags/bad/NE4030.yaml", 0, "NE4030", "note"),
        ("fixtures/flags/bad/NE4010.yaml", 0, "NE4010", "warning"),
        ("fixtures/flags/bad/NE4007.yaml", 1, "NE4007", "error"),
        ("fixtures/flags/refused/twice.yaml", 2, "NE0008", "error"),
        ("fixtures/flags/bad/NE4001.yaml", 2, "NE4001", "error"),
    ];
    for (file, status, code, level) in cases {
        let run = |format: &str| {
            let (found, text) = ended(&["check", "--flags", file, "--format", format], &root);
            assert_eq!(found, status, "{file} as {format}: {text}");
            text
        };
        assert!(run("text").contains(&format!("{level}[{code}]")), "{file}");
        let json: serde_json::Value = serde_json::from_str(&run("json")).unwrap();
        assert_eq!(json["ok"], status == 0, "{file}");
        assert_eq!(json["findings"][0]["code"], code, "{file}");

        let log: serde_json::Value = serde_json::from_str(&run("sarif")).unwrap();
        assert_eq!(
            (&log["version"], log["runs"].as_array().unwrap().len()),
            (&"2.1.0".into(), 1)
        );
        let run = &log["runs"][0];
        let result = &run["results"][0];
        assert_eq!(
            (&result["ruleId"], &result["level"]),
            (&code.into(), &level.into()),
            "{file}"
        );
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        let rule = &run["tool"]["driver"]["rules"][index];
        assert_eq!(rule["id"], code);
        assert!(
            rule["fullDescription"]["text"].as_str().unwrap().len() > 20,
            "{rule}"
        );
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], file);
        assert!(
            place["region"]["startLine"].as_u64().unwrap() > 0,
            "{place}"
        );
    }
    let file = ["check", "--flags", "fixtures/flags/bad/NE4030.yaml"];
    let same = ended(&[&file[..], &["--format", "json"]].concat(), &root);
    assert_eq!(ended(&[&file[..], &["--json"]].concat(), &root), same);
}
