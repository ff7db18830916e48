//! Activation strategies: for whom a feature is on.

use super::variants::Base;
use super::{Reader, constraints, list, reason, text, variants};
use crate::codes::{self, Refusal};
use crate::condition::{Bucket, Condition, Test};
use crate::dialect::shape::wrong;
use crate::eval::condition::network_of;
use crate::ir::{Digest, Expr, Keyless, Op, Path, Rule, Variant};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use nonevent_document::{Node, item_path, member_path};

/// The places that a rollout divides subjects into.
const PERCENT: u32 = 100;

/// Whom a strategy reaches by itself, before its constraints.
enum Reach {
    Everyone,
    /// Those for whom this holds.
    Some(Expr),
    /// Those whom a rollout has reached.
    Share(Expr),
}

impl<'n> Reader<'n> {
    /// One strategy as a rule.
    pub(super) fn strategy(
        &mut self,
        feature: &str,
        node: &'n Node,
        path: &str,
        base: &Base,
        listed: &mut Vec<Variant>,
    ) -> Result<Rule, Refusal> {
        let name = text(node, path, "name")?;
        let reach = self.reach(name, feature, node, path)?;
        let mut when = Vec::new();
        // The segments come last, as the most work.
        when.extend(constraints::all(node, path, &mut self.patterns)?);
        when.extend(self.segments(node, path)?);
        let targeted = !when.is_empty() || matches!(reach, Reach::Some(_));
        let shared = matches!(reach, Reach::Share(_));
        match reach {
            Reach::Everyone => {}
            Reach::Some(expr) | Reach::Share(expr) => when.insert(0, expr),
        }
        let parameters = Parameters::new(node, path);
        let own = variants::of_strategy(
            parameters.get("groupId").as_deref().unwrap_or(feature),
            parameters.get("stickiness").as_deref(),
            (node, path),
            listed,
            &mut self.findings,
        )?;
        let (serve, is_split) = match own {
            Some(own) => (own.serve, own.is_split),
            None => (base.serve.clone(), base.is_split),
        };
        Ok(Rule {
            label: Some(name.into()),
            when: Expr::joined(Op::And, when),
            serve,
            reason: reason(targeted, shared || is_split),
        })
    }

    fn segments(&self, node: &Node, path: &str) -> Result<Vec<Expr>, Refusal> {
        let (items, path) = list(node, path, "segments")?;
        let segment = |(index, item): (usize, &Node)| {
            let known = item.as_i64().and_then(|id| self.segments.get(&id));
            match known {
                Some(Some(segment)) => Ok(Expr::Segment(Arc::clone(segment))),
                known => {
                    let message = if known.is_some() {
                        "the segment is wrong, so this strategy is off"
                    } else {
                        "there is no such segment, so this strategy is off"
                    };
                    let path = item_path(&path, index);
                    let help = "name one of `segments` by its id";
                    Err(wrong(codes::REFERENCE, item, path, message, help))
                }
            }
        };
        items.iter().enumerate().map(segment).collect()
    }

    fn reach(
        &mut self,
        name: &str,
        feature: &str,
        node: &Node,
        path: &str,
    ) -> Result<Reach, Refusal> {
        let parameters = Parameters::new(node, path);
        Ok(match name {
            "default" => Reach::Everyone,
            "userWithId" => Reach::Some(condition(
                "userId",
                Test::one_of(parts(&parameters.need("userIds")?).map(Arc::from)),
            )),
            "remoteAddress" => Reach::Some(condition(
                "remoteAddress",
                // What is no address is left out, as Unleash's clients do.
                Test::Network(
                    parts(&parameters.need("IPs")?)
                        .filter_map(network_of)
                        .collect(),
                ),
            )),
            "applicationHostname" => Reach::Some(self.hostname(&parameters.need("hostNames")?)?),
            "gradualRolloutUserId" => rollout(
                &parameters.need("groupId")?,
                parameters.percentage("percentage")?,
                (subject("userId"), Keyless::Null),
            ),
            "gradualRolloutSessionId" => rollout(
                &parameters.need("groupId")?,
                parameters.percentage("percentage")?,
                (subject("sessionId"), Keyless::Null),
            ),
            "gradualRolloutRandom" => rollout(
                feature,
                parameters.percentage("percentage")?,
                (Expr::null(), Keyless::Lot),
            ),
            "flexibleRollout" => rollout(
                parameters.get("groupId").as_deref().unwrap_or(feature),
                parameters.percentage("rollout")?,
                sticky(parameters.get("stickiness").as_deref()),
            ),
            _ => {
                let message = format!("the strategy {name:?} is not known, so it is off");
                let help = "use one of Unleash's own strategies; constraints can say what a custom \
                            one did";
                return Err(wrong(codes::UNKNOWN_OPERATOR, node, path, message, help));
            }
        })
    }

