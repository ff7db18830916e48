//! Conditions, judged as far as the known attributes go.

use super::groups::needed;
use crate::context::Context;
use crate::load::Dialect;
use crate::set::FlagSet;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde_json::{Map, Value as Json, json};

/// What a condition comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Pruned {
    /// It holds, whatever the unknown attributes are.
    Holds,
    /// It does not hold, whatever they are.
    Fails,
    /// It holds if this does: the condition without the parts that are decided.
    Depends(Json),
}

/// Groups in groups, and conditions in conditions, no deeper than this.
const DEPTH_MAX: usize = 100;
/// Groups looked into for one condition.
const GROUPS_MAX: usize = 4096;

/// A condition that is wrong, or too large to judge: it stays as written.
struct Unjudged;

pub(super) struct Pruner<'p> {
    known: &'p Map<String, Json>,
    pub(super) groups: &'p Map<String, Json>,
    /// What was judged before, by its text.
    judged: BTreeMap<String, Option<bool>>,
    /// The groups that are looked into, each named by the one before.
    open: Vec<String>,
    looked_into: usize,
    depth: usize,
}

impl<'p> Pruner<'p> {
    pub(super) const fn new(known: &'p Map<String, Json>, groups: &'p Map<String, Json>) -> Self {
        Self {
            known,
            groups,
            judged: BTreeMap::new(),
            open: Vec::new(),
            looked_into: 0,
            depth: 0,
        }
    }

    pub(super) fn condition(&mut self, condition: &Json) -> Pruned {
        self.open.clear();
        (self.looked_into, self.depth) = (0, 0);
        let pruned = self.parts(condition);
        pruned.unwrap_or_else(|Unjudged| Pruned::Depends(condition.clone()))
    }

    /// What is left of a condition group's own condition, if it is one and anything is.
    pub(super) fn group(&mut self, id: &str) -> Option<Json> {
        let condition = self.groups.get(id)?.get("condition")?;
        let rest = match self.condition(&json!({"$and": [{"$savedGroup": {"id": id}}]})) {
            Pruned::Depends(_) => {
                self.open.push(id.into());
                let rest = self.parts(condition);
                self.open.clear();
                rest.ok()?
            }
            decided => decided,
        };
        match rest {
            Pruned::Depends(rest) => Some(rest),
            Pruned::Holds | Pruned::Fails => None,
        }
    }

