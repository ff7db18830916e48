//! GrowthBook payloads cut down for those who get to see them: an app in a browser needs neither the
//! features of other projects nor rules that cannot apply to the user it is for.

mod groups;
mod prune;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use prune::Pruner;
use serde_json::{Map, Value as Json, json};

pub use prune::Pruned;

/// Which features and experiments, by what their `metadata` says of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PayloadFilter {
    /// In one of these projects.
    pub projects: Option<Vec<Json>>,
    /// With one of these tags.
    pub tags: Option<Vec<Json>>,
    /// For each of these fields, with one of these values in it.
    pub custom_fields: BTreeMap<String, Vec<Json>>,
}

/// What a payload is reduced by.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reduction {
    /// Attributes that are known of the user; all others are unknown, and so is whatever lies inside
    /// one of them.
    pub attributes: Map<String, Json>,
    /// What must be so of a feature or experiment that is kept.
    pub include: PayloadFilter,
    /// What must not be so of one that is kept.
    pub exclude: PayloadFilter,
    /// Whether features that others depend on go by the filters as well; holdouts are kept even then.
    /// Otherwise they are kept with those that need them.
    pub filter_prerequisites: bool,
}

/// Reduces a payload: what it keeps evaluates for everybody who has the known attributes as it did.
///
/// Conditions lose the parts that the known attributes decide; rules whose condition cannot hold keep
/// a condition that never holds (`{"$not": {}}`), without their value. Saved groups and contextual
/// bandits that nothing kept uses are left out. A condition that cannot be judged stays as written.
///
/// ```
/// use nonevent_flags::{Reduction, reduce_payload};
/// use serde_json::json;
///
/// let payload = json!({"features": {"f": {"defaultValue": 0, "rules": [
///     {"condition": {"country": "se", "plan": "pro"}, "force": 1},
/// ]}}});
/// let known = json!({"country": "se"}).as_object().cloned().unwrap_or_default();
/// let by = Reduction { attributes: known, ..Reduction::default() };
/// let reduced = reduce_payload(&payload, &by);
/// assert_eq!(reduced["features"]["f"]["rules"][0]["condition"], json!({"plan": "pro"}));
/// ```
#[must_use]
pub fn reduce_payload(payload: &Json, by: &Reduction) -> Json {
    let none = Map::new();
    let part = |name: &str| payload.get(name).and_then(Json::as_object).unwrap_or(&none);
    let groups = part("savedGroups");
    let mut reducer = Reducer {
        by,
        features: part("features"),
        pruner: Pruner::new(&by.attributes, groups),
        kept: Map::new(),
    };
    for (key, feature) in reducer.features {
        if by.keeps(feature.get("metadata")) {
            reducer.keep(key);
        }
    }
    let experiments = payload.get("experiments").and_then(Json::as_array);
    let experiments = experiments.into_iter().flatten();
    let experiments: Vec<Json> = experiments
        .filter(|experiment| by.keeps(experiment.get("metadata")))
        .map(|experiment| reducer.pruned(experiment, false))
        .collect();
    experiments
        .iter()
        .for_each(|experiment| reducer.keep_parents(experiment));
    let bandits = reducer.bandits(part("contextualBandits"), &experiments);
    let roots = json!([reducer.kept, experiments, bandits]);
    let groups = groups::kept(&roots, &mut reducer.pruner, groups);
    let mut reduced = payload.as_object().cloned().unwrap_or_default();
    if reduced
        .remove("contextualBandits")
        .is_some_and(|it| it.is_object())
    {
        reduced.insert("contextualBandits".into(), bandits.into());
    }
    reduced.insert("features".into(), reducer.kept.into());
    reduced.insert("experiments".into(), experiments.into());
    reduced.insert("savedGroups".into(), groups.into());
    reduced.into()
}

/// What a condition comes to where only these attributes are known.
///
/// ```
/// use nonevent_flags::{Pruned, prune_condition};
/// use serde_json::{Map, json};
///
/// let known = json!({"id": 7}).as_object().cloned().unwrap_or_default();
/// let condition = json!({"$or": [{"id": 7}, {"plan": "pro"}]});
/// assert_eq!(prune_condition(&condition, &known, &Map::new()), Pruned::Holds);
/// ```
#[must_use]
pub fn prune_condition(
    condition: &Json,
    attributes: &Map<String, Json>,
    saved_groups: &Map<String, Json>,
) -> Pruned {
    Pruner::new(attributes, saved_groups).condition(condition)
}

struct Reducer<'p> {
    by: &'p Reduction,
    features: &'p Map<String, Json>,
    pruner: Pruner<'p>,
    kept: Map<String, Json>,
}

