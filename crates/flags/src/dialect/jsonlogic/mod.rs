//! JsonLogic with flagd's operators, compiled.
//!
//! Source: <https://jsonlogic.com/operations.html> and the behaviour of its JavaScript
//! implementation; flagd's custom operations for `fractional`, `sem_ver`, `starts_with` and
//! `ends_with`.

mod fractional;
mod operators;

use super::shape::place;
use crate::codes::{self, Refusal};
use crate::ir::{Expr, HashMode, Literal, Op, Segment, Variant};
use crate::load::Limits;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use nonevent_document::{Code, Finding, Member, Node, Value as Tree, item_path, member_path};

/// Compiles the rules of one file, which share its evaluators.
pub(super) struct Compiler<'n> {
    hash: HashMode,
    depth_max: usize,
    nodes_max: usize,
    evaluators: BTreeMap<&'n str, Evaluator<'n>>,
    pub(super) findings: Vec<Finding>,
}

struct Evaluator<'n> {
    node: &'n Node,
    progress: Progress,
}

#[derive(Clone)]
enum Progress {
    Waiting,
    Running,
    Done(Measured),
    Failed,
    /// Too deep as seen from where it was referred to; maybe not from elsewhere.
    TooDeep,
}

#[derive(Clone)]
struct Measured {
    segment: Arc<Segment>,
    depth: usize,
    nodes: usize,
}

/// What the texts that a rule results in are to name.
#[derive(Clone, Copy)]
pub(super) enum Names<'v> {
    /// One of these variants.
    Of(&'v [Variant]),
    /// Not known here.
    Open,
}

/// One rule in the making.
struct Draft<'c, 'n, 'v> {
    compiler: &'c mut Compiler<'n>,
    root: String,
    path: Vec<Piece<'n>>,
    names: Names<'v>,
    deepest: usize,
    nodes: usize,
}

enum Piece<'n> {
    Key(&'n str),
    Index(usize),
}

/// Whether an expression's value is the rule's result.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Result,
    Inner,
}

type Compiled = Result<Expr, Refusal>;

impl<'n> Compiler<'n> {
    pub(super) fn new(hash: HashMode, limits: &Limits) -> Self {
        Self {
            hash,
            depth_max: limits.expression_depth_max,
            nodes_max: limits.expression_nodes_max,
            evaluators: BTreeMap::new(),
            findings: Vec::new(),
        }
    }

    /// Compiles the shared evaluators. A wrong one spoils only the flags that refer to it.
    pub(super) fn evaluators(&mut self, members: &'n [Member]) {
        for Member { key, value, .. } in members {
            let evaluator = Evaluator {
                node: value,
                progress: Progress::Waiting,
            };
            self.evaluators.insert(key, evaluator);
        }
        for member in members {
            self.evaluator(&member.key, 0);
        }
    }

    /// All evaluators that compiled, by name.
    pub(super) fn segments(&self) -> Vec<Arc<Segment>> {
        let done = |evaluator: &Evaluator<'n>| match &evaluator.progress {
            Progress::Done(measured) => Some(Arc::clone(&measured.segment)),
            _ => None,
        };
        self.evaluators.values().filter_map(done).collect()
    }

    /// One rule. `path` is where it stands in the document.
    pub(super) fn rule(&mut self, node: &'n Node, path: &str, names: Names<'_>) -> Compiled {
        self.draft(path, names).expr(node, Place::Result, 1)
    }

    fn draft<'c, 'v>(&'c mut self, path: &str, names: Names<'v>) -> Draft<'c, 'n, 'v> {
        let root = path.into();
        Draft {
            compiler: self,
            root,
            path: Vec::new(),
            names,
            deepest: 0,
            nodes: 0,
        }
    }

    /// Compiles the evaluator of this name unless that was done. `Running` means that it refers
    /// to itself; `None` that there is none. `depth` is how deep the reference stands: counting
    /// on from there bounds the recursion, however long a chain of references is.
    fn evaluator(&mut self, name: &str, depth: usize) -> Option<Progress> {
        let (&name, evaluator) = self.evaluators.get_key_value(name)?;
        let node = evaluator.node;
        if !matches!(evaluator.progress, Progress::Waiting) {
            return Some(evaluator.progress.clone());
        }
        self.progress(name, Progress::Running);
        let mut draft = self.draft(&member_path("$evaluators", name), Names::Open);
        let body = draft.expr(node, Place::Inner, depth + 1);
        let (deepest, nodes) = (draft.deepest, draft.nodes);
        let progress = match body {
            Ok(body) => {
                let segment = Arc::new(Segment {
                    name: name.into(),
                    body,
                });
                Progress::Done(Measured {
                    segment,
                    depth: deepest - depth,
                    nodes,
                })
            }
            Err(finding) if finding.code == codes::TOO_LARGE && depth > 0 => {
                // Its own turn will tell whether it is too deep in itself.
                self.progress(name, Progress::Waiting);
                return Some(Progress::TooDeep);
            }
            Err(finding) => {
                self.findings.push(*finding);
                Progress::Failed
            }
        };
        self.progress(name, progress.clone());
        Some(progress)
    }

    fn progress(&mut self, name: &str, progress: Progress) {
        if let Some(evaluator) = self.evaluators.get_mut(name) {
            evaluator.progress = progress;
        }
    }
}

