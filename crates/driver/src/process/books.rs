//! The instances that a fleet has in its books, and what follows from them.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::time::{SystemTime, UNIX_EPOCH};

use nonevent_router::Arm;

use super::entry::Entry;
use super::marked::Marked;
use super::record::{Record, Records};
use crate::fleet::InstanceId;

/// How often a free port is looked for that no instance of the fleet has.
const PORT_TRIES: u32 = 100;

/// The instances by name.
pub(super) type Books = BTreeMap<InstanceId, Entry>;

pub(super) fn now_unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

/// Takes a process that carries the fleet's marker into the books, unless the one on record lives.
pub(super) fn adopt(entries: &mut Books, records: &Records, marked: Marked) -> io::Result<()> {
    let (Ok(id), Some(port), true) = (marked.name.parse::<InstanceId>(), marked.port, marked.leads)
    else {
        return Ok(());
    };
    if entries.get(&id).is_some_and(|entry| !entry.has_exited()) {
        return Ok(());
    }
    let record = Record {
        id,
        process: marked.process,
        port,
        version: marked.version.unwrap_or_default(),
        started_unix_ms: now_unix_ms(),
    };
    records.write(&record)?;
    entries.insert(id, Entry::found(record));
    Ok(())
}

/// A port that was free a moment ago and that no instance has. Another process may take it before
/// the instance does; the instance then exits or never gets well, and another is started.
pub(super) fn free_port(entries: &Books) -> io::Result<u16> {
    for _ in 0..PORT_TRIES {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        if entries.values().all(|entry| entry.record.port != port) {
            return Ok(port);
        }
    }
    Err(io::Error::new(
        io::ErrorKind::AddrInUse,
        "every free port found belongs to an instance already",
    ))
}

/// The instances of an arm beyond `count`, in the order in which they shall go.
pub(super) fn beyond(entries: &Books, arm: Arm, count: u32) -> Vec<InstanceId> {
    let mut present: Vec<_> = entries
        .iter()
        .filter(|(id, entry)| id.arm == arm && entry.is_present())
        .map(|(id, entry)| (entry.is_ready(), *id))
        .collect();
    // Unready before ready, high numbers before low ones.
    present.sort_by_key(|(ready, id)| (*ready, std::cmp::Reverse(id.number)));
    let surplus = present.len().saturating_sub(count as usize);
    present
        .into_iter()
        .take(surplus)
        .map(|(_, id)| id)
        .collect()
}
