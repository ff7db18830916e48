//! Reading HAProxy's tables: state of servers, counters, process and map.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{FULL_WEIGHT, Haproxy, Split, Traffic, shown, unreadable};
use crate::{Instance, Observed, RouterError, Tallies};

/// A server as `show servers state` has it.
pub(super) struct State {
    address: String,
    weight: u64,
    takes: bool,
}

/// A server as `show stat` has it.
#[derive(Default)]
pub(super) struct Counts {
    requests: u64,
    finished: u64,
    errors: u64,
    connect_failures: u64,
    abandoned: u64,
    in_flight: u64,
}

/// The number of the process and when it started, from `show info`.
pub(super) fn started(text: &str) -> Result<String, RouterError> {
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            .filter(|value| !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()))
            .ok_or_else(|| unreadable(format!("HAProxy's `show info` has no {name}")))
    };
    Ok(format!("{}.{}", field("Pid")?, field("Start_time_sec")?))
}

fn number(what: &str, text: &str) -> Result<u64, RouterError> {
    text.parse()
        .map_err(|_| unreadable(format!("HAProxy's {what} `{}` is no number", shown(text))))
}

/// The value of a row under the title of a column.
fn cell<'a>(titles: &[String], row: &'a [String], title: &str) -> Result<&'a str, RouterError> {
    titles
        .iter()
        .position(|given| given == title)
        .and_then(|at| row.get(at))
        .map(String::as_str)
        .ok_or_else(|| unreadable(format!("HAProxy's reply has no {title}")))
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(Into::into).collect()
}

/// `show servers state`, format 1: by `backend/server`.
pub(super) fn server_states(
    text: &str,
    into: &mut BTreeMap<String, State>,
) -> Result<(), RouterError> {
    let mut lines = text.lines();
    let (version, titles) = (lines.next(), lines.next());
    let titles = titles.and_then(|line| line.strip_prefix("# ")).map(words);
    let (Some("1"), Some(titles)) = (version, titles) else {
        let first = shown(version.unwrap_or_default());
        return Err(unreadable(format!(
            "HAProxy's `show servers state` says `{first}`, not format 1"
        )));
    };
    for line in lines.filter(|line| !line.is_empty()) {
        let row = words(line);
        let get = |title| cell(&titles, &row, title);
        let count = |title| number(title, get(title)?);
        let host = get("srv_addr")?;
        let port = count("srv_port")?;
        let state = State {
            address: match host.contains(':') {
                true => format!("[{host}]:{port}"),
                false => format!("{host}:{port}"),
            },
            weight: count("srv_uweight")?,
            // Not asked to drain or rest, and not found dead by a check.
            takes: count("srv_admin_state")? == 0 && count("srv_op_state")? != 0,
        };
        let name = format!("{}/{}", get("be_name")?, get("srv_name")?);
        if into.insert(name, state).is_some() {
            return Err(unreadable("HAProxy names a server twice".into()));
        }
    }
    Ok(())
}

/// One line of comma-separated values (RFC 4180): a quoted value may hold commas, and a quote
/// written twice.
fn values(line: &str) -> Vec<String> {
    let mut values = Vec::new();
    let mut value = String::new();
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                value.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => values.push(core::mem::take(&mut value)),
            c => value.push(c),
        }
    }
    values.push(value);
    values
}

