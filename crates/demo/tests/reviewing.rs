//! A runbook that people review and sign: what they signed is what runs, and nothing else does.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set its scene has failed"
)]

mod place;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use place::{PROGRAM, Place, Said};

/// A document with its page, two people and their keys.
struct Reviewed {
    place: Place,
    dir: PathBuf,
}

impl Reviewed {
    fn new() -> Reviewed {
        let place = Place::new();
        let dir = place.documents();
        fs::write(dir.join("kill.yaml"), include_str!("kill.yaml")).unwrap();
        let it = Reviewed { place, dir };
        it.says(&["runbook", "-f", "kill.yaml", "--output", "page.md"], 0);
        let page = it.page();
        let filled = [r"\<window start, UTC\>", "<window start, UTC>"]
            .iter()
            .fold(page, |page, blank| {
                page.replace(blank, "2026-12-01T06:00:00Z")
            });
        let filled = filled
            .replace(r"\<on-call contact\>", "the pager")
            .replace(r"\<escalation contact\>", "the pager")
            .replace(r"\<owner\>", "ada")
            .replace("<owner>", "ada");
        it.write("page.md", &filled);
        let key = |name: &str, roles: &[&str], trust: &[&str]| {
            let key = format!("{name}.key");
            let mut words = vec![
                "evidence", "keygen", "--label", name, "--person", name, "--output", &key,
            ];
            for role in roles {
                words.extend(["--role", role]);
            }
            words.extend(trust);
            it.write("trust.yaml", &it.says(&words, 0).out);
        };
        key("ada", &["deploy-lead", "on-call-engineer"], &[]);
        key("grace", &["product-owner"], &["--trust", "trust.yaml"]);
        it
    }

    fn page(&self) -> String {
        fs::read_to_string(self.dir.join("page.md")).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.dir.join(name), text).unwrap();
    }

    /// Runs a command in the folder of the document.
    fn says(&self, words: &[&str], code: i32) -> Said {
        let said = Command::new(PROGRAM)
            .args(words)
            .current_dir(&self.dir)
            .output();
        let said = Said::from(said.unwrap());
        assert_eq!(said.code, Some(code), "{words:?}: {said:?}");
        said
    }

    /// The same, of the runbook, with the state folder.
    fn of_page(&self, command: &str, more: &[&str], code: i32) -> Said {
        let state = self.place.state();
        let state = state.to_str().unwrap();
        let mut words = vec!["runbook", command, "page.md", "-f", "kill.yaml"];
        words.extend(more);
        words.extend(["--state", state]);
        self.says(&words, code)
    }

    fn sign(&self, role: &str, person: &str) {
        let key = format!("{person}.key");
        let more = [
            "--role",
            role,
            "--person",
            person,
            "--key",
            &key,
            "--trust",
            "trust.yaml",
        ];
        let said = self.of_page("sign", &more, 0);
        assert!(said.out.starts_with("kept: sha256:"), "{said:?}");
    }

    fn verify(&self, code: i32) -> Said {
        self.of_page("verify", &["--trust", "trust.yaml"], code)
    }

    fn deploy(&self) -> Said {
        let mut command = self.place.deploy_file(&self.dir.join("kill.yaml"));
        let page = self.dir.join("page.md");
        let trust = self.dir.join("trust.yaml");
        command.arg("--runbook").arg(page).arg("--trust").arg(trust);
        Said::from(command.output().unwrap())
    }

    fn signed() -> Reviewed {
        let it = Reviewed::new();
        it.sign("deploy-lead", "ada");
        it.sign("on-call-engineer", "ada");
        it.sign("product-owner", "grace");
        it
    }
}

