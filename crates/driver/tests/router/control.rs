//! The control interface, and a router's life.

use std::sync::Arc;
use std::time::Duration;

use http::Response;
use nonevent_driver::embedded::{EmbeddedConfig, EmbeddedRouter, ServeErrorKind};
use nonevent_driver::{Router, RouterClient};
use nonevent_router::{CounterResetKind, RouterErrorKind, Split};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use crate::support::{Origin, TestRouter, Text};

#[tokio::test]
async fn a_superseded_controller_is_refused() {
    let origin = Origin::named("one").await;
    let router = TestRouter::start().await;
    let pool = [origin.backend("stable-1")];
    let mut asked = router.desired(Split::STABLE, &pool, &[]);
    asked.fence.epoch = 2;
    router.client.apply(&asked).await.unwrap();
    router
        .client
        .apply(&asked)
        .await
        .expect("the same again is fine");
    assert!(router.read().await.shows(&asked));

    let mut same_number = asked.clone();
    same_number.split = Split::CANARY;
    let mut older = same_number.clone();
    older.fence.epoch = 1;
    older.fence.generation = 1_000;
    for stale in [same_number, older] {
        let error = router.client.apply(&stale).await.unwrap_err();
        assert_eq!(error.kind(), RouterErrorKind::Stale, "{error}");
    }
    assert_eq!(router.read().await.split, Split::STABLE);

    let mut newer = asked.clone();
    newer.fence.epoch = 3;
    newer.fence.generation = 0;
    router.client.apply(&newer).await.unwrap();
    assert!(router.read().await.shows(&newer));
}

