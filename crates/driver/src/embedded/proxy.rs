//! One request: to an instance and back.
//!
//! A request is tried on another instance only if no connection could be made, its method is
//! idempotent (RFC 9110 §9.2.2), and the other instance's arm has weight. Nothing of its body has
//! been read then. Once a byte may have reached an instance, it is that instance's request: the
//! only thing sent again is one that a kept-alive connection lost because the server had closed
//! it, to the same instance on a new connection, before any byte of an answer, and only if it was
//! provably not sent or is idempotent and without a body.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;

use http::header::{HOST, HeaderValue, MAX_FORWARDS};
use http::{Method, Request, Response, StatusCode, Version, request};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{sleep, timeout_at};

use super::answer::{AnswerBody, Passed, mark, own, unmark};
use super::config::EmbeddedLimits;
use super::headers;
use super::metered::Traffic;
use super::request_body::{Progress, RequestBody, Stage};
use super::routes::Routes;
use super::serve::Phase;
use super::tally::{Attempt, Tunnel};
use super::upstream::{Connection, Upstream};

/// What all requests share.
pub(super) struct Proxy {
    pub(super) routes: Routes,
    pub(super) limits: EmbeddedLimits,
    pub(super) mark_answers: bool,
    pub(super) listen: SocketAddr,
    pub(super) phase: watch::Receiver<Phase>,
}

/// The client's connection.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) address: IpAddr,
    /// Its place among the connections; a tunnel keeps it.
    pub(super) permit: Arc<OwnedSemaphorePermit>,
}

/// What a client wants to upgrade to, and its side of the connection.
struct Upgrade {
    protocol: HeaderValue,
    client: OnUpgrade,
}

/// How trying an instance went.
enum Tried {
    Answered(Response<AnswerBody>),
    /// No connection; the request is unharmed.
    NoConnection(Request<RequestBody>, Attempt),
}

/// Why there is no answer.
enum Fault {
    /// The connection failed; the request is returned if nothing of it was sent.
    Broken(Option<Box<Request<RequestBody>>>),
    /// The client broke off its request.
    ClientBrokeOff,
    /// The client paused its request for too long.
    ClientPaused,
    /// The instance did not answer in time.
    TimedOut,
}

impl Proxy {
    /// Answers a client's request.
    pub(super) async fn answer(
        self: Arc<Self>,
        client: Client,
        request: Request<Incoming>,
    ) -> Response<AnswerBody> {
        let (mut head, body) = request.into_parts();
        if let Some(answer) = self.answer_itself(&mut head) {
            self.routes.count_refused();
            return answer;
        }
        let mut upgrade = headers::upgrade_wanted(&head).and_then(|protocol| {
            let client = head.extensions.remove::<OnUpgrade>()?;
            Some(Upgrade { protocol, client })
        });
        let protocol = upgrade.as_ref().map(|upgrade| &upgrade.protocol);
        headers::to_instance(&mut head, client.address, self.listen, protocol);
        let idempotent = head.method.is_idempotent();
        let mut request = Request::from_parts(head, RequestBody::new(body));
        let Some(mut attempt) = self.routes.begin() else {
            self.routes.count_refused();
            return own(
                StatusCode::SERVICE_UNAVAILABLE,
                "closed, or no instance that may be used",
            );
        };
        let mut tried: Vec<Arc<Upstream>> = Vec::new();
        loop {
            let upstream = Arc::clone(&attempt.upstream);
            match self
                .try_instance(attempt, request, &mut upgrade, &client)
                .await
            {
                Tried::Answered(answer) => return answer,
                Tried::NoConnection(unharmed, failed) => {
                    request = unharmed;
                    let tally = failed.connect_failed();
                    tried.push(Arc::clone(&upstream));
                    let may = idempotent && tried.len() < self.limits.attempts_max as usize;
                    match may.then(|| self.routes.begin_again(&tried)).flatten() {
                        Some(other) => {
                            tally.count_retry();
                            attempt = other;
                        }
                        None => {
                            let text = "no connection to the instance";
                            return self.fault(StatusCode::BAD_GATEWAY, text, &upstream);
                        }
                    }
                }
            }
        }
    }