/// `show stat`: by `backend/server`.
pub(super) fn server_counts(
    text: &str,
    into: &mut BTreeMap<String, Counts>,
) -> Result<(), RouterError> {
    let mut lines = text.lines();
    let titles = lines.next().and_then(|line| line.strip_prefix("# "));
    let Some(titles) = titles.map(values) else {
        let first = shown(text.lines().next().unwrap_or_default());
        return Err(unreadable(format!(
            "HAProxy's `show stat` says `{first}`, not a table"
        )));
    };
    for line in lines.filter(|line| !line.is_empty()) {
        let row = values(line);
        let get = |title| cell(&titles, &row, title);
        // An empty value is a count that does not exist for this kind of section.
        let count = |title| match get(title)? {
            "" => Ok(0),
            text => number(title, text),
        };
        let server = get("svname")?;
        if matches!(server, "FRONTEND" | "BACKEND") {
            continue;
        }
        // A retry on the same server is a session once more. Whatever is neither going on nor
        // given up has ended: the answers by class do not tell, for one that breaks off after its
        // head is counted there and as a broken one.
        let requests = count("stot")?.saturating_sub(count("wretr")?);
        let (in_flight, abandoned) = (count("scur")?, count("cli_abrt")?);
        let finished = requests.saturating_sub(in_flight.saturating_add(abandoned));
        // A request that could not be connected and went to another server is no connect error of
        // this one, only a redispatch.
        let connect_failures = count("econ")?.saturating_add(count("wredis")?);
        let errors = [count("hrsp_5xx")?, count("eresp")?, connect_failures];
        let errors = errors.into_iter().fold(0, u64::saturating_add);
        let counts = Counts {
            requests,
            finished,
            // An answer of 500 that breaks off is both.
            errors: errors.min(finished),
            connect_failures,
            abandoned,
            in_flight,
        };
        into.insert(format!("{}/{server}", get("pxname")?), counts);
    }
    Ok(())
}

/// `show map`: lines of an address in memory, the key and the value.
pub(super) fn share_in_map(text: &str, key: &str) -> Result<Split, RouterError> {
    let value = text.lines().find_map(|line| {
        let mut words = line.splitn(3, ' ');
        let (_, given, value) = (words.next(), words.next()?, words.next()?);
        (given == key).then_some(value)
    });
    value
        .and_then(|value| value.parse().ok())
        .and_then(Split::canary)
        .ok_or_else(|| {
            unreadable(format!(
                "HAProxy's map has no number of 0 to {FULL_WEIGHT} for `{key}`: `{}`",
                shown(value.unwrap_or(text.trim()))
            ))
        })
}

/// The servers that are configured here, with what both tables say of them.
pub(super) fn join(
    haproxy: &Haproxy,
    states: &BTreeMap<String, State>,
    counts: &BTreeMap<String, Counts>,
) -> Result<Observed, RouterError> {
    let mut instances = Vec::new();
    let mut tallies = Tallies::default();
    let mut weights = [0u64; 2];
    for slot in &haproxy.config.slots {
        let name = haproxy.server(slot);
        let missing = || unreadable(format!("HAProxy says nothing of server `{name}`"));
        let state = states.get(&name).ok_or_else(missing)?;
        let count = counts.get(&name).ok_or_else(missing)?;
        if state.takes {
            let weight = &mut weights[slot.arm.index()];
            *weight = weight.saturating_add(state.weight);
        }
        let tally = tallies.of_mut(slot.arm);
        let add = |to: &mut u64, more: u64| *to = to.saturating_add(more);
        add(&mut tally.requests, count.requests);
        add(&mut tally.finished, count.finished);
        add(&mut tally.errors, count.errors);
        add(
            tally.connect_failures.get_or_insert(0),
            count.connect_failures,
        );
        add(tally.abandoned.get_or_insert(0), count.abandoned);
        add(tally.in_flight.get_or_insert(0), count.in_flight);
        instances.push(Instance {
            arm: slot.arm,
            address: state.address.clone(),
            takes: state.takes,
            in_flight: Some(count.in_flight),
        });
    }
    let ours = |name: &String| {
        let mut slots = haproxy.config.slots.iter();
        slots.any(|slot| haproxy.server(slot) == *name)
    };
    let foreign =
        |(name, state): &(&String, &State)| state.takes && state.weight > 0 && !ours(name);
    if let Some((name, _)) = states.iter().find(foreign) {
        return Err(unreadable(format!(
            "server `{}` takes traffic and belongs to no version",
            shown(name)
        )));
    }
    instances.sort();
    let [stable, canary] = weights;
    Ok(Observed {
        traffic: Traffic::of(stable, canary),
        instances: Some(instances),
        tallies: Some(tallies),
        ..Observed::NOTHING
    })
}
