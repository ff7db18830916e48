//! The embedded router as a process: it outlives its controller, and comes back as it was.

use nonevent_document::Digest;
use nonevent_driver::embedded::EmbeddedConfig;
use nonevent_driver::process::Ended;
use nonevent_driver::{FleetErrorKind, Router, RouterProcess, RouterProcessConfig};
use nonevent_router::{CounterResetKind, Desired, Fence, Pools, RouterErrorKind, Split};
use rustix::process::Signal;

use crate::role::{TestFleet, program};

fn config(test: &TestFleet) -> RouterProcessConfig {
    let dir = test.dir.path();
    let listen = "127.0.0.1:0".parse().expect("an address");
    RouterProcessConfig {
        launch: program("router", ""),
        router: EmbeddedConfig::new(listen, dir.join("router.sock"))
            .with_state_file(dir.join("router.json")),
        log: dir.join("router.log"),
        start_marker: test.marker().to_owned(),
    }
}

#[tokio::test]
async fn a_router_outlives_signals_controllers_and_its_own_death() {
    let test = TestFleet::new();
    let config = config(&test);
    assert!(RouterProcess::find(&config).unwrap().is_none());
    let router = RouterProcess::find_or_start(&config, 2_000).await.unwrap();
    let desired = Desired {
        split: Split::canary(2_500).unwrap(),
        pools: Pools::default(),
        plan: Digest::of(b"plan"),
        fence: Fence {
            epoch: 4,
            generation: 2,
        },
    };
    router.client().apply(&desired).await.unwrap();
    // What a terminal sends to all that was started from it.
    for signal in [Signal::INT, Signal::HUP] {
        assert!(router.process().signal(signal).unwrap());
    }
    let before = router.client().read().await.unwrap();
    assert!(before.shows(&desired));

    let again = RouterProcess::find_or_start(&config, 2_000).await.unwrap();
    assert_eq!(
        again.process(),
        router.process(),
        "another controller finds it"
    );

    router.process().signal(Signal::KILL).unwrap();
    router.process().ended().await;
    let error = router.client().read().await.unwrap_err();
    assert_eq!(error.kind(), RouterErrorKind::Unreachable);
    let router = RouterProcess::find_or_start(&config, 2_000).await.unwrap();
    let after = router.client().read().await.unwrap();
    assert!(after.shows(&desired));
    assert_eq!(
        after.listen, before.listen,
        "it takes requests where it did"
    );
    let reset = after.since(&before).unwrap_err();
    assert_eq!(reset.kind(), CounterResetKind::Restarted);

    assert_eq!(router.stop(500).await.unwrap(), Ended::Asked);
    assert!(RouterProcess::find(&config).unwrap().is_none());
}

#[tokio::test]
async fn a_router_that_cannot_start_says_where_to_look() {
    let test = TestFleet::new();
    let mut config = config(&test);
    std::fs::write(test.dir.path().join("router.json"), "{").unwrap();
    let error = RouterProcess::find_or_start(&config, 2_000)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), FleetErrorKind::Start);
    assert!(
        error.to_string().contains("ended at once; its log is"),
        "{error}"
    );
    let log = std::fs::read_to_string(&config.log).unwrap();
    assert!(log.contains("router.json"), "{log}");

    config.start_marker = "no marker".into();
    let error = RouterProcess::find_or_start(&config, 2_000)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), FleetErrorKind::Config);
}