    /// What is not for the instances: no or two hosts, tunnels to elsewhere, and requests whose forwards are used
    /// up (RFC 9110 §7.6.2).
    fn answer_itself(&self, head: &mut request::Parts) -> Option<Response<AnswerBody>> {
        // RFC 9112 §3.2. Two hosts are read differently by different servers.
        let hosts = head.headers.get_all(HOST).iter().count();
        if hosts > 1 || (hosts == 0 && head.version == Version::HTTP_11) {
            return Some(own(StatusCode::BAD_REQUEST, "exactly one Host is needed"));
        }
        if matches!(head.method, Method::CONNECT | Method::TRACE) {
            let text = "a reverse proxy does not do this";
            return Some(own(StatusCode::NOT_IMPLEMENTED, text));
        }
        if head.method == Method::OPTIONS
            && let Some(value) = head.headers.get(MAX_FORWARDS)
        {
            let left: u32 = value.to_str().ok()?.parse().ok()?;
            let Some(left) = left.checked_sub(1) else {
                return Some(own(StatusCode::OK, "this is the router"));
            };
            head.headers.insert(MAX_FORWARDS, HeaderValue::from(left));
        }
        None
    }

    async fn try_instance(
        &self,
        mut attempt: Attempt,
        mut request: Request<RequestBody>,
        upgrade: &mut Option<Upgrade>,
        client: &Client,
    ) -> Tried {
        let upstream = Arc::clone(&attempt.upstream);
        let progress = request.body().progress();
        let repeatable = request.method().is_idempotent() && request.body().is_empty();
        let mut kept = upstream.kept_alive(repeatable, &self.limits);
        loop {
            let mut connection = match kept.take() {
                Some(connection) => connection,
                None => match upstream.connect(&self.limits).await {
                    Ok(connection) => connection,
                    Err(_) => return Tried::NoConnection(request, attempt),
                },
            };
            attempt.connected();
            // Only a kept-alive connection can turn out to be closed, so only then is the copy
            // needed.
            let copy = (connection.reused && repeatable).then(|| copy_of(&request, &progress));
            let read_before = connection.traffic.read_bytes();
            match self.exchange(&mut connection, request, &progress).await {
                Ok(answer) => {
                    let answer = self.pass_on(attempt, connection, answer, upgrade.take(), client);
                    return Tried::Answered(answer);
                }
                Err(Fault::Broken(unsent)) => {
                    let stale = connection.reused && connection.traffic.read_bytes() == read_before;
                    let again = stale
                        .then(|| unsent.map(|request| *request).or(copy))
                        .flatten();
                    let Some(again) = again else {
                        attempt.failed();
                        let text = "the instance broke off before its answer";
                        return Tried::Answered(self.fault(
                            StatusCode::BAD_GATEWAY,
                            text,
                            &upstream,
                        ));
                    };
                    request = again;
                }
                Err(fault) => return Tried::Answered(self.no_answer(&fault, attempt)),
            }
        }
    }

    fn no_answer(&self, fault: &Fault, attempt: Attempt) -> Response<AnswerBody> {
        let upstream = Arc::clone(&attempt.upstream);
        match fault {
            Fault::TimedOut => {
                attempt.timed_out();
                let text = "the instance did not answer in time";
                self.fault(StatusCode::GATEWAY_TIMEOUT, text, &upstream)
            }
            // Not the instance's fault: the attempt is dropped as given up by the client.
            Fault::ClientPaused => {
                let text = "the request was paused for too long";
                self.fault(StatusCode::REQUEST_TIMEOUT, text, &upstream)
            }
            Fault::ClientBrokeOff | Fault::Broken(_) => {
                let text = "the request broke off";
                self.fault(StatusCode::BAD_REQUEST, text, &upstream)
            }
        }
    }

