//! Who gets a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::Response;
use nonevent_driver::Router;
use nonevent_router::{Arm, Split};

use crate::support::{Client, Origin, TestRouter, Text, backend, nobody};

#[tokio::test]
async fn a_share_is_what_was_asked() {
    let stable = Origin::named("stable").await;
    let canary = Origin::named("canary").await;
    let router = TestRouter::start().await;
    let mut client = router.connect().await;
    for (percent, requests) in [(1, 300), (5, 200), (25, 100), (50, 100)] {
        let weight = percent * 100;
        router
            .set(weight, &[stable.backend("s")], &[canary.backend("c")])
            .await;
        let before = router.read().await;
        let mut seen = 0;
        for _ in 0..requests {
            seen += u64::from(client.get("/").await.body == "canary");
        }
        let expected = u64::from(percent) * requests / 100;
        assert!(
            seen.abs_diff(expected) <= 2,
            "{percent} %: {seen} of {requests}"
        );
        // What the client saw is what the router counted.
        let change = router.read().await.since(&before).unwrap();
        assert_eq!(change.of(Arm::Canary).finished, seen);
        assert_eq!(change.of(Arm::Stable).finished, requests - seen);
    }
}

#[tokio::test]
async fn an_arm_takes_its_instances_in_turn() {
    let origins = [
        Origin::named("1").await,
        Origin::named("2").await,
        Origin::named("3").await,
    ];
    let router = TestRouter::start().await;
    let pool: Vec<_> = origins
        .iter()
        .map(|o| o.backend(&o.address.to_string()))
        .collect();
    router.set(0, &pool, &[]).await;
    let mut client = router.connect().await;
    let mut turns = String::new();
    for _ in 0..9 {
        turns += &client.get("/").await.body;
    }
    assert_eq!(turns, "123123123");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_changes_under_load_lose_nothing() {
    let stable = [Origin::named("stable").await, Origin::named("stable").await];
    // The canary takes a moment, so that requests are under way whenever it is left out.
    let canary = Origin::http(|_| async {
        tokio::time::sleep(Duration::from_millis(2)).await;
        Response::new(Text::from("canary"))
    })
    .await;
    let router = TestRouter::start().await;
    let stable = [stable[0].backend("stable-1"), stable[1].backend("stable-2")];
    let canaries = [canary.backend("canary-1")];
    router.set(0, &stable, &[]).await;
    let stop = Arc::new(AtomicBool::new(false));
    let sent = Arc::new(AtomicUsize::new(0));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (stop, sent, address) = (Arc::clone(&stop), Arc::clone(&sent), router.address);
        clients.spawn(async move {
            let mut client = Client::connect(address).await;
            while !stop.load(Ordering::Relaxed) {
                let answer = client.send("POST", "/", "body").await.unwrap();
                assert_eq!(answer.status, 200, "{}", answer.body);
                sent.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    for change in 0..200u16 {
        match change % 4 {
            0 => router.set(2_500, &stable, &canaries).await,
            1 => router.set(10_000, &stable, &canaries).await,
            2 => router.set(5_000, &stable[..1], &canaries).await,
            _ => {
                router.set(0, &stable, &[]).await;
                // From the acknowledgement on, the canary's requests stand still.
                let then = router.read().await.counters.canary.requests;
                tokio::time::sleep(Duration::from_millis(2)).await;
                assert_eq!(router.read().await.counters.canary.requests, then);
            }
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    stop.store(true, Ordering::Relaxed);
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    let sent = sent.load(Ordering::Relaxed) as u64;
    assert!(sent > 200, "there was load: {sent}");
    let read = router.read().await;
    for arm in Arm::BOTH {
        let counted = read.counters.of(arm);
        assert_eq!(
            counted.errors + counted.abandoned + counted.in_flight,
            0,
            "{counted:?}"
        );
        assert!(counted.finished > 0);
    }
    assert_eq!(read.counters.client_requests(), sent);
    assert_eq!(read.counters.refused, 0);
}

#[tokio::test]
async fn a_change_lets_requests_finish_where_they_are() {
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let slow = Origin::http(move |_| {
        let gate = Arc::clone(&opened);
        async move {
            drop(gate.acquire().await);
            Response::new(Text::from("slow"))
        }
    })
    .await;
    let fast = Origin::named("fast").await;
    let router = TestRouter::start().await;
    router.set(0, &[slow.backend("stable-1")], &[]).await;
    let mut waiting = router.connect().await;
    let waiting = tokio::spawn(async move { waiting.get("/").await.body });
    router
        .read_until(|read| read.counters.stable.in_flight == 1)
        .await;

    router.set(10_000, &[], &[fast.backend("canary-1")]).await;
    let read = router.read().await;
    assert!(!read.may_stop(Arm::Stable, "stable-1"));
    assert!(
        read.backends
            .iter()
            .any(|b| b.id == "stable-1" && b.draining && b.in_flight == 1)
    );
    assert_eq!(router.connect().await.get("/").await.body, "fast");

    gate.add_permits(1);
    assert_eq!(waiting.await.unwrap(), "slow");
    let read = router
        .read_until(|read| read.may_stop(Arm::Stable, "stable-1"))
        .await;
    assert_eq!(read.counters.stable.finished, 1);
}

#[tokio::test]
async fn closed_means_503_and_says_when_to_come_back() {
    let origin = Origin::named("one").await;
    let router = TestRouter::start().await;
    let mut client = router.connect().await;
    assert_eq!(
        client.get("/").await.status,
        503,
        "closed before the first change"
    );
    let pool = [origin.backend("stable-1")];
    let closed = router.desired(Split::Closed, &pool, &[]);
    router.client.apply(&closed).await.unwrap();
    let answer = client.get("/").await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "1"));
    let read = router.read().await;
    assert_eq!(
        (read.counters.refused, read.counters.stable.requests),
        (2, 0)
    );
    assert!(read.split.is_closed());
    router.set(0, &pool, &[]).await;
    assert_eq!(client.get("/").await.status, 200);
}

#[tokio::test]
async fn an_empty_pool_gives_its_share_away_only_where_there_is_weight() {
    let stable = Origin::named("stable").await;
    let router = TestRouter::start().await;
    let mut client = router.connect().await;
    router.set(5_000, &[stable.backend("stable-1")], &[]).await;
    for _ in 0..6 {
        assert_eq!(client.get("/").await.body, "stable");
    }
    router.set(10_000, &[stable.backend("stable-1")], &[]).await;
    assert_eq!(client.get("/").await.status, 503);
    assert_eq!(router.read().await.counters.refused, 1);
}

#[tokio::test]
async fn an_arm_without_weight_gets_not_even_a_retry() {
    let stable = Origin::named("stable").await;
    let router = TestRouter::start().await;
    let canaries = [backend("canary-1", nobody().await)];
    router
        .set(10_000, &[stable.backend("stable-1")], &canaries)
        .await;
    let answer = router.connect().await.get("/").await;
    assert_eq!(answer.status, 502);
    assert_eq!(answer.header("x-nonevent-instance"), "canary-1");
    let read = router.read().await;
    assert_eq!(read.counters.stable.requests, 0);
    let canary = read.counters.canary;
    assert_eq!(
        (canary.errors, canary.connect_failures, canary.retried),
        (1, 1, 0)
    );
}