#[test]
fn what_people_signed_is_deployed() {
    let it = Reviewed::new();
    assert!(it.verify(1).out.contains("deploy-lead: nobody has signed"));
    let said = it.deploy();
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.err.contains("deploy-lead: nobody has signed"),
        "{said:?}"
    );
    it.sign("deploy-lead", "ada");
    it.sign("on-call-engineer", "ada");
    assert!(
        it.verify(1)
            .out
            .contains("product-owner: nobody has signed")
    );
    it.sign("product-owner", "grace");
    let verified = it.verify(0);
    assert!(
        verified
            .out
            .contains("product-owner: grace approved it at 2"),
        "{verified:?}"
    );
    assert!(it.page().contains("- [x] Product owner"));
    let said = it.deploy();
    assert_eq!(said.code, Some(0), "{said:?}");
    let told = "the runbook is signed by ada (deploy-lead), ada (on-call-engineer), grace";
    assert!(
        said.err.contains(told) || said.out.contains(told),
        "{said:?}"
    );
    let kept = fs::read_to_string(it.place.state().join("runbook.md")).unwrap();
    assert_eq!(kept, it.page(), "the signed page is the rollout's runbook");
}

/// The page with one byte changed, for places all over it.
fn tampered(page: &str) -> Vec<String> {
    let marks: Vec<usize> = page.match_indices("- [").map(|(at, _)| at + 3).collect();
    let step = page.len() / 40;
    (0..page.len())
        .step_by(step)
        .filter(|at| !marks.contains(at))
        .filter_map(|at| {
            let mut bytes = page.as_bytes().to_vec();
            bytes[at] ^= 1;
            String::from_utf8(bytes).ok()
        })
        .collect()
}

#[test]
fn whatever_is_changed_afterwards_is_refused_by_verify_and_by_deploy() {
    let it = Reviewed::signed();
    let page = it.page();
    let pages = tampered(&page);
    assert!(pages.len() > 30);
    for tampered in pages {
        it.write("page.md", &tampered);
        it.verify(1);
        let said = it.deploy();
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(!it.place.state().join("run.json").exists() || it.place.journal().is_empty());
    }
    // Two steps change places.
    let (first, second) = ("### 2. ", "### 3. ");
    let at = |title: &str| page.find(title).unwrap();
    let after = page[at(second) + 1..].find("\n### ").unwrap() + at(second) + 2;
    let swapped = [
        &page[..at(first)],
        &page[at(second)..after],
        &page[at(first)..at(second)],
        &page[after..],
    ];
    it.write("page.md", &swapped.concat());
    assert!(it.verify(1).out.contains("stood elsewhere"));
    assert_eq!(it.deploy().code, Some(1));
    // Another template.
    it.write("triggers.hbs", "## When to roll back\n\nNever.\n");
    fs::remove_file(it.dir.join("page.md")).unwrap();
    let words = [
        "runbook",
        "-f",
        "kill.yaml",
        "--template",
        "triggers=triggers.hbs",
        "--output",
        "page.md",
    ];
    it.says(&words, 0);
    assert_eq!(it.verify(1).code, Some(1));
    assert_eq!(it.deploy().code, Some(1));
    // A variable: the document says something else.
    it.write("page.md", &page);
    it.verify(0);
    let document = include_str!("kill.yaml").replace("to: 1.5.0", "to: 1.5.1");
    it.write("kill.yaml", &document);
    assert!(it.verify(1).err.contains("but plan"));
    let said = it.deploy();
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("bring it up to that"), "{said:?}");
    it.write("kill.yaml", include_str!("kill.yaml"));
    it.verify(0);
}

