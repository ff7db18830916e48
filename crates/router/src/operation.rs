//! What is to be done at a router, as values: bytes for a socket, HTTP requests, files and commands.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use nonevent_page::escape::shell_word;

use crate::{Method, Request};

/// One thing to do at a router. Whoever does it gives back a [`Reply`] of the same kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Connect to a Unix socket, send the text, and read until the other side closes.
    Say {
        /// The socket's path.
        socket: String,
        /// What to send: one line with its line feed.
        text: String,
    },
    /// Send an HTTP request.
    Send {
        /// Scheme, host and port, such as `http://127.0.0.1:2019`.
        origin: String,
        /// The request.
        request: Request,
    },
    /// Replace a file as a whole: write a new one beside it, sync, and rename it into place, so
    /// that no reader ever sees half of it. Whoever does it keeps the former content until the
    /// operations that follow are acknowledged, and puts it back if one is refused.
    Write {
        /// The file's path.
        path: String,
        /// Its whole new content, which ends with a line feed.
        content: String,
    },
    /// Run a program, without a shell.
    Run {
        /// The program and its arguments.
        argv: Vec<String>,
    },
}

/// What came of an [`Operation`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reply {
    /// All that was read from the socket.
    Said(Vec<u8>),
    /// An HTTP answer.
    Answered {
        /// The status code, 100 to 599.
        status: u16,
        /// Header fields; names in any case.
        headers: Vec<(String, String)>,
        /// The content.
        body: Vec<u8>,
    },
    /// The file is in place.
    Written,
    /// The program ended.
    Ran {
        /// Its exit code; absent if a signal ended it.
        code: Option<i32>,
        /// What it wrote to standard output and standard error.
        output: Vec<u8>,
    },
}

/// A command as a person types it: an argument vector, and what it reads from standard input.
///
/// `Display` writes it for a POSIX shell, quoted, with standard input as a here-document.
///
/// ```
/// use nonevent_router::Command;
/// let command = Command::new(["nginx", "-s", "reload"]);
/// assert_eq!(command.to_string(), "nginx -s reload");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Command {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// What it reads from standard input, whole lines; absent for nothing.
    pub input: Option<String>,
}

impl Command {
    /// A command that reads nothing.
    pub fn new<A: Into<String>>(argv: impl IntoIterator<Item = A>) -> Command {
        Command {
            argv: argv.into_iter().map(Into::into).collect(),
            input: None,
        }
    }

    /// The same command with lines for its standard input. A line feed is added where the last
    /// line has none.
    #[must_use]
    pub fn reading(self, input: impl Into<String>) -> Command {
        let mut input = input.into();
        if !input.ends_with('\n') {
            input.push('\n');
        }
        Command {
            input: Some(input),
            ..self
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.argv.iter().map(|word| shell_word(word)).collect();
        f.write_str(&words.join(" "))?;
        let Some(input) = &self.input else {
            return Ok(());
        };
        let mut end = "END".to_owned();
        while input.lines().any(|line| line == end) {
            end.push('_');
        }
        write!(f, " <<'{end}'\n{input}{end}")
    }
}

impl Operation {
    /// The same by hand: `socat` for a socket, `curl` for HTTP, `tee` and `mv` for a file.
    #[must_use]
    pub fn commands(&self) -> Vec<Command> {
        match self {
            Operation::Say { socket, text } => {
                let to = format!("UNIX-CONNECT:{socket}");
                vec![Command::new(["socat", "-t", "5", "-", &to]).reading(text.as_str())]
            }
            Operation::Send { origin, request } => vec![curl(origin, request)],
            Operation::Write { path, content } => {
                let new = format!("{path}.new");
                vec![
                    Command::new(["tee", &new]).reading(content.as_str()),
                    Command::new(["mv", &new, path]),
                ]
            }
            Operation::Run { argv } => vec![Command::new(argv.iter().cloned())],
        }
    }
}

fn curl(origin: &str, request: &Request) -> Command {
    let mut argv: Vec<String> = ["curl", "-sS", "--fail-with-body"]
        .map(ToOwned::to_owned)
        .into();
    if request.method != Method::Get {
        argv.push("-X".to_owned());
        argv.push(request.method.to_string());
    }
    for (name, value) in &request.headers {
        argv.push("-H".to_owned());
        argv.push(format!("{name}: {value}"));
    }
    if !request.body.is_empty() {
        argv.push("--data-raw".to_owned());
        argv.push(String::from_utf8_lossy(&request.body).into_owned());
    }
    argv.push(format!("{origin}{}", request.path));
    Command { argv, input: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_quoted_and_its_input_cannot_end_early() {
        let command = Command::new(["tee", "a file"]).reading("x\nEND\ny");
        assert_eq!(
            command.to_string(),
            "tee 'a file' <<'END_'\nx\nEND\ny\nEND_"
        );
        let operation = Operation::Send {
            origin: "http://127.0.0.1:1".to_owned(),
            request: Request {
                method: Method::Patch,
                path: "/a?b=c&d=e".to_owned(),
                headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                body: b"[1]".to_vec(),
            },
        };
        assert_eq!(
            operation.commands()[0].to_string(),
            "curl -sS --fail-with-body -X PATCH -H 'content-type: application/json' \
             --data-raw '[1]' 'http://127.0.0.1:1/a?b=c&d=e'"
        );
    }
}
