//! Constraints: typed tests of the context's fields.

use super::strategies::subject;
use super::{list, text, texts};
use crate::codes::{self, Refusal};
use crate::condition::{At, Condition, Relation, Test, Versions};
use crate::dialect::shape::wrong;
use crate::eval::condition::network_of;
use crate::ir::{Expr, Op};
use crate::number::decimal_of;
use crate::pattern::Patterns;
use crate::version;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use nonevent_document::{Node, item_path, member_path};

/// All constraints of a strategy or segment; none if it has none.
pub(super) fn all(
    node: &Node,
    path: &str,
    patterns: &mut Patterns,
) -> Result<Option<Expr>, Refusal> {
    let (items, path) = list(node, path, "constraints")?;
    let mut constraints = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        constraints.push(constraint(item, &item_path(&path, index), patterns)?);
    }
    Ok(Expr::joined(Op::And, constraints))
}

/// One constraint. A field that is missing or cannot be read as the operator's type does not
/// satisfy the operator, and so satisfies its opposite (`NOT_IN`, `inverted`).
fn constraint(node: &Node, path: &str, patterns: &mut Patterns) -> Result<Expr, Refusal> {
    let reading = Reading { node, path };
    let name = text(node, path, "contextName")?;
    let operator = text(node, path, "operator")?;
    let ignore_case = reading.is("caseInsensitive");
    let has = |place: At| {
        Ok::<_, Refusal>(Test::Has {
            place,
            texts: reading.values()?.into(),
            ignore_case,
        })
    };
    let test = match operator {
        "IN" | "NOT_IN" => Test::one_of(reading.values()?),
        "STR_STARTS_WITH" => has(At::Start)?,
        "STR_ENDS_WITH" => has(At::End)?,
        "STR_CONTAINS" => has(At::Anywhere)?,
        "NUM_EQ" => reading.number(Relation::Equal)?,
        "NUM_GT" => reading.number(Relation::Greater)?,
        "NUM_GTE" => reading.number(Relation::GreaterEqual)?,
        "NUM_LT" => reading.number(Relation::Less)?,
        "NUM_LTE" => reading.number(Relation::LessEqual)?,
        "DATE_AFTER" => reading.time(Relation::Greater)?,
        "DATE_BEFORE" => reading.time(Relation::Less)?,
        "SEMVER_EQ" => reading.version(Relation::Equal)?,
        "SEMVER_GT" => reading.version(Relation::Greater)?,
        "SEMVER_GTE" => reading.version(Relation::GreaterEqual)?,
        "SEMVER_LT" => reading.version(Relation::Less)?,
        "SEMVER_LTE" => reading.version(Relation::LessEqual)?,
        "REGEX" => patterns
            .compile(&reading.value()?, ignore_case)
            .map(Test::Matches)
            .map_err(|why| {
                reading.unfit(&format!("the regular expression is not usable: {why}"))
            })?,
        // What is no network is left out, as Unleash's clients do.
        "IN_CIDR" => {
            let values = reading.values()?;
            Test::Network(values.iter().filter_map(|text| network_of(text)).collect())
        }
        _ => {
            let message = format!("the operator {operator:?} is not known");
            let help = "use one of Unleash's operators; as it is, what has this constraint is off";
            return Err(wrong(codes::UNKNOWN_OPERATOR, node, path, message, help));
        }
    };
    let condition = Condition {
        of: subject(name),
        test,
        wanted: true,
    };
    let condition = condition.into_expr();
    Ok(if reading.is("inverted") != (operator == "NOT_IN") {
        condition.negated()
    } else {
        condition
    })
}

/// A constraint's fields.
struct Reading<'n> {
    node: &'n Node,
    path: &'n str,
}

impl Reading<'_> {
    fn is(&self, field: &str) -> bool {
        self.node.get(field).and_then(Node::as_bool) == Some(true)
    }

    fn values(&self) -> Result<Vec<alloc::sync::Arc<str>>, Refusal> {
        let (items, path) = list(self.node, self.path, "values")?;
        texts(items, &path)
    }

    /// The one value, a number as its text.
    fn value(&self) -> Result<String, Refusal> {
        match self.node.get("value").map(Node::to_json) {
            Some(serde_json::Value::String(text)) => Ok(text),
            Some(serde_json::Value::Number(number)) => Ok(format!("{number}")),
            _ => Err(self.unfit("the operator needs a `value`")),
        }
    }

    fn number(&self, relation: Relation) -> Result<Test, Refusal> {
        decimal_of(self.value()?.trim())
            .map(|number| Test::Number(relation, number))
            .ok_or_else(|| self.unfit("the value is no number"))
    }

    fn time(&self, relation: Relation) -> Result<Test, Refusal> {
        let time = self.value()?.parse();
        time.map(|time| Test::Time(relation, time))
            .map_err(|_| self.unfit("the value is no time as RFC 3339 writes it"))
    }

    fn version(&self, relation: Relation) -> Result<Test, Refusal> {
        version::strict(&self.value()?)
            .map(|version| Test::Version(relation, version, Versions::Strict))
            .ok_or_else(|| self.unfit("the value is no version such as 1.2.3"))
    }

    fn unfit(&self, message: &str) -> Refusal {
        let help = "write what the operator needs; as it is, what has this constraint is off";
        let path = member_path(self.path, "value");
        wrong(codes::ARGUMENTS, self.node, path, message, help)
    }
}
