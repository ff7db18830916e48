//! GrowthBook's features, with GrowthBook's own SDK for Rust.
//!
//! Its client fetches features and waits for them, but what it evaluates is open to all: a map of
//! features, read from JSON, and saved groups. That is called here, without client and network.

mod explain;
mod generate;
mod shrink;

use super::{Pair, Tally, caught, now};
use crate::engines;
use crate::random::Dice;
use growthbook_rust::dto::GrowthBookFeature;
use growthbook_rust::growthbook::GrowthBook;
use growthbook_rust::model_public::{GrowthBookAttribute, SavedGroup};
use growthbook_rust::sticky_bucket::{InMemoryStickyBucketService, StickyBucketService};
use nonevent_flags::{Context, Dialect, ErrorCode, FlagSet, Value};
use serde_json::{Map, Value as Json};
use std::collections::HashMap;
use std::sync::Arc;

/// What a feature gives: a value, or null where it has none.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    Value(Json),
    /// The definition is wrong, and nobody gets a value.
    Broken,
    Panic,
}

/// Several features, several contexts.
pub(super) fn round(dice: &mut Dice, tally: &mut Tally) {
    let definition = generate::definition(dice);
    let Some(mut both) = Both::new(&definition) else {
        tally.leave_out("the peer does not read the file");
        return;
    };
    for _ in 0..8 {
        let attributes = generate::context(dice);
        for feature in generate::FEATURES {
            let answers = both.answers(feature, &attributes);
            if answers.agree() {
                tally.same();
                continue;
            }
            let least = shrink::least(feature, &answers, &definition, &attributes);
            let pair = Pair {
                definition: &least.definition,
                context: &least.attributes,
                ours: &format!("{feature}: {:?}", answers.ours),
                theirs: &format!("{:?}", answers.theirs),
            };
            tally.differs(
                &pair,
                explain::reason(&least, &answers),
                &explain::class(&least),
            );
        }
    }
}

/// What both engines give.
#[derive(PartialEq)]
pub(super) struct Answers {
    pub(super) ours: Answer,
    pub(super) theirs: Answer,
}

impl Answers {
    fn agree(&self) -> bool {
        self.ours == self.theirs
    }
}

/// Both engines, with the same definition.
pub(super) struct Both {
    ours: FlagSet,
    theirs: GrowthBook,
}

impl Both {
    /// `None` if the peer does not read the definition.
    pub(super) fn new(definition: &Json) -> Option<Self> {
        let features: HashMap<String, GrowthBookFeature> =
            serde_json::from_value(definition["features"].clone()).ok()?;
        let groups = definition["savedGroups"].as_object().into_iter().flatten();
        let saved_groups = groups.map(|(id, group)| (id.clone(), SavedGroup::from(group)));
        let theirs = GrowthBook {
            forced_variations: None,
            features,
            attributes: None,
            sticky_bucket_service: None,
            saved_groups: saved_groups.collect(),
        };
        let ours = engines::ours(&definition.to_string(), Dialect::GrowthBook);
        Some(Self { ours, theirs })
    }

    pub(super) fn answers(&mut self, feature: &str, attributes: &Map<String, Json>) -> Answers {
        // It remembers whom it places, so each evaluation begins with what the context says.
        self.theirs.sticky_bucket_service = remembered(attributes);
        self.theirs.forced_variations = forced(attributes);
        let own = GrowthBookAttribute::from(without_settings(attributes).into()).ok();
        let theirs = caught(|| Answer::Value(plain(&self.theirs.check(feature, &own).value)));
        Answers {
            ours: ours(&self.ours, feature, attributes),
            theirs: theirs.unwrap_or(Answer::Panic),
        }
    }
}

fn ours(set: &FlagSet, feature: &str, attributes: &Map<String, Json>) -> Answer {
    let context = Context::anonymous().with(attributes).at(now());
    let found = set.evaluate(feature, &context);
    match (found.value, found.error_code) {
        (Some(value), _) => Answer::Value(plain(value)),
        (None, Some(ErrorCode::ParseError)) => Answer::Broken,
        // Neither a feature that is none nor those that wait for each other have a value.
        (None, _) => Answer::Value(Json::Null),
    }
}

/// With whole numbers written as such.
fn plain(value: &Json) -> Json {
    Value::from(value).to_json()
}

/// The attributes without what our engine takes from them and the peer elsewhere.
fn without_settings(attributes: &Map<String, Json>) -> Map<String, Json> {
    let mut own = attributes.clone();
    own.remove("__gb");
    own
}

fn forced(attributes: &Map<String, Json>) -> Option<HashMap<String, i64>> {
    let forced = attributes.get("__gb")?.get("forcedVariations")?;
    let all = forced.as_object()?.iter();
    Some(
        all.filter_map(|(key, at)| Some((key.clone(), at.as_i64()?)))
            .collect(),
    )
}

fn remembered(attributes: &Map<String, Json>) -> Option<Arc<dyn StickyBucketService>> {
    let documents = attributes.get("__gb")?.get("stickyBuckets")?.as_object()?;
    let service = InMemoryStickyBucketService::new();
    for (key, document) in documents {
        let (name, value) = key.split_once("||")?;
        let all = document["assignments"].as_object()?.iter();
        let all = all.filter_map(|(key, own)| Some((key.clone(), own.as_str()?.to_owned())));
        service.save_assignments(name, value, all.collect());
    }
    Some(Arc::new(service))
}
