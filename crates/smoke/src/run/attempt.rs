//! One attempt: a connection, a request, an answer, a judgement.

use std::borrow::Cow;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use crate::bind::{Asked, Bound};
use crate::judge::excerpt::head;
use crate::judge::{Evidence, Judgement, judge};
use crate::net::connect::{Reach, open, open_stream};
use crate::net::deadline::{Clock, Deadline, budget_used_up};
use crate::net::exchange::{Answer, Call, Exchange, Facts};
use crate::net::link::Link;
use crate::net::redirect::{Next, is_redirect, next};
use crate::net::route::Route;
use crate::net::wire::{Meter, Wire, micros};
use crate::report::result::{Attempt, Failure, Redirect};
use crate::report::verdict::Verdict;
use crate::run::session::{Lane, Session, lock};
use crate::suite::model::Test;
use crate::trouble::{Cause, Trouble};

/// An attempt, and the answer that was judged.
pub(crate) struct Tried {
    pub(crate) attempt: Attempt,
    pub(crate) answer: Option<Answer>,
}

/// What is the same for all exchanges of an attempt.
#[derive(Clone, Copy)]
struct Trial<'t> {
    lane: &'t Lane,
    bound: &'t Bound,
    clock: Clock,
    idempotent: bool,
    reuse: bool,
    redirects_max: u32,
}