impl Reducer<'_> {
    /// Keeps a feature and those it depends on.
    fn keep(&mut self, key: &str) {
        let mut open = Vec::from([String::from(key)]);
        while let Some(key) = open.pop() {
            let Some(feature) = self.features.get(&key).filter(|it| it.is_object()) else {
                continue;
            };
            if self.kept.contains_key(&key) {
                continue;
            }
            let mut feature = feature.clone();
            // A feature that is kept for others has its own projects.
            let is_ours = self.by.has_project(feature.get("metadata"));
            if let Some(rules) = feature.get("rules").and_then(Json::as_array) {
                let served = |rule: &&Json| !is_ours || self.by.serves_rule(rule.get("metadata"));
                let served: Vec<Json> = rules.iter().filter(served).cloned().collect();
                let pruned: Vec<Json> = served.iter().map(|rule| self.pruned(rule, true)).collect();
                for rule in &pruned {
                    open.extend(self.parents(rule));
                }
                feature["rules"] = pruned.into();
            }
            self.kept.insert(key, feature);
        }
    }

    fn keep_parents(&mut self, experiment: &Json) {
        for parent in self.parents(experiment) {
            self.keep(&parent);
        }
    }

    fn parents(&self, rule: &Json) -> Vec<String> {
        let parents = rule.get("parentConditions").and_then(Json::as_array);
        let parents = parents.into_iter().flatten();
        parents
            .filter_map(|parent| parent.get("id").and_then(Json::as_str))
            .filter(|id| !self.by.filter_prerequisites || id.starts_with("$holdout:"))
            .map(String::from)
            .collect()
    }

    /// A rule or an experiment with what is left of its condition.
    fn pruned(&mut self, item: &Json, is_rule: bool) -> Json {
        let mut item = item.clone();
        let Some(fields) = item.as_object_mut() else {
            return item;
        };
        let Some(condition) = fields.get("condition").filter(|it| is_said(it)) else {
            return item;
        };
        match self.pruner.condition(condition) {
            Pruned::Holds => drop(fields.remove("condition")),
            Pruned::Fails => {
                // It stays, as assignments that are remembered do without a condition, and gates come
                // before it. A value that is never forced need not be seen.
                fields.insert("condition".into(), json!({"$not": {}}));
                if let Some(value) = fields.get_mut("force").filter(|_| is_rule) {
                    *value = Json::Null;
                }
            }
            Pruned::Depends(rest) => drop(fields.insert("condition".into(), rest)),
        }
        item
    }

    /// The bandits that what is kept uses, without the leaves that cannot fit.
    fn bandits(&mut self, all: &Map<String, Json>, experiments: &[Json]) -> Map<String, Json> {
        let rules = self.kept.values().filter_map(|it| it.get("rules"));
        let rules = rules.filter_map(Json::as_array).flatten();
        let named = rules.chain(experiments);
        let named = named.filter_map(|it| it.get("contextualBanditRef")?.as_str());
        let named: Vec<String> = named.map(String::from).collect();
        let mut kept = Map::new();
        for name in named {
            if let Some(bandit) = all.get(&name).filter(|_| !kept.contains_key(&name)) {
                let bandit = self.bandit(bandit);
                kept.insert(name, bandit);
            }
        }
        kept
    }

    fn bandit(&mut self, bandit: &Json) -> Json {
        let mut bandit = bandit.clone();
        let Some(fields) = bandit.as_object_mut() else {
            return bandit;
        };
        let mut leaves = Vec::new();
        for leaf in fields
            .get("contexts")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
        {
            let condition = leaf.get("condition").filter(|it| is_said(it));
            let rest = match condition.map(|condition| self.pruner.condition(condition)) {
                Some(Pruned::Fails) => continue,
                None | Some(Pruned::Holds) => json!({}),
                Some(Pruned::Depends(rest)) => rest,
            };
            let mut leaf = leaf.clone();
            if let Some(leaf) = leaf.as_object_mut() {
                leaf.insert("condition".into(), rest);
            }
            leaves.push(leaf);
        }
        fields.insert("contexts".into(), leaves.into());
        bandit
    }
}

impl Reduction {
    fn keeps(&self, metadata: Option<&Json>) -> bool {
        let said = |name: &str| metadata.and_then(|all| all.get(name));
        let field = |name: &String| said("customFields").and_then(|all| all.get(name));
        let (include, exclude) = (&self.include, &self.exclude);
        let includes = |(name, wanted): (&String, &Vec<Json>)| has_any(field(name), wanted);
        self.has_project(metadata)
            && include
                .tags
                .as_ref()
                .is_none_or(|wanted| has_any(said("tags"), wanted))
            && include.custom_fields.iter().all(includes)
            && !exclude
                .projects
                .as_ref()
                .is_some_and(|it| has_any(said("projects"), it))
            && !exclude
                .tags
                .as_ref()
                .is_some_and(|it| has_any(said("tags"), it))
            && !exclude.custom_fields.iter().any(includes)
    }

    /// Whether a feature is in one of the projects, or in all.
    fn has_project(&self, metadata: Option<&Json>) -> bool {
        let said = |name: &str| metadata.and_then(|all| all.get(name));
        match &self.include.projects {
            None => true,
            Some(wanted) => {
                said("allProjects").is_some_and(is_said) || has_any(said("projects"), wanted)
            }
        }
    }

    /// Whether a rule is for one of the projects; one that names none is for all.
    fn serves_rule(&self, metadata: Option<&Json>) -> bool {
        let projects = metadata.and_then(|all| all.get("projects"));
        match projects.filter(|it| is_said(it)) {
            None => true,
            Some(_) => self.has_project_named(projects),
        }
    }

    fn has_project_named(&self, projects: Option<&Json>) -> bool {
        let wanted = self.include.projects.as_ref();
        wanted.is_none_or(|wanted| has_any(projects, wanted))
    }
}

/// Whether a value, or one in a list of them, is one of these.
fn has_any(value: Option<&Json>, wanted: &[Json]) -> bool {
    match value {
        None => false,
        Some(Json::Array(values)) => values.iter().any(|value| wanted.contains(value)),
        Some(value) => wanted.contains(value),
    }
}

/// What JavaScript takes for true.
fn is_said(value: &Json) -> bool {
    crate::eval::val::truthy(value.into())
}
