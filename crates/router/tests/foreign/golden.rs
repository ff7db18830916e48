//! What is asked of each router, as frozen text, and what each can do.

use std::fmt::Write as _;

use nonevent_router::{
    Abilities, Ability, Arm, Dialect, Granularity, Operation, RouterErrorKind, Split, haproxy,
};

use crate::world::{adapters, by_weights, desired, five_percent, haproxy_config};

fn shown(operation: &Operation) -> String {
    match operation {
        Operation::Say { socket, text } => format!("say {socket}\n{text}"),
        Operation::Send { origin, request } => {
            let mut text = format!("send {} {origin}{}\n", request.method, request.path);
            for (name, value) in &request.headers {
                writeln!(text, "{name}: {value}").unwrap();
            }
            if !request.body.is_empty() {
                writeln!(text, "{}", String::from_utf8_lossy(&request.body)).unwrap();
            }
            text
        }
        Operation::Write { path, content } => format!("write {path}\n{content}"),
        Operation::Run { argv } => format!("run {argv:?}\n"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_asked_is_frozen() {
    for (name, adapter) in adapters() {
        let mark = match name {
            "caddy" => Some("\"/config/apps c719c566b4676702\""),
            "gateway-api" => Some("4711"),
            _ => None,
        };
        let mut text = String::new();
        let mut part = |title: &str, operations: &[Operation]| {
            writeln!(text, "## {title}\n").unwrap();
            for operation in operations {
                writeln!(text, "{}", shown(operation)).unwrap();
            }
        };
        part("5 %", &adapter.set(&five_percent(), mark).unwrap());
        part(
            "all to the canary",
            &adapter.set(&desired(Split::CANARY), mark).unwrap(),
        );
        let mut alone = desired(Split::STABLE);
        alone.pools.canary.clear();
        part("without a canary", &adapter.set(&alone, mark).unwrap());
        match adapter.set(&desired(Split::Closed), mark) {
            Ok(operations) => part("closed", &operations),
            Err(error) => {
                assert_eq!(error.kind(), RouterErrorKind::Refused);
                assert!(!adapter.abilities().closes, "{name}");
                writeln!(text, "## closed\n\n{error}\n").unwrap();
            }
        }
        let mut part = |title: &str, operations: &[Operation]| {
            writeln!(text, "## {title}\n").unwrap();
            for operation in operations {
                writeln!(text, "{}", shown(operation)).unwrap();
            }
        };
        part("read", &adapter.read());
        insta::assert_snapshot!(format!("asked-{name}"), text);
    }
}

#[test]
fn what_a_person_types_is_frozen() {
    for (name, adapter) in adapters() {
        let mut text = String::new();
        for command in adapter.commands(&five_percent()).unwrap() {
            writeln!(text, "{command}").unwrap();
        }
        writeln!(text, "\n# and then").unwrap();
        for command in adapter.read_commands() {
            writeln!(text, "{command}").unwrap();
        }
        insta::assert_snapshot!(format!("typed-{name}"), text);
    }
}

#[test]
fn sessions_are_ended_by_version() {
    let haproxy = haproxy::Haproxy::new(haproxy_config(by_weights())).unwrap();
    let operations = haproxy.end_sessions(Arm::Canary);
    let expected = "say /run/haproxy/admin.sock\nshutdown sessions server shop/canary-1;\
                    shutdown sessions server shop/canary-2\n";
    assert_eq!(operations.iter().map(shown).collect::<String>(), expected);
}

#[test]
fn many_servers_take_several_lines() {
    let mut config = haproxy_config(by_weights());
    config.slots = (0..1_000)
        .map(|number| haproxy::Slot {
            arm: Arm::Stable,
            id: format!("stable-{number}"),
            server: format!("stable-{number}"),
        })
        .collect();
    let haproxy = haproxy::Haproxy::new(config).unwrap();
    let lines = haproxy.end_sessions(Arm::Stable);
    let mut commands = 0;
    for line in &lines {
        let Operation::Say { text, .. } = line else {
            panic!("{line:?}");
        };
        assert!(text.len() <= haproxy::LINE_BYTES_MAX);
        commands += text.split(';').count();
    }
    assert_eq!((commands, lines.len() > 1), (1_000, true));
}

/// The abilities as a table: the columns are the dialects, in order.
#[test]
fn what_each_router_can_do_is_frozen() {
    let dialects = Dialect::ALL.map(|dialect| (dialect.name(), dialect.abilities()));
    let mut table = String::new();
    let mut row = |title: &str, cell: &dyn Fn(&Abilities) -> String| {
        write!(table, "{title:<44}").unwrap();
        for (name, abilities) in &dialects {
            write!(
                table,
                " {:<width$}",
                cell(abilities),
                width = name.len().max(13)
            )
            .unwrap();
        }
        table.truncate(table.trim_end().len());
        table.push('\n');
    };
    row("", &|abilities| {
        let mut found = dialects.iter();
        found
            .find(|(_, other)| std::ptr::eq(other, abilities))
            .unwrap()
            .0
            .into()
    });
    row("granularity", &|abilities| {
        format!("{:?}", abilities.granularity)
    });
    row("read back", &|abilities| {
        format!("{:?}", abilities.read_back)
    });
    row("fencing", &|abilities| format!("{:?}", abilities.fencing));
    row("stickiness", &|abilities| {
        format!("{:?}", abilities.stickiness)
    });
    for ability in Ability::ALL {
        row(&ability.to_string(), &|abilities| {
            if abilities.has(ability) {
                "yes".into()
            } else {
                "-".into()
            }
        });
    }
    insta::assert_snapshot!("abilities", table);
}

#[test]
fn dialects_are_known_by_name() {
    for dialect in Dialect::ALL {
        assert_eq!(Dialect::by_name(dialect.name()), Some(dialect));
        assert_eq!(dialect.to_string(), dialect.name());
    }
    assert_eq!(Dialect::by_name("HAProxy"), None);
    for (name, adapter) in adapters() {
        assert!(name.starts_with(adapter.dialect().name()), "{name}");
        // A configuration may make a router finer or take an ability away; it cannot fence better.
        let (usual, here) = (adapter.dialect().abilities(), adapter.abilities());
        assert_eq!(usual.fencing, here.fencing, "{name}");
        assert!(
            usual.granularity == here.granularity || here.granularity == Granularity::Parts(10_000),
            "{name}"
        );
    }
}