    /// The machine's name, in any case. The caller tells it as the attribute `hostname`.
    fn hostname(&mut self, names: &str) -> Result<Expr, Refusal> {
        let mut pattern = String::from("^(?:");
        for (index, name) in parts(names).enumerate() {
            pattern.push_str(if index > 0 { "|" } else { "" });
            for letter in name.chars() {
                if letter.is_ascii_punctuation() {
                    pattern.push('\\');
                }
                pattern.push(letter);
            }
        }
        pattern.push_str(")$");
        let test = self.patterns.compile(&pattern, true).map(Test::Matches);
        // Beyond the limits of a file's patterns; nothing else is wrong with it.
        Ok(test.map_or_else(
            |_| Expr::constant(false),
            |test| condition("hostname", test),
        ))
    }
}

/// The parts of a text between commas.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim)
}

fn condition(name: &str, test: Test) -> Expr {
    let condition = Condition {
        of: subject(name),
        test,
        wanted: true,
    };
    condition.into_expr()
}

/// Whom a rollout of so many percent has reached. A subject's place is the hash of group and key,
/// from 1 to 100; here, from 0.
fn rollout(group: &str, percentage: u32, (by, keyless): (Expr, Keyless)) -> Reach {
    let bucket = Expr::Bucket(Box::new(Bucket {
        digest: Digest::Murmur3 { seed: 0 },
        salt: format!("{group}:").into(),
        by,
        keyless,
        total: PERCENT,
        ranges: Box::from([(0, percentage)]),
    }));
    match (percentage, keyless) {
        (PERCENT, Keyless::Lot) => Reach::Everyone,
        // Those without a key are not reached.
        (PERCENT, _) => Reach::Some(bucket),
        _ => Reach::Share(bucket),
    }
}

/// What keeps a subject in its place, and what happens without it.
pub(super) fn sticky(stickiness: Option<&str>) -> (Expr, Keyless) {
    match stickiness {
        None | Some("" | "default") => {
            let user = Expr::Var {
                path: path(&["userId"]),
                default: Some(Box::new(Expr::Var {
                    path: path(&["targetingKey"]),
                    default: Some(Box::new(subject("sessionId"))),
                })),
            };
            (user, Keyless::Lot)
        }
        Some("random") => (Expr::null(), Keyless::Lot),
        Some(name) => (subject(name), Keyless::Null),
    }
}

/// A field of the context. Unleash keeps those of its own apart from an application's
/// `properties`; a context in OpenFeature's form has all side by side and calls the user the
/// targeting key. Either is read.
pub(super) fn subject(name: &str) -> Expr {
    let var = |names: &[&str], default: Option<Expr>| Expr::Var {
        path: path(names),
        default: default.map(Box::new),
    };
    match name {
        "userId" => var(&[name], Some(var(&["targetingKey"], None))),
        "currentTime" => var(&[name], Some(Expr::Now)),
        "sessionId" | "environment" | "appName" | "remoteAddress" => var(&[name], None),
        _ => var(&["properties", name], Some(var(&[name], None))),
    }
}

fn path(names: &[&str]) -> Path {
    Path(names.iter().map(|name| Arc::from(*name)).collect())
}

/// A strategy's parameters, which are texts.
struct Parameters<'n> {
    strategy: &'n Node,
    path: String,
}

impl<'n> Parameters<'n> {
    fn new(strategy: &'n Node, path: &str) -> Self {
        Self {
            strategy,
            path: member_path(path, "parameters"),
        }
    }

    /// A parameter; a number counts as its text, an empty text as none.
    fn get(&self, name: &str) -> Option<String> {
        let value = self.strategy.get("parameters")?.get(name)?.to_json();
        match value {
            serde_json::Value::String(text) => Some(text).filter(|text| !text.is_empty()),
            serde_json::Value::Number(number) => Some(format!("{number}")),
            _ => None,
        }
    }

    fn need(&self, name: &str) -> Result<String, Refusal> {
        let help = "add it; as it is, the strategy is off";
        self.get(name)
            .ok_or_else(|| self.wrong(name, "the strategy lacks this parameter", help))
    }

    fn percentage(&self, name: &str) -> Result<u32, Refusal> {
        let percentage: Option<u32> = self.need(name)?.trim().parse().ok();
        percentage
            .filter(|percentage| *percentage <= PERCENT)
            .ok_or_else(|| {
                let help = "write a whole number from 0 to 100; as it is, the strategy is off";
                self.wrong(name, "this is no percentage", help)
            })
    }

    fn wrong(&self, name: &str, message: &str, help: &str) -> Refusal {
        let path = member_path(&self.path, name);
        wrong(codes::ARGUMENTS, self.strategy, path, message, help)
    }
}
