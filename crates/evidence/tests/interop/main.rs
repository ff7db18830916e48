//! Our envelopes before in-toto's reference implementation, and its envelopes before us.
//!
//! The Python packages are installed once, below the target folder, in the versions that
//! `requirements.txt` pins. Without Python, pip or a registry the test is not run, unless
//! `NONEVENT_REQUIRE_ALL` is set: then it fails.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nonevent_document::{Digest, Timestamp};
use nonevent_evidence::{
    Approval, Envelope, EvidenceErrorKind, Predicate, SigningKey, Statement, TrustPolicy,
    TrustedKey, VerifyingKey, predicate_type,
};
use serde_json::{Value, json};

const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop");
const REQUIREMENTS: &str = include_str!("requirements.txt");

/// The folder with the packages, or why there is none.
fn installed() -> Result<PathBuf, String> {
    let version = Command::new("python3").arg("--version").output();
    let version = version.map_err(|error| format!("python3: {error}"))?;
    let made_for = [REQUIREMENTS.as_bytes(), &version.stdout].concat();
    let name = format!("in-toto-{}", &Digest::of(&made_for).hex()[..16]);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.is_dir() {
        return Ok(folder);
    }
    // Two runs at once each install their own, and the first one stays.
    let mine = folder.with_extension(std::process::id().to_string());
    let pip = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--no-input", "--no-deps"])
        .args(["--disable-pip-version-check", "--only-binary=:all:"])
        .arg("--target")
        .arg(&mine)
        .arg("--requirement")
        .arg(Path::new(HERE).join("requirements.txt"))
        .output()
        .map_err(|error| format!("pip: {error}"))?;
    if !pip.status.success() {
        return Err(format!("pip: {}", String::from_utf8_lossy(&pip.stderr)));
    }
    if std::fs::rename(&mine, &folder).is_err() {
        std::fs::remove_dir_all(&mine).map_err(|error| error.to_string())?;
    }
    Ok(folder)
}

/// What the reference implementation answers.
fn ask(packages: &Path, question: &Value) -> Value {
    let mut python = Command::new("python3")
        .arg(Path::new(HERE).join("peer.py"))
        .env("PYTHONPATH", packages)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it ran a moment ago");
    let mut stdin = python.stdin.take().expect("piped");
    stdin
        .write_all(question.to_string().as_bytes())
        .expect("it reads");
    drop(stdin);
    let answer = python.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&answer.stderr);
    assert!(answer.status.success(), "{said}");
    serde_json::from_slice(&answer.stdout).expect("JSON")
}

fn now() -> Timestamp {
    "2026-01-05T10:00:00Z".parse().expect("a time")
}

fn statement() -> Statement {
    let plan = Digest::of(b"a plan");
    let approval = Predicate::Approval(Approval {
        plan,
        by: "R. Okaf\u{f6}r \u{1f6e0}".into(),
        role: "deploy lead".into(),
        at: now(),
        comment: "\u{7f} \\ \" \n <&>".into(),
    });
    Statement::about("plan", plan, approval)
}

fn case(envelope: &Envelope, key: &VerifyingKey) -> Value {
    json!({ "envelope": envelope, "keyid": key.id(), "pem": key.to_pem() })
}

fn their_key(signed: &Value) -> VerifyingKey {
    if let Some(pem) = signed["pem"].as_str() {
        return VerifyingKey::from_pem(pem).expect("a key");
    }
    let digits = signed["raw"].as_str().expect("digits").as_bytes();
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        let pair = std::str::from_utf8(pair).expect("ASCII");
        *byte = u8::from_str_radix(pair, 16).expect("two digits");
    }
    VerifyingKey::from_bytes(&bytes).expect("a key")
}

#[test]
fn the_reference_implementation_and_we_verify_each_other() {
    let packages = match installed() {
        Ok(packages) => packages,
        Err(why) => {
            let required = std::env::var_os("NONEVENT_REQUIRE_ALL").is_some();
            assert!(!required, "NONEVENT_REQUIRE_ALL is set, and {why}");
            eprintln!("not run: in-toto for Python cannot be installed: {why}");
            return;
        }
    };
    let (key, other) = (
        SigningKey::from_seed([1; 32]),
        SigningKey::from_seed([2; 32]),
    );
    let good = Envelope::sign(&statement(), &key).expect("a good statement");
    let mut by_two = good.clone();
    by_two.add_signature(&other).expect("signed");
    let mut other_type = good.clone();
    other_type.payload_type.push('x');
    let mut other_payload = good.clone();
    other_payload.payload.replace_range(8..9, "X");
    let mut other_signer = Envelope::sign(&statement(), &other).expect("a good statement");
    other_signer.signatures[0].keyid = key.id().to_string();
    let public = key.verifying_key();
    let cases = [
        (case(&good, &public), true),
        (case(&by_two, &public), true),
        (case(&by_two, &other.verifying_key()), true),
        (case(&other_type, &public), false),
        (case(&other_payload, &public), false),
        (case(&other_signer, &public), false),
    ];
    let verify: Vec<&Value> = cases.iter().map(|(case, _)| case).collect();
    let payload = statement().to_json().expect("a good statement");
    let answer = ask(&packages, &json!({ "verify": verify, "payload": payload }));

    let verdicts: Vec<bool> = cases.iter().map(|(_, is_good)| *is_good).collect();
    assert_eq!(
        answer["verified"],
        json!(verdicts),
        "what we signed, by them"
    );

    let signed = answer["signed"].as_array().expect("a list");
    assert_eq!(signed.len(), 5);
    for signed in signed {
        let name = &signed["name"];
        let bytes = signed["envelope"].to_string();
        let envelope = Envelope::from_json(bytes.as_bytes()).expect("an envelope");
        let theirs = their_key(signed);
        let may = vec![predicate_type::APPROVAL.into()];
        let trusted = TrustedKey::new(theirs, may, "theirs");
        let policy = TrustPolicy::new(vec![trusted]);
        let verified = envelope.verify(&policy, now());
        if name == "link" {
            // Signed well; only it is another kind of in-toto's documents.
            let refused = verified.expect_err("not a statement");
            assert_eq!(refused.kind(), EvidenceErrorKind::Statement, "{refused}");
        } else {
            let verified = verified.expect("signed by them");
            assert_eq!(verified.statement, statement(), "{name}");
            assert_eq!(verified.key_id, theirs.id(), "{name}");
        }
        let mut changed = envelope;
        changed.payload.replace_range(8..9, "X");
        let refused = changed.verify(&policy, now()).expect_err("changed");
        assert_eq!(refused.kind(), EvidenceErrorKind::UnknownKey, "{name}");
    }
}