#[test]
fn a_page_is_checked_compared_and_brought_up_to_a_new_plan() {
    let it = Reviewed::signed();
    let said = it.of_page("check", &["--trust", "trust.yaml"], 0);
    assert!(
        said.out.contains("ada also signed as Deploy lead"),
        "{said:?}"
    );
    let before = it.page();
    let noted = before.replace(
        "<!-- id: check/gates -->\n",
        "<!-- id: check/gates -->\n  - asked on Monday\n",
    );
    it.write(
        "page.md",
        &noted.replacen("- [ ] All earlier", "- [x] All earlier", 1),
    );
    assert_eq!(
        it.says(&["runbook", "update", "page.md", "-f", "kill.yaml"], 0)
            .out,
        "page.md: nothing has changed\n"
    );
    let document =
        include_str!("kill.yaml").replace("      - { traffic: 25%,  pause: 50ms }\n", "");
    it.write("kill.yaml", &document);
    it.write("before.md", &it.page());
    let dry = it.says(
        &[
            "runbook",
            "update",
            "page.md",
            "-f",
            "kill.yaml",
            "--dry-run",
        ],
        0,
    );
    assert!(dry.out.contains("would be brought up"), "{dry:?}");
    assert_eq!(
        it.page(),
        fs::read_to_string(it.dir.join("before.md")).unwrap()
    );
    let said = it.says(
        &["runbook", "update", "page.md", "-f", "kill.yaml", "--json"],
        0,
    );
    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(told["cleared"].as_array().unwrap().len(), 3, "{told}");
    let page = it.page();
    assert!(page.contains("- [x] All earlier"));
    assert!(page.contains("\n  - asked on Monday\n"));
    assert!(!page.contains("step/traffic-25"));
    let said = it.says(&["runbook", "diff", "page.md", "before.md"], 1);
    assert!(said.out.contains("step/traffic-25: added: "), "{said:?}");
    it.says(&["runbook", "diff", "page.md", "page.md"], 0);
    it.says(&["runbook", "diff", "page.md", "-f", "kill.yaml"], 1);
}

#[test]
fn nobody_signs_what_is_not_theirs_to_sign() {
    let it = Reviewed::new();
    let sign = |role: &str, person: &str, key: &str, code| {
        let more = [
            "--role",
            role,
            "--person",
            person,
            "--key",
            key,
            "--trust",
            "trust.yaml",
        ];
        it.of_page("sign", &more, code).err
    };
    assert!(sign("cook", "ada", "ada.key", 2).contains("has no place for cook"));
    assert!(sign("deploy-lead", "grace", "ada.key", 2).contains("it would not count"));
    assert!(sign("product-owner", "ada", "ada.key", 2).contains("it would not count"));
    let page = it.page();
    it.write(
        "page.md",
        &page.replace("2026-12-01T06:00:00Z", "<window start, UTC>"),
    );
    assert!(sign("deploy-lead", "ada", "ada.key", 1).contains("is still a blank"));
    it.write("page.md", &page);
    let document = include_str!("kill.yaml").replace("release:", "author: ada\nrelease:");
    it.write("kill.yaml", &document);
    assert!(sign("deploy-lead", "ada", "ada.key", 1).contains("made this release"));
    assert!(it.verify(1).out.contains("nobody has signed"));
    assert_eq!(it.page(), page, "nothing was written");
}

#[test]
fn a_place_that_was_taken_off_the_page_is_missed() {
    let it = Reviewed::new();
    let page = it.page();
    let at = page.find("- [ ] Product owner").unwrap();
    let end = at + page[at..].find("\n\n").unwrap();
    it.write("page.md", &(page[..at].to_owned() + &page[end..]));
    it.sign("deploy-lead", "ada");
    it.sign("on-call-engineer", "ada");
    assert!(
        it.verify(1)
            .out
            .contains("product-owner: nobody has signed")
    );
    let said = it.deploy();
    assert_eq!(said.code, Some(1), "{said:?}");
}

#[test]
fn a_page_is_followed_only_as_it_was_signed() {
    let it = Reviewed::new();
    let follow = |code| it.of_page("run", &["--trust", "trust.yaml"], code).err;
    assert!(follow(1).contains("deploy-lead: nobody has signed"));
    let it = Reviewed::signed();
    let follow = |code| it.of_page("run", &["--trust", "trust.yaml"], code).err;
    let page = it.page();
    it.write(
        "page.md",
        &page.replace("- users report a fault", "- users report faults"),
    );
    assert!(follow(1).contains("void, it was changed after ada signed"));
    it.write("page.md", &page);
    // Nobody answers, so that it is left as it is.
    assert!(follow(3).contains("the page is signed by ada (deploy-lead)"));
}
