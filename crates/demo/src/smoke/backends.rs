//! Which backends are asked, each by itself.

use std::fmt::Display;
use std::fs;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use nonevent::router::Dialect;
use nonevent::smoke::{Backend, Backends};

/// The servers of a router, out of a file with what it says of itself: `haproxy=state.txt#shop`.
pub(super) fn listed_by_router(word: &str) -> Result<Backends, String> {
    let names = || {
        let all = Dialect::ALL.into_iter();
        let listing = all.filter(|it| !matches!(it, Dialect::Embedded | Dialect::GatewayApi));
        listing.map(Dialect::name).collect::<Vec<_>>().join(", ")
    };
    let said = |error: &dyn Display| format!("--backends-from {word:?}: {error}");
    let Some((dialect, place)) = word.split_once('=') else {
        return Err(said(&"write DIALECT=FILE, such as haproxy=state.txt"));
    };
    let dialect = Dialect::by_name(dialect)
        .ok_or_else(|| said(&format_args!("the dialects with a list are {}", names())))?;
    // A file may have `#` in its name; a pool has not.
    let (file, pool) = match place.rsplit_once('#') {
        Some((file, pool)) if fs::metadata(place).is_err() => (file, Some(pool)),
        _ => (place, None),
    };
    let list = fs::read_to_string(file).map_err(|error| said(&format_args!("{file}: {error}")))?;
    let servers = dialect.servers(&list, pool).map_err(|error| said(&error))?;
    let mut listed = Vec::new();
    for server in servers {
        let found = addresses(&server.name, &(server.host.as_str(), server.port));
        listed.extend(found.map_err(|error| said(&format_args!("{}: {error}", server.name)))?);
    }
    Ok(Backends::Listed(listed))
}

pub(super) fn backends(words: &[String]) -> Result<Backends, String> {
    match words {
        [] => return Ok(Backends::Any),
        [word] if word == "every-address" => return Ok(Backends::EveryAddress),
        _ => {}
    }
    let mut listed: Vec<Backend> = Vec::new();
    for word in words {
        let found = backend(word).map_err(|error| {
            format!("--backends {word:?}: {error}: write [NAME=]HOST:PORT, or every-address alone")
        })?;
        for backend in found {
            if listed.iter().any(|it| it.name == backend.name) {
                return Err(format!("--backends: {:?} is named twice", backend.name));
            }
            listed.push(backend);
        }
    }
    Ok(Backends::Listed(listed))
}

/// The backends behind one word: as many as its host has addresses.
fn backend(word: &str) -> io::Result<Vec<Backend>> {
    let (name, place) = word.split_once('=').unwrap_or((word, word));
    addresses(name, place)
}

/// One backend, or one for each address of the host.
fn addresses(name: &str, place: &(impl ToSocketAddrs + ?Sized)) -> io::Result<Vec<Backend>> {
    let mut addresses: Vec<SocketAddr> = place.to_socket_addrs()?.collect();
    addresses.sort_unstable();
    addresses.dedup();
    let called = |text: &dyn Display, address| Backend {
        name: text.to_string(),
        address,
    };
    Ok(match addresses.as_slice() {
        [address] => vec![called(&name, *address)],
        several => {
            let one = |address: &SocketAddr| called(&format_args!("{name} ({address})"), *address);
            several.iter().map(one).collect()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &[&str]) -> Vec<String> {
        text.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn backends_are_named_or_called_by_their_address() {
        assert_eq!(backends(&[]), Ok(Backends::Any));
        let every = backends(&words(&["every-address"]));
        assert_eq!(every, Ok(Backends::EveryAddress));
        let listed = backends(&words(&["a=127.0.0.1:80", "[::1]:81"])).expect("two");
        let at = |name: &str, address: &str| Backend {
            name: name.to_owned(),
            address: address.parse().expect("an address"),
        };
        let wanted = [at("a", "127.0.0.1:80"), at("[::1]:81", "[::1]:81")];
        assert_eq!(listed, Backends::Listed(wanted.into()));
    }

    #[test]
    fn what_is_no_backend_is_refused_with_what_to_write() {
        for bad in [
            &["127.0.0.1"][..],
            &["", "127.0.0.1:80"],
            &["every-address", "127.0.0.1:80"],
        ] {
            let error = backends(&words(bad)).expect_err("no backends");
            assert!(error.contains("write [NAME=]HOST:PORT"), "{error}");
        }
        let error = backends(&words(&["a=127.0.0.1:80", "a=127.0.0.1:81"]));
        assert!(error.is_err_and(|error| error.contains("named twice")));
    }
}
