//! Builds every example and runs those that can run unattended.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Failure;
use crate::invocation::Invocation;

/// Examples that are built but not run, and why.
const NOT_RUN: &[(&str, &str)] = &[(
    "nonevent-flags::conformance",
    "takes a vendor's suite, which is not part of this repository",
)];

/// How long an example may take.
const LIMIT: Duration = Duration::from_secs(20);

/// Builds all examples, runs them one after the other, and says what was not run.
///
/// # Errors
///
/// When one does not build, does not exit with 0, or does not end in time.
pub(crate) fn run(root: &Path) -> Result<(usize, Vec<String>), Failure> {
    let mut examples = BTreeMap::new();
    Invocation::cargo(&["build", "--workspace", "--all-features", "--examples"])
        .arg("--message-format=json-render-diagnostics")
        .run_lines(root, |line| examples.extend(built(line)))?;
    let mut not_run = Vec::new();
    for (name, program) in &examples {
        if let Some((_, why)) = NOT_RUN.iter().find(|(n, _)| n == name) {
            not_run.push(format!("example {name}: {why}"));
            continue;
        }
        let started = Instant::now();
        end(program, root, LIMIT).map_err(|how| {
            let (package, example) = name.split_once("::").unwrap_or(("", name));
            let again = Invocation::cargo(&["run", "--package", package, "--example", example]);
            Failure::No(format!(
                "example {name} {how}; to run it again:\n    {again}"
            ))
        })?;
        println!(
            "example {name} ok, {:.1} s",
            started.elapsed().as_secs_f64()
        );
    }
    Ok((examples.len() - not_run.len(), not_run))
}

/// The example that this line of cargo's output says was built: `package::name` and its program.
fn built(line: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(line).ok()?;
    let target = &message["target"];
    if message["reason"] != "compiler-artifact" || target["kind"][0] != "example" {
        return None;
    }
    let program = message["executable"].as_str()?;
    // `path+file:///…/crates/flags#nonevent-flags@0.1.0`, or `…#0.1.0` where the folder says it.
    let (path, id) = message["package_id"].as_str()?.rsplit_once('#')?;
    let package = match id.split_once('@') {
        Some((name, _)) => name,
        None => path.rsplit('/').next()?,
    };
    let name = target["name"].as_str()?;
    Some((format!("{package}::{name}"), PathBuf::from(program)))
}

/// Runs a program to its end; its output is shown only where it fails.
fn end(program: &Path, root: &Path, limit: Duration) -> Result<(), String> {
    let mut child = Command::new(program)
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cannot be started: {e}"))?;
    // Both pipes are read all along: a program that fills one would wait for us.
    let out = child.stdout.take().map(read);
    let err = child.stderr.take().map(read);
    let how = wait(&mut child, limit);
    if how.is_err() {
        for text in [out, err].into_iter().flatten() {
            print!("{}", text.join().unwrap_or_default());
        }
    }
    how
}

fn read(mut from: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is still worth showing.
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn wait(child: &mut Child, limit: Duration) -> Result<(), String> {
    let until = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("ended with {status}")),
            Ok(None) if Instant::now() < until => thread::sleep(Duration::from_millis(10)),
            Ok(None) => {
                // It may have ended on its own in between.
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("has not ended after {} s", limit.as_secs()));
            }
            Err(e) => return Err(format!("cannot be waited for: {e}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(text: &str, limit_ms: u64) -> Result<(), String> {
        let dir = std::env::temp_dir().join(format!("xtask-example-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("the folder for temporary files is writable");
        let program = dir.join(format!("{limit_ms}-{}", text.len()));
        std::fs::write(&program, format!("#!/bin/sh\n{text}\n")).expect("so is one in it");
        let made = Command::new("chmod").arg("+x").arg(&program).status();
        assert!(made.is_ok_and(|s| s.success()));
        let how = end(&program, &dir, Duration::from_millis(limit_ms));
        std::fs::remove_file(&program).expect("it was just written");
        how
    }

    #[test]
    fn only_exit_0_in_time_counts() {
        assert_eq!(shell("echo fine", 5_000), Ok(()));
        assert_eq!(
            shell("echo no >&2; exit 3", 5_000),
            Err("ended with exit status: 3".to_owned())
        );
        assert_eq!(
            shell("exec sleep 60", 100),
            Err("has not ended after 0 s".to_owned())
        );
    }

    #[test]
    fn cargo_names_examples() {
        let line = r#"{"reason":"compiler-artifact","package_id":"path+file:///x/crates/flags#nonevent-flags@0.1.0","target":{"kind":["example"],"name":"serve"},"executable":"/t/serve"}"#;
        let example = (
            "nonevent-flags::serve".to_owned(),
            PathBuf::from("/t/serve"),
        );
        assert_eq!(built(line), Some(example.clone()));
        let same_name = line.replace("flags#nonevent-flags@", "nonevent#");
        assert_eq!(
            built(&same_name),
            Some(("nonevent::serve".to_owned(), example.1))
        );
        assert_eq!(built(&line.replace("\"example\"", "\"lib\"")), None);
        assert_eq!(built("   Compiling x"), None);
    }
}