    fn parts(&mut self, condition: &Json) -> Result<Pruned, Unjudged> {
        let parts = condition.as_object().ok_or(Unjudged)?;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Unjudged);
        }
        let mut left = Map::new();
        for (key, asked) in parts {
            match self.part(key, asked)? {
                Pruned::Holds => {}
                Pruned::Fails => {
                    self.depth -= 1;
                    return Ok(Pruned::Fails);
                }
                Pruned::Depends(rest) => drop(left.insert(key.clone(), rest)),
            }
        }
        self.depth -= 1;
        Ok(if left.is_empty() {
            Pruned::Holds
        } else {
            Pruned::Depends(left.into())
        })
    }

    fn part(&mut self, key: &str, asked: &Json) -> Result<Pruned, Unjudged> {
        Ok(match key {
            "$and" => self.list(asked, false)?,
            "$or" => self.list(asked, true)?,
            "$nor" => self.list(asked, true)?.negated(),
            "$not" => self.parts(asked)?.negated(),
            // A group that is not decided stays a group.
            "$savedGroup" => match self.saved_group(asked)? {
                Pruned::Depends(_) => Pruned::Depends(asked.clone()),
                decided => decided,
            },
            attribute if self.is_known(attribute) => self.judge(attribute, asked),
            _ => Pruned::Depends(asked.clone()),
        })
    }

    fn list(&mut self, asked: &Json, is_any: bool) -> Result<Pruned, Unjudged> {
        let conditions = asked.as_array().ok_or(Unjudged)?;
        let mut left = Vec::new();
        for condition in conditions {
            match self.parts(condition)? {
                Pruned::Holds if is_any => return Ok(Pruned::Holds),
                Pruned::Fails if !is_any => return Ok(Pruned::Fails),
                Pruned::Holds | Pruned::Fails => {}
                Pruned::Depends(rest) => left.push(rest),
            }
        }
        Ok(match () {
            () if !left.is_empty() => Pruned::Depends(left.into()),
            // Any of nothing holds, in GrowthBook.
            () if is_any && !conditions.is_empty() => Pruned::Fails,
            () => Pruned::Holds,
        })
    }

    fn saved_group(&mut self, asked: &Json) -> Result<Pruned, Unjudged> {
        let Some(id) = asked.get("id").and_then(Json::as_str) else {
            return Ok(Pruned::Fails);
        };
        let Some(group) = self.groups.get(id) else {
            return Ok(Pruned::Fails);
        };
        self.looked_into += 1;
        if self.looked_into > GROUPS_MAX {
            return Err(Unjudged);
        }
        if self.open.iter().any(|open| open == id) {
            return Ok(Pruned::Fails);
        }
        match group.get("type").and_then(Json::as_str) {
            Some("condition") => {
                let Some(condition) = group.get("condition").filter(|it| it.is_object()) else {
                    return Ok(Pruned::Fails);
                };
                self.open.push(id.into());
                let pruned = self.parts(condition);
                self.open.pop();
                pruned
            }
            Some("list") => {
                let own = asked.get("attributeKey").or(group.get("attributeKey"));
                Ok(match own.and_then(Json::as_str) {
                    Some(attribute) if !self.is_known(attribute) => Pruned::Depends(asked.clone()),
                    _ => self.judge("$savedGroup", asked),
                })
            }
            // Of a kind that whoever gets the payload may know.
            Some(_) => Ok(Pruned::Depends(asked.clone())),
            None => Ok(Pruned::Fails),
        }
    }

    /// What lies inside an attribute is not known with it: only a part of it may be there.
    fn is_known(&self, attribute: &str) -> bool {
        !attribute.contains('.') && self.known.contains_key(attribute)
    }

    /// Evaluates one part, in both ways round: what holds in neither is not known here.
    fn judge(&mut self, key: &str, asked: &Json) -> Pruned {
        let part = json!({ key: asked });
        let text = part.to_string();
        let known = self.judged.get(&text).copied();
        let holds = known.unwrap_or_else(|| {
            let holds = self.evaluated(&part);
            self.judged.insert(text, holds);
            holds
        });
        match holds {
            Some(true) => Pruned::Holds,
            Some(false) => Pruned::Fails,
            None => Pruned::Depends(asked.clone()),
        }
    }

    fn evaluated(&self, part: &Json) -> Option<bool> {
        let rule = |condition: Json| json!({"rules": [{"condition": condition, "force": true}]});
        let file = json!({
            "features": {"holds": rule(part.clone()), "fails": rule(json!({ "$not": part }))},
            "savedGroups": needed(part, self.groups),
        });
        let file = file.to_string();
        let flags = FlagSet::load("part", file.as_bytes(), Dialect::GrowthBook).ok()?;
        let context = Context::anonymous().with(self.known);
        let is = |key: &str| flags.set.bool(key, false, &context).value;
        match (is("holds"), is("fails")) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    }
}

impl Pruned {
    fn negated(self) -> Self {
        match self {
            Pruned::Holds => Pruned::Fails,
            Pruned::Fails => Pruned::Holds,
            depends @ Pruned::Depends(_) => depends,
        }
    }
}

impl From<Pruned> for Json {
    /// `true`, `false`, or what is left.
    fn from(pruned: Pruned) -> Json {
        match pruned {
            Pruned::Holds => true.into(),
            Pruned::Fails => false.into(),
            Pruned::Depends(rest) => rest,
        }
    }
}
