//! A command that shows itself the way a person would type it.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Failure;

/// A program, its arguments and what is added to its environment.
#[derive(Clone)]
pub(crate) struct Invocation {
    program: String,
    args: Vec<String>,
    env: Vec<(&'static str, &'static str)>,
}

impl Invocation {
    /// `cargo` with these arguments.
    pub(crate) fn cargo(args: &[&str]) -> Invocation {
        Invocation {
            program: "cargo".to_owned(),
            args: args.iter().map(|&a| a.to_owned()).collect(),
            env: Vec::new(),
        }
    }

    #[must_use]
    pub(crate) fn arg(mut self, arg: &str) -> Invocation {
        self.args.push(arg.to_owned());
        self
    }

    #[must_use]
    pub(crate) fn env(mut self, key: &'static str, value: &'static str) -> Invocation {
        self.env.push((key, value));
        self
    }

    /// Prints the command and runs it with this process's own streams.
    ///
    /// # Errors
    ///
    /// When it cannot be started or does not exit with 0; the text names the command.
    pub(crate) fn run(&self, root: &Path) -> Result<(), Failure> {
        println!("$ {self}");
        let status = self.command(root).status();
        self.judge(status)
    }

    /// Prints the command and runs it, handing over each line of its standard output.
    ///
    /// # Errors
    ///
    /// As [`Invocation::run`].
    pub(crate) fn run_lines(&self, root: &Path, mut line: impl FnMut(&str)) -> Result<(), Failure> {
        println!("$ {self}");
        let child = self.command(root).stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(|e| self.failure(&e.to_string()))?;
        if let Some(out) = child.stdout.take() {
            for text in BufReader::new(out).split(b'\n').map_while(Result::ok) {
                line(&String::from_utf8_lossy(&text));
            }
        }
        self.judge(child.wait())
    }

    fn command(&self, root: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(root).args(&self.args);
        // `cargo run` has described the package xtask to us in these; build scripts that watch
        // them would run anew, and their crates with them.
        for (key, _) in std::env::vars_os() {
            let key = key.to_string_lossy();
            if key.starts_with("CARGO_PKG_") || key.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&*key);
            }
        }
        command.envs(self.env.iter().copied());
        command
    }

    fn judge(&self, status: std::io::Result<std::process::ExitStatus>) -> Result<(), Failure> {
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(self.failure(&status.to_string())),
            Err(e) => Err(self.failure(&e.to_string())),
        }
    }

    fn failure(&self, how: &str) -> Failure {
        Failure::No(format!("{how}; to run it again:\n    {self}"))
    }
}

impl fmt::Display for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (key, value) in &self.env {
            write!(f, "{key}={} ", quoted(value))?;
        }
        f.write_str(&self.program)?;
        self.args
            .iter()
            .try_for_each(|arg| write!(f, " {}", quoted(arg)))
    }
}

/// The word as a shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_reads_back_in_a_shell() {
        let command = Invocation::cargo(&["test"])
            .arg("--")
            .arg("it's a name")
            .env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(
            command.to_string(),
            "RUSTDOCFLAGS='-D warnings' cargo test -- 'it'\\''s a name'"
        );
    }

    #[test]
    fn a_failing_command_names_itself() {
        let command = Invocation {
            program: "false".to_owned(),
            ..Invocation::cargo(&["x"])
        };
        let Err(Failure::No(text)) = command.run(Path::new(".")) else {
            panic!("false has not failed");
        };
        assert!(text.ends_with("to run it again:\n    false x"), "{text}");
    }

    #[test]
    fn lines_are_handed_over() {
        let command = Invocation {
            program: "printf".to_owned(),
            ..Invocation::cargo(&["one\\ntwo\\n"])
        };
        let mut lines = Vec::new();
        assert!(
            command
                .run_lines(Path::new("."), |l| lines.push(l.to_owned()))
                .is_ok()
        );
        assert_eq!(lines, ["one", "two"]);
    }
}