impl<'n> Draft<'_, 'n, '_> {
    fn expr(&mut self, node: &'n Node, place: Place, depth: usize) -> Compiled {
        self.nodes += 1;
        self.deepest = self.deepest.max(depth);
        self.check_size(node, depth, self.nodes)?;
        match &node.value {
            Tree::Object(members) => match members.as_slice() {
                [only] => self.operation(node, only, place, depth),
                members => {
                    if !members.is_empty() {
                        self.note(
                            codes::ARGUMENTS,
                            node,
                            "an object with several keys is data, not a rule",
                            "give each operator an object of its own",
                        );
                    }
                    Ok(Expr::constant(node.to_json()))
                }
            },
            Tree::Array(items) => self.list(items, depth),
            Tree::String(name) if place == Place::Result => Ok(self.named(node, name)),
            Tree::Bool(value) if place == Place::Result => {
                self.expect_variant(node, if *value { "true" } else { "false" });
                Ok(Expr::constant(*value))
            }
            _ => Ok(Expr::constant(node.to_json())),
        }
    }

    /// A list: constant if all its elements are.
    fn list(&mut self, items: &'n [Node], depth: usize) -> Compiled {
        let items = self.each(items, |_| Place::Inner, depth + 1)?;
        let constants: Option<Vec<_>> = items.iter().map(|item| item.as_const().cloned()).collect();
        Ok(match constants {
            Some(values) => Expr::Const(Literal::new(values.into())),
            None => Expr::List(items),
        })
    }

    fn each(
        &mut self,
        items: &'n [Node],
        place: impl Fn(usize) -> Place,
        depth: usize,
    ) -> Result<Box<[Expr]>, Refusal> {
        let mut compiled = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            self.path.push(Piece::Index(index));
            compiled.push(self.expr(item, place(index), depth)?);
            self.path.pop();
        }
        Ok(compiled.into())
    }

    /// `{"operator": arguments}`.
    fn operation(
        &mut self,
        node: &'n Node,
        member: &'n Member,
        place: Place,
        depth: usize,
    ) -> Compiled {
        self.path.push(Piece::Key(&member.key));
        let compiled = match &*member.key {
            "$ref" => self.reference(&member.value, depth)?,
            "fractional" => self.fractional(&member.value, place, depth)?,
            "var" => self.var(&member.value, depth)?,
            name => match if name == "?:" {
                Some(Op::If)
            } else {
                Op::of(name)
            } {
                Some(op) => self.call(op, &member.value, place, depth)?,
                None => {
                    let message = format!("the operator {name:?} is not known");
                    let help = "check the spelling; those of JsonLogic and flagd's `fractional`, \
                                `sem_ver`, `starts_with` and `ends_with` are known";
                    return Err(self.error(codes::UNKNOWN_OPERATOR, node, message, help));
                }
            },
        };
        self.path.pop();
        Ok(compiled)
    }

    /// A text that is the rule's result.
    fn named(&mut self, node: &Node, name: &str) -> Expr {
        match self.expect_variant(node, name) {
            Some(index) => Expr::Variant(index, name.into()),
            None => Expr::constant(name),
        }
    }

    /// The variant of this name, or a finding.
    fn expect_variant(&mut self, node: &Node, name: &str) -> Option<usize> {
        let Names::Of(variants) = self.names else {
            return None;
        };
        let index = variants.iter().position(|variant| *variant.name == *name);
        if index.is_none() {
            let message = format!("the rule results in {name:?}, which is no variant");
            let finding = self.error(
                codes::UNDEFINED_VARIANT,
                node,
                message,
                "name one of the variants",
            );
            self.compiler.findings.push(*finding);
        }
        index
    }

    fn check_size(&self, node: &Node, depth: usize, nodes: usize) -> Result<(), Refusal> {
        let help = "split the rule, or use fewer nested evaluators";
        if depth > self.compiler.depth_max {
            let message = format!("the rule nests deeper than {}", self.compiler.depth_max);
            return Err(self.error(codes::TOO_LARGE, node, message, help));
        }
        if nodes > self.compiler.nodes_max {
            let message = format!("the rule has more than {} parts", self.compiler.nodes_max);
            return Err(self.error(codes::TOO_LARGE, node, message, help));
        }
        Ok(())
    }

    fn note(&mut self, code: Code, node: &Node, message: &str, help: &str) {
        let finding =
            Finding::warning(code, self.path_text(), message, help).spanning(&place(node));
        self.compiler.findings.push(finding);
    }

    fn error(&self, code: Code, node: &Node, message: String, help: &str) -> Refusal {
        Finding::error(code, self.path_text(), message, help)
            .spanning(&place(node))
            .into()
    }

    fn path_text(&self) -> String {
        self.path
            .iter()
            .fold(self.root.clone(), |path, piece| match piece {
                Piece::Key(key) => member_path(&path, key),
                Piece::Index(index) => item_path(&path, *index),
            })
    }
}
