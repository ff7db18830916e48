//! Reading whether a request may be sent again, and when.

use http::Method;
use nonevent_document::{Node, Value, item_path, member_path};

use crate::codes;
use crate::suite::expectations::Expectations;
use crate::suite::model::{
    Place, RETRIES_MAX, RETRY_DELAY_MS_DEFAULT, RETRY_DELAY_MS_MAX, Retries, RetryClass,
    RetryClasses,
};
use crate::suite::read::Fields;
use crate::suite::reader::Reader;

impl Reader {
    /// Whether repeating the request does no harm: as the test says, else by its method (RFC 9110,
    /// section 9.2.2).
    pub(crate) fn idempotency(&mut self, fields: &Fields<'_>, path: &str, kind: &str) -> bool {
        let by_method = match kind {
            "TCP" => fields
                .get("tcp")
                .is_none_or(|tcp| tcp.get("send").is_none()),
            "TLS" => true,
            method => method.parse::<Method>().is_ok_and(|m| m.is_idempotent()),
        };
        let Some(node) = fields.get("idempotency") else {
            return by_method;
        };
        let path = member_path(path, "idempotency");
        let wanted = "\"idempotent\" or \"not-idempotent\"";
        match self.text(node, &path, wanted) {
            Some("idempotent") => true,
            Some("not-idempotent") => false,
            Some(other) => {
                let message = format!("`{other}` is no idempotency");
                self.bad_value(node, &path, message, &format!("write {wanted}"));
                by_method
            }
            None => by_method,
        }
    }

    pub(crate) fn retries(
        &mut self,
        fields: &Fields<'_>,
        path: &str,
        kind: &str,
        idempotent: bool,
    ) -> Retries {
        let mut retries = Retries {
            count: 0,
            on: RetryClasses::ALL,
            delay_ms: RETRY_DELAY_MS_DEFAULT,
        };
        let Some(node) = fields.get("retries") else {
            return retries;
        };
        let path = member_path(path, "retries");
        if let Value::Object(members) = &node.value {
            for member in members {
                let (inner, value) = (member_path(&path, &member.key), &member.value);
                match member.key.as_str() {
                    "count" => retries.count = self.retry_count(value, &inner),
                    "on" => retries.on = self.retry_classes(value, &inner).into_iter().collect(),
                    "delay_ms" => {
                        let delay_ms = self.whole(value, &inner, 0, RETRY_DELAY_MS_MAX);
                        retries.delay_ms = delay_ms.unwrap_or_default();
                    }
                    _ => self.unknown_own(member, &path, "count, on, delay_ms"),
                }
            }
        } else {
            retries.count = self.retry_count(node, &path);
        }
        let twice = retries.on.timeout || retries.on.server_error;
        if retries.count > 0 && twice && !idempotent {
            let message = format!("a {kind} that was received could act twice when tried again");
            self.error(
                codes::NOT_REPEATABLE,
                &Place::of(node, path),
                message,
                "write \"retries\": { \"count\": 2, \"on\": [\"connect\"] }, or \"idempotency\": \
                 \"idempotent\" if repeating it does no harm",
            );
        }
        retries
    }

    fn retry_count(&mut self, node: &Node, path: &str) -> u32 {
        let count = self.whole(node, path, 0, u64::from(RETRIES_MAX));
        count
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or_default()
    }

    fn retry_classes(&mut self, node: &Node, path: &str) -> Vec<RetryClass> {
        let help = "write a list of \"connect\", \"timeout\" and \"5xx\"";
        let Some(items) = self.items(node, path, "a list of \"connect\", \"timeout\", \"5xx\"")
        else {
            return Vec::new();
        };
        if items.is_empty() {
            self.bad_value(node, path, "nothing is tried again".to_owned(), help);
        }
        let mut classes = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let path = item_path(path, at);
            let Some(text) = self.text(item, &path, "\"connect\", \"timeout\" or \"5xx\"") else {
                continue;
            };
            match RetryClass::ALL
                .into_iter()
                .find(|class| class.as_str() == text)
            {
                Some(class) => classes.push(class),
                None => {
                    let message = format!("`{text}` is no class of failures that is tried again");
                    self.bad_value(item, &path, message, help);
                }
            }
        }
        classes
    }

    /// A build check asks several times.
    pub(crate) fn build_is_repeatable(
        &mut self,
        expect: &Expectations,
        kind: &str,
        idempotent: bool,
    ) {
        if let Some(build) = expect
            .build
            .as_ref()
            .filter(|b| b.connections > 1 && !idempotent)
        {
            let message = format!(
                "a build check sends this {kind} {} times",
                build.connections
            );
            self.error(
                codes::NOT_REPEATABLE,
                &build.equals.place,
                message,
                "pin the build with a GET, or write \"idempotency\": \"idempotent\" if repeating \
                 it does no harm",
            );
        }
    }
}
