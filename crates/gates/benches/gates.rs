//! All seven phases over projects of 1 000 to 300 000 files, each in a process of its own, against a
//! walk-and-match in Python, interleaved: `cargo xtask bench gates`.
//!
//! Prints times, the memory of the process, and how often as fast it is. Of several rounds the quickest
//! counts, since others use the machine as well.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use nonevent_document::Timestamp;
use nonevent_gates::{CollectLimits, Context, EvidenceSet, Phase, Policy, Side, collect, evaluate};

const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 300_000];
const ROUNDS: usize = 5;

/// A policy that has to look at every name: nothing can be left out of the walk.
const EVERYWHERE: &str = "apiVersion: nonevent/v1
kind: GatePolicy
name: everywhere
phases:
  - id: one
    title: One
    exit:
      - id: text
        title: There is a text
        why: It is looked for everywhere.
        severity: blocking
        owner: team
        remedy: Write it.
        check:
          files: { include: [\"**/*.rst\", \"**/spec-*.md\"], min_bytes: 2000 }
";

/// What the usual checker does for the same criteria: walk everything, match every name against every
/// pattern of every phase, read what matches.
const PYTHON: &str = r#"
import fnmatch, json, os, sys, time
root, patterns = sys.argv[1], json.loads(sys.argv[2])
began = time.perf_counter()
met = 0
for pattern in patterns:
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in (".git", "node_modules", "target", "vendor")]
        below = os.path.relpath(folder, root)
        for name in files:
            path = name if below == "." else below + "/" + name
            if fnmatch.fnmatch(path, pattern):
                found.append(path)
    for path in found:
        with open(os.path.join(root, path), "rb") as file:
            met += len(file.read()) > 0
print(time.perf_counter() - began)
"#;

fn main() {
    let arguments: Vec<String> = env::args().collect();
    if let Some(at) = arguments.iter().position(|it| it == "--child") {
        child(
            Path::new(&arguments[at + 1]),
            arguments.get(at + 2).is_some(),
        );
        return;
    }
    let place = tempfile::tempdir().expect("a folder");
    let policy = Policy::builtin();
    let patterns = serde_json::to_string(&policy.globs()).expect("texts");
    let own = env::current_exe().expect("its own name");
    println!(
        "all {} phases, {} patterns",
        policy.phases().len(),
        policy.globs().len()
    );
    println!(
        "{:>9} {:>12} {:>12} {:>10} {:>12} {:>8} {:>12} {:>10}",
        "files", "evaluated", "process", "memory", "Python", "ratio", "every name", "memory"
    );
    for size in SIZES {
        let project = project(place.path(), size);
        let mut best = [f64::INFINITY; 4];
        let (mut memory, mut memory_everywhere) = (0, 0);
        for round in 0..ROUNDS {
            let (inside, process, used) = run(&own, &project, false);
            best = [best[0].min(inside), best[1].min(process), best[2], best[3]];
            memory = used;
            let (_, everywhere, used) = run(&own, &project, true);
            best[3] = best[3].min(everywhere);
            memory_everywhere = used;
            // Python takes seconds where this takes milliseconds.
            if round > 0 && size > 10_000 {
                continue;
            }
            let began = Instant::now();
            let mut python = Command::new("python3");
            python.args(["-c", PYTHON]).arg(&project).arg(&patterns);
            if python.output().is_ok_and(|it| it.status.success()) {
                best[2] = best[2].min(began.elapsed().as_secs_f64());
            }
        }
        let [inside, process, python, everywhere] = best.map(|seconds| seconds * 1_000.0);
        let [memory, memory_everywhere] =
            [memory, memory_everywhere].map(|it| f64::from(it) / 1024.0);
        println!(
            "{size:>9} {inside:>9.1} ms {process:>9.1} ms {memory:>6.1} MiB {python:>9.1} ms \
             {:>7.0}x {everywhere:>9.1} ms {memory_everywhere:>6.1} MiB",
            python / process
        );
        fs::remove_dir_all(&project).expect("removed");
    }
}

/// Seconds of the evaluation, seconds of the whole process, and the most memory in KiB.
fn run(own: &Path, project: &Path, everywhere: bool) -> (f64, f64, u32) {
    let began = Instant::now();
    let mut command = Command::new(own);
    command.arg("--child").arg(project);
    if everywhere {
        command.arg("everywhere");
    }
    let output = command.output().expect("it starts");
    let process = began.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&output.stdout);
    let mut words = said.split_whitespace();
    let inside = words.next().and_then(|it| it.parse().ok()).expect("a time");
    let memory = words.next().and_then(|it| it.parse().ok()).expect("a size");
    (inside, process, memory)
}

/// Evaluates every phase and says how long that took, in seconds, and the most memory, in KiB.
fn child(project: &Path, everywhere: bool) {
    let began = Instant::now();
    let policy = if everywhere {
        Policy::parse("everywhere.yaml", EVERYWHERE.as_bytes()).expect("a policy")
    } else {
        Policy::builtin()
    };
    let tree = collect(project, &policy, &CollectLimits::default()).expect("a folder");
    let now = Context::at(Timestamp::from_unix_ms(1_790_000_000_000));
    let mut open = 0;
    for phase in policy.phases().iter().map(Phase::id) {
        let gate = policy.gate(phase, Side::Both).expect("the phase");
        open += usize::from(evaluate(&gate, &tree, &EvidenceSet::default(), &now).is_passed());
    }
    let seconds = began.elapsed().as_secs_f64();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let memory = memory
        .and_then(|it| it.split_whitespace().next())
        .unwrap_or("0");
    println!("{seconds} {memory} {open}");
}

/// A project with so many files: sources, documents, and dependencies that nobody should look into.
fn project(place: &Path, size: usize) -> PathBuf {
    let root = place.join(format!("p{size}"));
    let per_folder = 50;
    for number in 0..size {
        let folder = number / per_folder;
        let top = ["src", "docs", "tests", "packages", "node_modules"][folder % 5];
        let path = root
            .join(top)
            .join(format!("m{}", folder / 40))
            .join(format!("f{folder}"));
        if number % per_folder == 0 {
            fs::create_dir_all(&path).expect("made");
        }
        fs::write(path.join(format!("file{number}.md")), "# Notes\n").expect("written");
    }
    for (name, text) in [
        ("README.md", "# Setup\n"),
        ("docs/prd.md", "# Problem\n"),
        ("docs/deployment-runbook.md", "# Runbook\n"),
    ] {
        fs::write(root.join(name), text).expect("written");
    }
    root
}
