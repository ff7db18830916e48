//! What each kind of router cannot do, and what a person would type to give 5 % to a canary
//! behind nginx.
//!
//! `cargo run -p nonevent-router --example by_hand`

use nonevent_document::Digest;
use nonevent_router::{
    Ability, Adapter, Backend, Desired, Dialect, Fence, Pools, RouterError, Split, nginx,
};

fn main() -> Result<(), RouterError> {
    for dialect in Dialect::ALL {
        let abilities = dialect.abilities();
        let lacking = Ability::ALL
            .into_iter()
            .filter(|ability| !abilities.has(*ability));
        for ability in lacking {
            println!("{dialect} cannot {ability}");
        }
    }

    let words = |line: &str| line.split(' ').map(str::to_owned).collect();
    let router = nginx::Nginx::new(nginx::Config {
        name: "shop".into(),
        file: "/etc/nginx/conf.d/shop.conf".into(),
        method: nginx::Method::SplitAddresses,
        header: None,
        test: words("nginx -t"),
        reload: words("systemctl reload nginx"),
        change_at: None,
    })?;
    let backend = |id: &str, address: &str| Backend {
        id: id.into(),
        address: address.into(),
    };
    let desired = Desired {
        split: Split::canary(500).expect("5 % is a weight"),
        pools: Pools {
            stable: vec![backend("stable-1", "192.0.2.1:8080")],
            canary: vec![backend("canary-1", "192.0.2.2:8080")],
        },
        plan: Digest::of(b"an example"),
        fence: Fence {
            epoch: 1,
            generation: 3,
        },
    };
    println!();
    for command in router.commands(&desired)? {
        println!("{command}");
    }
    Ok(())
}
