//! Operators and their arguments.

use super::{Compiled, Draft, Piece, Place, Progress};
use crate::codes;
use crate::eval::text::VERSION_OPERATORS;
use crate::ir::{Expr, Op, Path};
use crate::version;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use nonevent_document::{Node, Value as Tree};

impl<'n> Draft<'_, 'n, '_> {
    pub(super) fn call(&mut self, op: Op, node: &'n Node, place: Place, depth: usize) -> Compiled {
        // One argument may stand without a list around it.
        let args = match &node.value {
            Tree::Array(items) => items.as_slice(),
            _ => core::slice::from_ref(node),
        };
        let last = args.len().saturating_sub(1);
        let result = |index: usize| match op {
            Op::If => index % 2 == 1 || index == last,
            Op::And => index == last,
            Op::Or => true,
            _ => false,
        };
        let inner = |index| {
            if place == Place::Result && result(index) {
                place
            } else {
                Place::Inner
            }
        };
        self.check_arguments(op, node, args);
        let args = self.each(args, inner, depth + 1)?;
        Ok(Expr::Call { op, args })
    }

    /// `var`: a path, or a path and a default; either may be computed.
    pub(super) fn var(&mut self, node: &'n Node, depth: usize) -> Compiled {
        let args = match &node.value {
            Tree::Array(items) => items.as_slice(),
            _ => core::slice::from_ref(node),
        };
        let path = match args.first().map(|arg| &arg.value) {
            None | Some(Tree::Null) => Path(Box::default()),
            Some(Tree::String(path)) => split_path(path),
            Some(Tree::Number(number)) => split_path(&number.to_string()),
            Some(_) => {
                let args = self.each(args, |_| Place::Inner, depth + 1)?;
                return Ok(Expr::Call { op: Op::Var, args });
            }
        };
        let default = match args.get(1) {
            Some(default) => {
                self.path.push(Piece::Index(1));
                let default = self.expr(default, Place::Inner, depth + 1)?;
                self.path.pop();
                Some(Box::new(default))
            }
            None => None,
        };
        Ok(Expr::Var { path, default })
    }

    /// `$ref`: an evaluator of this file.
    pub(super) fn reference(&mut self, node: &'n Node, depth: usize) -> Compiled {
        let refuse = |message, help| Err((codes::REFERENCE, message, help));
        let found = match node.as_str() {
            None => refuse(
                format!("the reference is {}", node.kind()),
                "name an evaluator",
            ),
            Some(name) => match self.compiler.evaluator(name, depth) {
                None => refuse(
                    format!("the evaluator {name:?} is not defined"),
                    "name one of `$evaluators`",
                ),
                Some(Progress::Running | Progress::Waiting) => refuse(
                    format!("the evaluator {name:?} refers to itself"),
                    "break the circle",
                ),
                Some(Progress::Failed) => refuse(
                    format!("the evaluator {name:?} is wrong"),
                    "mend the evaluator",
                ),
                Some(Progress::TooDeep) => Err((
                    codes::TOO_LARGE,
                    format!("the rule nests deeper than {}", self.compiler.depth_max),
                    "use fewer nested evaluators",
                )),
                Some(Progress::Done(measured)) => Ok(measured),
            },
        };
        let measured = match found {
            Ok(measured) => measured,
            Err((code, message, help)) => return Err(self.error(code, node, message, help)),
        };
        self.nodes = self.nodes.saturating_add(measured.nodes);
        self.deepest = self.deepest.max(depth + measured.depth);
        self.check_size(node, depth + measured.depth, self.nodes)?;
        Ok(Expr::Segment(measured.segment))
    }

    fn check_arguments(&mut self, op: Op, node: &Node, args: &[Node]) {
        let text = |index: usize| match args.get(index).map(|arg| &arg.value) {
            Some(Tree::String(_) | Tree::Object(_)) | None => true,
            Some(_) => false,
        };
        match op {
            Op::StartsWith | Op::EndsWith if (args.len() != 2 || !text(0) || !text(1)) => {
                self.note(
                    codes::ARGUMENTS,
                    node,
                    "without two texts it gives null",
                    "write {\"starts_with\": [{\"var\": \"name\"}, \"prefix\"]}",
                );
            }
            Op::SemVer => {
                let literal = |index: usize| args.get(index).and_then(Node::as_str);
                let operator = literal(1).is_none_or(|text| VERSION_OPERATORS.contains(&text));
                let version = |index| literal(index).is_none_or(|t| version::lenient(t).is_some());
                if args.len() != 3 || !operator || !version(0) || !version(2) {
                    self.note(
                        codes::ARGUMENTS,
                        node,
                        "without two versions and an operator between them it gives null",
                        "write {\"sem_ver\": [{\"var\": \"version\"}, \">=\", \"1.2.0\"]}",
                    );
                }
            }
            _ => {}
        }
    }
}

fn split_path(path: &str) -> Path {
    Path(if path.is_empty() {
        Box::default()
    } else {
        path.split('.').map(Into::into).collect()
    })
}
