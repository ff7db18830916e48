//! What is sent, and the limits of what is read.
#![cfg(feature = "metrics")]

use nonevent_analysis::metrics::{JsonBody, Method, PrometheusApi, RangeTimes, Reply};

#[test]
fn requests_are_encoded() {
    let api = PrometheusApi::new("/prometheus/")
        .expect("a path")
        .timeout_ms(1_500)
        .limit(100);
    let request = api
        .instant("a{b=\"ä&c=d+e %\"}", 1_767_225_600_123)
        .expect("a request");
    assert_eq!(
        request.target,
        "/prometheus/api/v1/query?query=a%7Bb%3D%22%C3%A4%26c%3Dd%2Be%20%25%22%7D\
         &time=1767225600.123&timeout=1500ms&limit=100"
    );
    let range = RangeTimes::aligned(1_767_225_601_000, 1_767_225_661_000, 15_000).expect("a range");
    let request = api
        .clone()
        .always_post()
        .range("up", &range)
        .expect("a request");
    assert_eq!(
        (request.method, request.target.as_str()),
        (Method::Post, "/prometheus/api/v1/query_range")
    );
    assert_eq!(
        String::from_utf8(request.body).expect("text"),
        "query=up&start=1767225600&end=1767225660&step=15&timeout=1500ms&limit=100"
    );
    assert!(
        request
            .headers
            .contains(&("content-type", "application/x-www-form-urlencoded"))
    );
    let long = format!("up{{a=\"{}\"}}", "x".repeat(3_000));
    assert_eq!(
        api.instant(&long, 0).expect("a request").method,
        Method::Post
    );
    assert!(api.instant(&"x".repeat(70_000), 0).is_err());
    assert!(api.instant(" ", 0).is_err());
    for base in ["prometheus", "/a?b", "/a b", "/a/../b", "/ä", "http://x"] {
        assert!(PrometheusApi::new(base).is_err(), "{base}");
    }
    for (start, end, step) in [(0, 10, 0), (10, 0, 1), (0, u64::MAX, 1), (0, 11_000, 1)] {
        assert!(
            RangeTimes::aligned(start, end, step).is_err(),
            "{start} {end} {step}"
        );
    }
    assert_eq!(
        RangeTimes::aligned(0, 10_999, 1).map(|range| range.points()),
        Ok(11_000)
    );
}

#[test]
fn limits_hold() {
    let big = format!("[{}1]", "1,".repeat(5_000_000));
    let error = Reply::read(200, big.as_bytes()).expect_err("too large");
    assert!(
        error.text().contains("over the limit of 8388608"),
        "{error}"
    );
    let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
    assert!(JsonBody::read(200, deep.as_bytes()).is_err());
    let deepest = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(JsonBody::read(200, deepest.as_bytes()).is_err());
}
