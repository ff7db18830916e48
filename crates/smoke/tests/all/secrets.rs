//! No output holds a secret, whatever the secret is and however the server sends it back.

use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nonevent_document::Secret;
use nonevent_smoke::{Event, JunitDialect, Options, Secrets, Suite, run};
use proptest::prelude::{ProptestConfig, prop_assert, proptest};

use crate::server::{Server, options, reply};

/// Every text that one run shows to anybody.
async fn outputs(secret: String) -> Vec<String> {
    let sent = secret.clone();
    let server = Server::http(move |request, _| {
        let coded = STANDARD.encode(format!("user:{sent}"));
        let json = serde_json::to_string(&sent).expect("a string is JSON");
        let html = sent
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('"', "&quot;");
        let body = format!("{request}\n{sent}\n{json}\n{html}\n{coded}\n");
        reply(
            "500 Oops",
            &format!("location: /?t={sent}\r\nx-version: v{sent}\r\n"),
            &body,
        )
    })
    .await;
    let text = br#"{ "tests": [ { "name": "t", "method": "POST", "path": "/?token=${env:TOKEN}",
        "headers": { "authorization": "Bearer ${env:TOKEN}" },
        "body": { "deep": [ "${env:TOKEN}" ] }, "idempotency": "idempotent",
        "expected_body_contains": [ "x${env:TOKEN}x", "nothing like it" ],
        "expected_headers": { "x-version": "${env:TOKEN}", "location": { "contains": "q${env:TOKEN}" } },
        "expected_json": [ { "path": "$.a", "equals": "${env:TOKEN}" } ],
        "expected_build": { "header": "x-version", "equals": "${env:TOKEN}", "connections": 2 } } ] }"#;
    let suite = Suite::parse("smoke-tests.json", text).expect("a suite");
    let options = Options {
        secrets: Secrets::from_fn(move |_, _| Some(Secret::new(secret.clone()))),
        ..options()
    };
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&events);
    let observe = move |event: Event<'_>| {
        seen.lock().expect("no panic").push(format!("{event:?}"));
    };
    let report = run(
        &suite,
        &server.target(),
        &options,
        std::future::pending(),
        observe,
    )
    .await
    .expect("a suite that can be run");
    assert_eq!(report.summary.counts.failed, 1);
    let mut outputs = events.lock().expect("no panic").clone();
    outputs.push(format!("{options:?} {report:?}"));
    outputs.push(report.text(false));
    outputs.push(report.text(true));
    outputs.push(report.junit(JunitDialect::Ant));
    outputs.push(report.junit(JunitDialect::Surefire));
    outputs.push(serde_json::to_string(&report).expect("a report is JSON"));
    outputs
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    // Twelve characters do not stand in any output by chance. They are those that a path, a
    // header and JSON can carry, and that differ once escaped.
    #[test]
    fn no_output_holds_the_secret(secret in "[A-Za-z0-9!$&'()*+,;=:@/?_.~-]{12,40}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let coded = STANDARD.encode(format!("user:{secret}"));
        let inner = coded.get(8..coded.len() - 4).unwrap_or_default().to_owned();
        for output in runtime.block_on(outputs(secret.clone())) {
            prop_assert!(!output.contains(&secret), "{secret} is in {output}");
            prop_assert!(!output.contains(&inner), "{inner} is in {output}");
        }
    }
}
