//! The connection: how fast, how secure, by which protocol.

use nonevent_document::Timestamp;

use crate::bind::rules::Rules;
use crate::judge::excerpt::visible;
use crate::judge::names::covers;
use crate::judge::{Evidence, Judge};
use crate::net::certificate::{NAMES_MAX, TlsFacts};
use crate::net::exchange::Facts;
use crate::suite::expectations::{CertificateRule, HttpSpoken, Phase, TlsVersion};

const DAY_MS: i64 = 86_400_000;

impl Judge<'_> {
    pub(super) fn connection(&mut self, rules: &Rules, evidence: Evidence<'_>) {
        let facts = evidence.facts;
        for (phase, ms_max) in &rules.latency {
            self.latency(*phase, *ms_max, facts);
        }
        if let Some(wanted) = rules.http {
            self.http(wanted, facts);
        }
        if let Some(wanted) = rules.tls {
            self.tls(wanted, facts);
        }
        match &facts.tls {
            Some(tls) => {
                for rule in &rules.certificate {
                    self.certificate(rule, tls, evidence.now);
                }
            }
            None if !rules.certificate.is_empty() => {
                let message = "the connection has no TLS, expected a certificate".to_owned();
                self.fail(message, "a certificate".to_owned(), "no TLS".to_owned());
            }
            None => {}
        }
    }

    fn latency(&mut self, phase: Phase, ms_max: u64, facts: &Facts) {
        let name = phase.as_str();
        match phase.of(&facts.timings) {
            None => self.judgement.not_measured.push(name),
            Some(us) if us > ms_max.saturating_mul(1_000) => {
                let actual = format!("{}.{:03} ms", us / 1_000, us % 1_000);
                let expected = format!("at most {ms_max} ms");
                let message = format!("{name} took {actual}, expected {expected}");
                self.fail(message, expected, actual);
            }
            Some(_) => {}
        }
    }

    fn http(&mut self, wanted: HttpSpoken, facts: &Facts) {
        let wanted = wanted.as_str();
        let spoken = facts.http.unwrap_or("no HTTP");
        if spoken != wanted {
            let message = format!("{spoken} was spoken, expected {wanted}");
            self.fail(message, wanted.to_owned(), spoken.to_owned());
        }
    }

    fn tls(&mut self, wanted: TlsVersion, facts: &Facts) {
        let expected = format!("TLS {} or later", wanted.as_str());
        let Some(tls) = &facts.tls else {
            let message = format!("the connection has no TLS, expected {expected}");
            self.fail(message, expected, "no TLS".to_owned());
            return;
        };
        let spoken = match tls.version.as_str() {
            "TLSv1_2" => Some(TlsVersion::V1_2),
            "TLSv1_3" => Some(TlsVersion::V1_3),
            _ => None,
        };
        if spoken.is_none_or(|spoken| spoken < wanted) {
            let actual = match spoken {
                Some(spoken) => format!("TLS {}", spoken.as_str()),
                None => visible(&tls.version),
            };
            let message = format!("{actual} was spoken, expected {expected}");
            self.fail(message, expected, actual);
        }
    }

    fn certificate(&mut self, rule: &CertificateRule<String>, tls: &TlsFacts, now: Timestamp) {
        match rule {
            CertificateRule::DaysLeft(days) => self.days_left(i64::from(*days), tls, now),
            CertificateRule::Name(name) => self.name(name, tls),
            CertificateRule::Issuer(rule) => {
                let issuer = tls.issuer.as_deref();
                if !issuer.is_some_and(|issuer| rule.holds(issuer)) {
                    let expected = self.expected(rule);
                    let actual = match issuer {
                        Some(issuer) => format!("`{}`", self.shown(issuer)),
                        None => "not readable".to_owned(),
                    };
                    let message =
                        format!("the certificate's issuer is {actual}, expected {expected}");
                    self.fail(message, expected, actual);
                }
            }
            CertificateRule::Sha256(wanted) => {
                let actual = tls.certificate.hex();
                if actual != *wanted {
                    let message =
                        format!("the certificate has the SHA-256 {actual}, expected {wanted}");
                    self.fail(message, wanted.clone(), actual);
                }
            }
        }
    }

    fn days_left(&mut self, days: i64, tls: &TlsFacts, now: Timestamp) {
        let expected = format!("at least {}", counted(days, "day"));
        let Some(end) = tls.not_after else {
            let message = format!("the certificate's end is not readable, expected {expected}");
            self.fail(message, expected, "not readable".to_owned());
            return;
        };
        let left_ms = end.ms_since(now);
        if left_ms >= days * DAY_MS {
            return;
        }
        let actual = match left_ms {
            ..0 => format!("over since {end}"),
            _ => format!("{}, until {end}", counted(left_ms / DAY_MS, "day")),
        };
        let message = format!("the certificate's time left is {actual}, expected {expected}");
        self.fail(message, expected, actual);
    }

    fn name(&mut self, wanted: &str, tls: &TlsFacts) {
        if tls.names.iter().any(|name| covers(name, wanted)) {
            return;
        }
        let expected = format!("one for `{}`", self.shown(wanted));
        let actual = match tls.names.len() {
            0 => "no name".to_owned(),
            NAMES_MAX.. => format!("over {NAMES_MAX} names, of which only the first are read"),
            _ => self.shown(&tls.names.join(", ")),
        };
        let message = format!("the certificate is for {actual}, expected {expected}");
        self.fail(message, expected, actual);
    }
}

fn counted(count: i64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
