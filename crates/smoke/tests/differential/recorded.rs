//! Answers of real servers, as `fixtures/smoke/differential` has them.

use nonevent_smoke::Response;
use serde_json::Value as Json;

use crate::Endpoint;

const FILES: [&str; 4] = [
    include_str!("../../../../fixtures/smoke/differential/nginx.jsonl"),
    include_str!("../../../../fixtures/smoke/differential/haproxy.jsonl"),
    include_str!("../../../../fixtures/smoke/differential/prometheus.jsonl"),
    include_str!("../../../../fixtures/smoke/differential/caddy.jsonl"),
];

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let lines = FILES.iter().flat_map(|file| file.lines());
    lines
        .map(|line| {
            let endpoint: Json = serde_json::from_str(line).expect("a line of JSON");
            let text = |of: &Json| of.as_str().expect("text").to_owned();
            let server = text(&endpoint["server"]);
            let answers = endpoint["answers"].as_array().expect("answers");
            Endpoint {
                name: format!("{server} {}", text(&endpoint["path"])),
                source: server,
                answers: answers.iter().map(response).collect(),
            }
        })
        .collect()
}

fn response(answer: &Json) -> Response {
    let headers = answer["headers"].as_array().expect("headers");
    let text = |of: &Json| of.as_str().expect("text").to_owned();
    let body = match answer.get("body") {
        Some(body) => text(body).into_bytes(),
        None => base64(&text(&answer["body_base64"])),
    };
    Response {
        status: u16::try_from(answer["status"].as_u64().expect("a status")).expect("a status"),
        headers: headers
            .iter()
            .map(|pair| (text(&pair[0]), text(&pair[1])))
            .collect(),
        body,
    }
}

fn base64(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::STANDARD;
    engine.decode(text).expect("base64")
}
