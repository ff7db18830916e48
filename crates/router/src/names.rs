//! Names, paths and addresses that may enter a router's commands and files: what could be read as
//! anything but a name is refused, so that no text can become a second command.

use alloc::format;
use alloc::string::String;
use core::net::SocketAddr;

use crate::{RouterError, RouterErrorKind};

/// The longest name of a server, cluster, service, map key, header and so on, in bytes.
pub const NAME_BYTES_MAX: usize = 128;

/// The longest path of a file or socket, in bytes.
pub const PATH_BYTES_MAX: usize = 1_024;

/// The longest argument of a command, in bytes.
pub const ARGUMENT_BYTES_MAX: usize = 1_024;

/// The most arguments of a command, the program included.
pub const ARGUMENTS_MAX: usize = 32;

pub(crate) fn refused(why: String) -> RouterError {
    RouterError::new(RouterErrorKind::Refused, why)
}

/// A name: letters, digits, `_`, `.` and `-` in ASCII, and neither `-` nor `.` first.
pub(crate) fn name(what: &str, text: &str) -> Result<(), RouterError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let first = text.chars().next().filter(|c| !matches!(c, '-' | '.'));
    if first.is_some() && text.len() <= NAME_BYTES_MAX && text.chars().all(fits) {
        return Ok(());
    }
    Err(refused(format!(
        "{what} `{}`: write 1 to {NAME_BYTES_MAX} ASCII letters, digits, `_`, `.` or `-`, and no `-` or `.` first",
        shown(text)
    )))
}

/// A name that is a variable in a language where `.` and `-` mean something.
pub(crate) fn word(what: &str, text: &str) -> Result<(), RouterError> {
    name(what, text)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if text.chars().all(fits) {
        return Ok(());
    }
    Err(refused(format!(
        "{what} `{text}`: write ASCII letters, digits and `_` only"
    )))
}

/// The name of a header field: letters, digits and `-`. RFC 9110 allows more, of which servers drop
/// some in silence.
pub(crate) fn header(text: &str) -> Result<(), RouterError> {
    name("header", text)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if text.chars().all(fits) {
        return Ok(());
    }
    Err(refused(format!(
        "header `{text}`: write ASCII letters, digits and `-` only"
    )))
}

/// An absolute path without `..`, of letters, digits and `_.-+@=,/`.
pub(crate) fn path(what: &str, text: &str) -> Result<(), RouterError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.-+@=,/".contains(c);
    let climbs = text.split('/').any(|part| part == "..");
    let names_a_file = text.starts_with('/') && !text.ends_with('/');
    if names_a_file && text.len() <= PATH_BYTES_MAX && text.chars().all(fits) && !climbs {
        return Ok(());
    }
    Err(refused(format!(
        "{what} `{}`: write an absolute path of at most {PATH_BYTES_MAX} bytes, of ASCII letters, digits and `_.-+@=,/`, without `..`",
        shown(text)
    )))
}

/// Where an HTTP interface listens: `http://` or `https://`, a host, perhaps a port, and no path.
pub(crate) fn origin(what: &str, text: &str) -> Result<(), RouterError> {
    let host = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"))
        .unwrap_or_default();
    let fits = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
    if !host.is_empty() && host.len() <= NAME_BYTES_MAX && host.chars().all(fits) {
        return Ok(());
    }
    Err(refused(format!(
        "{what} `{}`: write a scheme, host and port such as http://127.0.0.1:2019, without a path",
        shown(text)
    )))
}

/// A command as an argument vector: no shell reads it, so all but control characters is allowed.
pub(crate) fn command(what: &str, argv: &[String]) -> Result<(), RouterError> {
    let fits = |argument: &String| {
        argument.len() <= ARGUMENT_BYTES_MAX && !argument.chars().any(char::is_control)
    };
    let program = argv.first().is_some_and(|program| !program.is_empty());
    if program && argv.len() <= ARGUMENTS_MAX && argv.iter().all(fits) {
        return Ok(());
    }
    Err(refused(format!(
        "{what}: write a program and at most {} arguments, each of at most {ARGUMENT_BYTES_MAX} bytes and without control characters",
        ARGUMENTS_MAX - 1
    )))
}

/// An instance's address, which every dialect writes in its own way.
pub(crate) fn address(text: &str) -> Result<SocketAddr, RouterError> {
    text.parse().map_err(|_| {
        refused(format!(
            "address `{}` is not an IP address and port such as 127.0.0.1:8080",
            shown(text)
        ))
    })
}

/// Foreign text for an error message: escaped and cut, so that it can neither forge lines nor
/// flood a log.
pub(crate) fn shown(text: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 200;
    let mut shown = String::new();
    for (at, c) in text.chars().enumerate() {
        match c {
            _ if at == SHOWN_CHARS_MAX => {
                shown.push('…');
                break;
            }
            '\'' | '"' => shown.push(c),
            c => shown.extend(c.escape_debug()),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_more_than_a_name_is_refused() {
        for good in ["shop", "shop-canary_2.eu", "0"] {
            assert!(name("server", good).is_ok(), "{good}");
        }
        let long = "a".repeat(NAME_BYTES_MAX + 1);
        for bad in [
            "", "-x", ".x", "a b", "a;b", "a/b", "a\nb", "a$b", "ä", "{{x}}", &long,
        ] {
            let error = name("server", bad).expect_err("not a name");
            assert_eq!(error.kind(), RouterErrorKind::Refused);
            assert!(!format!("{error}").contains('\n'));
        }
        assert!(word("variable", "shop_arm").is_ok());
        assert!(word("variable", "shop-arm").is_err());
        assert!(header("x-canary").is_ok());
        assert!(header("x_canary").is_err() && header("x.canary").is_err());
    }

    #[test]
    fn what_could_be_more_than_a_path_is_refused() {
        for good in ["/etc/haproxy/share.map", "/a"] {
            assert!(path("file", good).is_ok(), "{good}");
        }
        for bad in [
            "", "a", "/", "/a/", "/a/../b", "/a b", "/a;b", "/a\0", "/a'",
        ] {
            assert!(path("file", bad).is_err(), "{bad}");
        }
        for good in ["http://127.0.0.1:2019", "https://[::1]:1", "http://admin"] {
            assert!(origin("admin", good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "http://",
            "ftp://a",
            "http://a/b",
            "http://a@b",
            "http://a b",
        ] {
            assert!(origin("admin", bad).is_err(), "{bad}");
        }
        assert!(command("reload", &["nginx".into(), "-s".into()]).is_ok());
        assert!(command("reload", &[]).is_err());
        assert!(command("reload", &["a\nb".into()]).is_err());
        assert!(command("reload", &alloc::vec![String::from("a"); ARGUMENTS_MAX + 1]).is_err());
    }
}