    /// Sends a request and waits for the head of its answer.
    async fn exchange(
        &self,
        connection: &mut Connection,
        request: Request<RequestBody>,
        progress: &Progress,
    ) -> Result<Response<Incoming>, Fault> {
        let mut answer = pin!(connection.sender.try_send_request(request));
        let mut since = std::time::Instant::now();
        loop {
            match timeout_at((since + self.limits.first_byte()).into(), &mut answer).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(_)) if progress.stage() == Stage::Broken => {
                    return Err(Fault::ClientBrokeOff);
                }
                Ok(Err(mut error)) => {
                    return Err(Fault::Broken(error.take_message().map(Box::new)));
                }
                // The request's body was still moving.
                Err(_) if progress.last() > since => since = progress.last(),
                Err(_) if progress.stage() == Stage::WithClient => return Err(Fault::ClientPaused),
                Err(_) => return Err(Fault::TimedOut),
            }
        }
    }

    /// Turns an instance's answer into the client's.
    fn pass_on(
        &self,
        mut attempt: Attempt,
        connection: Connection,
        answer: Response<Incoming>,
        upgrade: Option<Upgrade>,
        client: &Client,
    ) -> Response<AnswerBody> {
        attempt.first_byte();
        let upstream = Arc::clone(&attempt.upstream);
        let (mut head, body) = answer.into_parts();
        let mut switched = None;
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            let given = headers::upgrade_given(&head);
            let instance = head.extensions.remove::<OnUpgrade>();
            let (Some(upgrade), Some(protocol), Some(instance)) = (upgrade, given, instance) else {
                attempt.failed();
                let text = "the instance switched protocols without being asked";
                return self.fault(StatusCode::BAD_GATEWAY, text, &upstream);
            };
            tokio::spawn(tunnel(
                upgrade.client,
                instance,
                attempt.upgraded(),
                TunnelLimits {
                    traffic: connection.traffic,
                    idle_max: self.limits.tunnel_idle(),
                    phase: self.phase.clone(),
                    permit: Arc::clone(&client.permit),
                },
            ));
            switched = Some(protocol);
            headers::to_client(&mut head, switched.as_ref());
            let body = AnswerBody::Own(http_body_util::Full::default());
            return self.marked(Response::from_parts(head, body), &upstream);
        }
        headers::to_client(&mut head, switched.as_ref());
        unmark(&mut head.headers);
        let body = Passed::new(body, attempt, connection, head.status, &self.limits);
        let answer = Response::from_parts(head, AnswerBody::Passed(body));
        self.marked(answer, &upstream)
    }

    fn fault(&self, status: StatusCode, text: &str, upstream: &Upstream) -> Response<AnswerBody> {
        self.marked(own(status, text), upstream)
    }

    fn marked(
        &self,
        mut answer: Response<AnswerBody>,
        upstream: &Upstream,
    ) -> Response<AnswerBody> {
        if self.mark_answers {
            mark(&mut answer, upstream);
        }
        answer
    }
}

/// The same request without a body.
fn copy_of(request: &Request<RequestBody>, progress: &Arc<Progress>) -> Request<RequestBody> {
    let mut copy = Request::new(RequestBody::empty_again(progress));
    copy.method_mut().clone_from(request.method());
    copy.uri_mut().clone_from(request.uri());
    copy.headers_mut().clone_from(request.headers());
    copy
}

/// What ends a tunnel, besides its two ends.
struct TunnelLimits {
    traffic: Arc<Traffic>,
    idle_max: std::time::Duration,
    phase: watch::Receiver<Phase>,
    permit: Arc<OwnedSemaphorePermit>,
}

/// Carries an upgraded connection until one side ends it, nothing moves for too long, or the
/// router is cut off.
async fn tunnel(client: OnUpgrade, instance: OnUpgrade, counted: Tunnel, mut limits: TunnelLimits) {
    let carried = async {
        if let Ok((client, instance)) = tokio::try_join!(client, instance) {
            let (mut client, mut instance) = (TokioIo::new(client), TokioIo::new(instance));
            // An error here is the end of the connection, which both sides see.
            let _ = copy_bidirectional(&mut client, &mut instance).await;
        }
    };
    tokio::select! {
        () = carried => {}
        () = idle(&limits.traffic, limits.idle_max) => {}
        _ = limits.phase.wait_for(|phase| *phase == Phase::Cut) => {}
    }
    drop(counted);
    drop(limits.permit);
}

/// Ends when no byte has passed for `idle_max`, seen to within as much again.
async fn idle(traffic: &Traffic, idle_max: std::time::Duration) {
    let mut before = traffic.bytes();
    loop {
        sleep(idle_max).await;
        let now = traffic.bytes();
        if now == before {
            return;
        }
        before = now;
    }
}