#[tokio::test]
async fn what_cannot_be_asked_changes_nothing() {
    let router = TestRouter::start().await;
    let mut asked = router.desired(Split::STABLE, &[], &[]);
    asked.pools.stable = vec![crate::support::backend("me", router.address)];
    let error = router.client.apply(&asked).await.unwrap_err();
    assert_eq!(error.kind(), RouterErrorKind::Refused);
    assert!(error.to_string().contains("own address"), "{error}");
    assert_eq!(router.read().await.fence, None);

    for (request, status) in [
        (
            "GET /other HTTP/1.1\r\nhost: r\r\nconnection: close\r\n\r\n",
            "404",
        ),
        (
            "POST /desired HTTP/1.1\r\nhost: r\r\nconnection: close\r\n\r\n",
            "405",
        ),
        (
            "PUT /desired HTTP/1.1\r\nhost: r\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}",
            "400",
        ),
    ] {
        let mut stream = UnixStream::connect(router.client.control()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_restarted_router_comes_up_as_it_was() {
    let stable = Origin::named("stable").await;
    let canary = Origin::named("canary").await;
    let mut router = TestRouter::kept(tempfile::tempdir().unwrap()).await;
    let asked = router.desired(
        Split::CANARY,
        &[stable.backend("stable-1")],
        &[canary.backend("canary-1")],
    );
    router.client.apply(&asked).await.unwrap();
    assert_eq!(router.connect().await.get("/").await.body, "canary");
    let before = router.read().await;
    assert_eq!(before.unsaved, None);

    // End it without a word, and start another in the same folder.
    let (address, client) = (router.address, router.client.clone());
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy(
        router.dir.path().join("router.json"),
        dir.path().join("router.json"),
    )
    .unwrap();
    router.task.abort();
    assert!((&mut router.task).await.unwrap_err().is_cancelled());
    drop(router);
    assert_eq!(
        client.read().await.unwrap_err().kind(),
        RouterErrorKind::Unreachable
    );
    let router = TestRouter::kept(dir).await;
    assert_eq!(
        router.address, address,
        "the same port, though none was asked for"
    );
    let after = router.read().await;
    assert!(after.shows(&asked));
    assert_eq!(router.connect().await.get("/").await.body, "canary");
    let reset = after.since(&before).unwrap_err();
    assert_eq!(reset.kind(), CounterResetKind::Restarted);
    let stale = router
        .client
        .apply(&router.desired(Split::STABLE, &[], &[]))
        .await
        .unwrap_err();
    assert_eq!(
        stale.kind(),
        RouterErrorKind::Stale,
        "the fence outlives the process"
    );
}

#[tokio::test]
async fn a_change_that_cannot_be_kept_is_in_force_and_says_so() {
    let origin = Origin::named("one").await;
    let router = TestRouter::kept(tempfile::tempdir().unwrap()).await;
    std::fs::create_dir(router.dir.path().join("router.json")).unwrap();
    router.set(0, &[origin.backend("stable-1")], &[]).await;
    assert_eq!(router.connect().await.get("/").await.body, "one");
    let unsaved = router.read().await.unsaved.expect("it could not be saved");
    assert!(unsaved.contains("router.json"), "{unsaved}");
}

#[tokio::test]
async fn what_is_in_the_way_is_named() {
    let router = TestRouter::start().await;
    let config = EmbeddedConfig::new("127.0.0.1:0".parse().unwrap(), router.client.control());
    let error = EmbeddedRouter::bind(config.clone()).await.err().unwrap();
    assert_eq!(error.kind(), ServeErrorKind::Control);
    router.read().await;

    // A socket file that a dead router left behind is no obstacle.
    let left = router.dir.path().join("left");
    drop(UnixListener::bind(&left).unwrap());
    assert!(left.exists());
    let mut again = config.clone();
    again.control = left;
    assert!(EmbeddedRouter::bind(again).await.is_ok());

    let mut taken = config.clone();
    taken.listen = router.address;
    taken.control = router.dir.path().join("other");
    let error = EmbeddedRouter::bind(taken).await.err().unwrap();
    assert_eq!(error.kind(), ServeErrorKind::Listen);

    let state_file = router.dir.path().join("damaged.json");
    std::fs::write(&state_file, "{").unwrap();
    let error = EmbeddedRouter::bind(config.with_state_file(state_file))
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind(), ServeErrorKind::State);
}

#[tokio::test]
async fn shutting_down_finishes_what_is_under_way() {
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
    let mut router = TestRouter::start().await;
    router.set(0, &[slow.backend("stable-1")], &[]).await;
    let (mut idle, mut busy) = (router.connect().await, router.connect().await);
    let waiting = tokio::spawn(async move { busy.get("/").await.body });
    router
        .read_until(|read| read.counters.stable.in_flight == 1)
        .await;
    router.client.shut_down(1_000).await.unwrap();
    assert!(
        idle.send("GET", "/", "").await.is_err(),
        "idle connections are closed"
    );
    assert!(!router.task.is_finished());
    assert_eq!(
        router.read().await.counters.stable.in_flight,
        1,
        "it still reports"
    );
    gate.add_permits(1);
    assert_eq!(waiting.await.unwrap(), "slow");
    (&mut router.task).await.unwrap();
    assert!(!router.client.control().exists());
}

#[tokio::test]
async fn shutting_down_cuts_what_does_not_end() {
    let origin = Origin::http(|_| async {
        std::future::pending::<()>().await;
        Response::new(Text::default())
    })
    .await;
    let mut router = TestRouter::start().await;
    router.set(0, &[origin.backend("stable-1")], &[]).await;
    let mut busy = router.connect().await;
    let waiting = tokio::spawn(async move { busy.send("GET", "/", "").await.is_err() });
    router
        .read_until(|read| read.counters.stable.in_flight == 1)
        .await;
    router.client.shut_down(30).await.unwrap();
    (&mut router.task).await.unwrap();
    assert!(
        waiting.await.unwrap(),
        "the client sees that its request was cut"
    );
}

#[tokio::test]
async fn a_client_gives_up_on_a_router_that_says_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("control");
    let client = RouterClient::new(&path).with_deadlines_ms(50, 80);
    let error = client.read().await.unwrap_err();
    assert_eq!(error.kind(), RouterErrorKind::Unreachable);
    assert!(!error.may_have_acted());

    let listener = UnixListener::bind(&path).unwrap();
    let error = client.read().await.unwrap_err();
    assert_eq!(error.kind(), RouterErrorKind::NoAnswer, "{error}");
    assert!(error.may_have_acted());

    let answering = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 1024];
            let _ = stream.read(&mut head).await;
            let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(5 << 20));
            let _ = stream.write_all(endless.as_bytes()).await;
        }
    });
    let client = client.with_deadlines_ms(500, 1_500);
    let error = client.read().await.unwrap_err();
    assert_eq!(error.kind(), RouterErrorKind::NoAnswer, "too long: {error}");
    answering.abort();
    tokio::time::sleep(Duration::from_millis(1)).await;
}