impl Session<'_> {
    pub(crate) async fn attempt(
        &self,
        lane: &Lane,
        test: &Test,
        bound: &Bound,
        connection: u32,
        retry: u32,
    ) -> Tried {
        let options = self.context.options;
        let mut facts = Facts::default();
        let run = self.deadline();
        let clock = Clock::new(bound.total_ms, run);
        let trial = Trial {
            lane,
            bound,
            clock,
            idempotent: test.idempotent,
            reuse: options.reuse_connections && test.expect.build.is_none(),
            redirects_max: test.http().map_or(0, |http| http.redirects_max),
        };
        let outcome = if clock.start >= run.at() {
            Err(budget_used_up(run.ms()))
        } else {
            self.asked(trial, &mut facts).await
        };
        facts.timings.total_us = micros(clock.start.elapsed());
        let (judgement, answer) = match outcome {
            Ok(answer) => {
                let evidence = Evidence {
                    answer: answer.as_ref(),
                    facts: &facts,
                    now: self.now(),
                };
                let excerpt_chars_max = options.limits.excerpt_chars_max;
                let judgement = judge(&bound.rules, evidence, &self.redactor(), excerpt_chars_max);
                (judgement, answer)
            }
            Err(trouble) => {
                let failures = vec![Failure::from(trouble)];
                let judgement = Judgement {
                    failures,
                    ..Judgement::default()
                };
                (judgement, None)
            }
        };
        let Judgement {
            failures,
            build,
            not_measured,
        } = judgement;
        let verdict = match failures.first() {
            None => Verdict::Passed,
            Some(first) if first.cause.is_answer() => Verdict::Failed,
            Some(_) => Verdict::Inconclusive,
        };
        let attempt = Attempt {
            connection,
            retry,
            verdict,
            peer: facts.peer,
            reused: facts.reused,
            http: facts.http.map(str::to_owned),
            status: facts.status,
            build,
            body_bytes: facts.body_bytes,
            redirects: facts.redirects,
            tls: facts.tls,
            timings: facts.timings,
            not_measured: not_measured.into_iter().map(str::to_owned).collect(),
            failures,
        };
        Tried { attempt, answer }
    }

    async fn asked(&self, trial: Trial<'_>, facts: &mut Facts) -> Result<Option<Answer>, Trouble> {
        match &trial.bound.asked {
            Asked::Http(call) => self.follow(trial, call, facts).await.map(Some),
            Asked::Tcp { send, expect } => {
                self.tcp(trial, send.as_deref(), expect.as_deref(), facts)
                    .await?;
                Ok(None)
            }
            Asked::Tls => {
                let route = &trial.bound.route;
                open_stream(self.reach(), route, true, true, trial.clock, facts).await?;
                Ok(None)
            }
        }
    }

    fn reach(&self) -> Reach<'_> {
        Reach {
            transport: self.context.options.transport.as_ref(),
            limits: &self.context.options.limits,
        }
    }

    /// Asks, and goes where redirects lead as far as the test says.
    async fn follow(
        &self,
        trial: Trial<'_>,
        call: &Call,
        facts: &mut Facts,
    ) -> Result<Answer, Trouble> {
        let mut route = Arc::clone(&trial.bound.route);
        let mut answer = self.exchange(trial, &route, call, facts).await?;
        let mut call = Cow::Borrowed(call);
        while trial.redirects_max > 0 && is_redirect(answer.status) {
            if facts.redirects.len() as u64 >= u64::from(trial.redirects_max) {
                let message = format!("over {} redirects (follow_redirects)", trial.redirects_max);
                return Err(Trouble::new(Cause::Redirect, message));
            }
            let Some(led) = next(&route.origin, &call, &answer)? else {
                break;
            };
            let Next {
                origin,
                call: led_call,
                url,
            } = led;
            facts.redirects.push(Redirect {
                status: answer.status,
                to: url.clone(),
            });
            if origin != route.origin {
                route = Arc::new(route.elsewhere(origin));
            }
            call = Cow::Owned(led_call);
            answer = match self.exchange(trial, &route, &call, facts).await {
                Err(trouble) if trouble.cause == Cause::RefusedAddress => {
                    // Where it leads is the service's doing.
                    let shown = head(&url, self.context.options.limits.excerpt_chars_max);
                    let message = format!("it redirects to {shown}: {}", trouble.message);
                    return Err(Trouble::new(Cause::Redirect, message));
                }
                other => other?,
            };
        }
        Ok(answer)
    }

    async fn exchange(
        &self,
        trial: Trial<'_>,
        route: &Arc<Route>,
        call: &Call,
        facts: &mut Facts,
    ) -> Result<Answer, Trouble> {
        let exchange = Exchange {
            route,
            limits: &self.context.options.limits,
            clock: trial.clock,
            fresh: !trial.reuse,
        };
        if trial.reuse {
            while let Some(mut link) = take_idle(trial.lane, route) {
                if !link.settle().await {
                    continue;
                }
                facts.reused = true;
                let answer = exchange.perform(&mut link, call, facts).await;
                // A service may close an idle connection at the moment it is used again. Where
                // nothing came back and repeating does no harm, that says nothing about it.
                let stale = matches!(&answer, Err(trouble) if trouble.cause == Cause::Closed)
                    && !facts.received
                    && trial.idempotent;
                if !stale {
                    return finish(trial, route, link, answer?).await;
                }
                facts.reused = false;
            }
        }
        let mut link = open(self.reach(), route, trial.clock, facts).await?;
        let answer = exchange.perform(&mut link, call, facts).await?;
        finish(trial, route, link, answer).await
    }

    /// A connection that is taken, and what the service says on it.
    async fn tcp(
        &self,
        trial: Trial<'_>,
        send: Option<&str>,
        expect: Option<&str>,
        facts: &mut Facts,
    ) -> Result<(), Trouble> {
        let limits = &self.context.options.limits;
        let route = &trial.bound.route;
        let secure = false;
        let (stream, _) =
            open_stream(self.reach(), route, secure, true, trial.clock, facts).await?;
        let mut stream = Wire::new(stream, Meter::new());
        let phase = Deadline::after(Instant::now(), limits.first_byte_ms, "first_byte_ms");
        let what = "word of the service";
        if let Some(text) = send {
            let sending = stream.write_all(text.as_bytes());
            let sent = trial.clock.within(phase, Cause::Timeout, what, sending);
            sent.await?
                .map_err(|error| Trouble::new(Cause::Closed, format!("it hung up: {error}")))?;
        }
        let Some(expect) = expect else {
            return Ok(());
        };
        let mut heard = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let said = String::from_utf8_lossy(&heard);
            if said.contains(expect) {
                facts.body_bytes = heard.len() as u64;
                return Ok(());
            }
            if heard.len() > limits.body_bytes_max {
                return Err(self.unheard(Cause::Limit, expect, &said, "said too much"));
            }
            let reading = stream.read(&mut buffer);
            match trial
                .clock
                .within(phase, Cause::Timeout, what, reading)
                .await
            {
                Err(trouble) if trouble.cause == Cause::Timeout => {
                    return Err(self.unheard(Cause::Timeout, expect, &said, &trouble.message));
                }
                Err(trouble) => return Err(trouble),
                Ok(Ok(0) | Err(_)) => {
                    return Err(self.unheard(Cause::Closed, expect, &said, "it hung up"));
                }
                Ok(Ok(count)) => heard.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            }
        }
    }

    fn unheard(&self, cause: Cause, expect: &str, said: &str, why: &str) -> Trouble {
        let chars_max = self.context.options.limits.excerpt_chars_max;
        let redactor = self.redactor();
        let shown = |text: &str| head(&redactor.apply(text), chars_max);
        let message = format!(
            "the service said `{}`, expected `{}`: {why}",
            shown(said),
            shown(expect)
        );
        Trouble::new(cause, message)
    }
}

/// Keeps or closes the connection after an answer, which must have been all that came.
async fn finish(
    trial: Trial<'_>,
    route: &Arc<Route>,
    mut link: Link,
    answer: Answer,
) -> Result<Answer, Trouble> {
    if trial.reuse && link.settle().await {
        lock(&trial.lane.idle).push((Arc::clone(route), link));
        return Ok(answer);
    }
    match link.close() {
        0 => Ok(answer),
        excess => {
            let message = format!("{excess} bytes came after the end of the answer");
            Err(Trouble::new(Cause::Protocol, message))
        }
    }
}

fn take_idle(lane: &Lane, route: &Arc<Route>) -> Option<Link> {
    let mut idle = lock(&lane.idle);
    let at = idle.iter().rposition(|(of, _)| Arc::ptr_eq(of, route))?;
    Some(idle.swap_remove(at).1)
}
