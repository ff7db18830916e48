//! What is known of how Yggdrasil differs, each recognised from the definition and the context.

use super::Answer;
use serde_json::{Value as Json, json};

/// What a recogniser may look at.
pub(super) struct Seen<'s> {
    pub(super) definition: &'s Json,
    pub(super) feature: &'s Json,
    pub(super) context: &'s Json,
    /// The features that the peer said it cannot compile.
    pub(super) refused: &'s [&'s str],
}

impl<'s> Seen<'s> {
    /// The feature and its parents.
    fn involved(&self) -> impl Iterator<Item = &'s Json> {
        std::iter::once(self.feature).chain(self.parents().map(|(_, parent)| parent))
    }

    /// Whether the peer's answer is one of chance.
    pub(super) fn draws_lots(&self) -> bool {
        let keyless = self.context["userId"].is_null() && self.context["sessionId"].is_null();
        self.involved().any(|feature| {
            let of_feature = items(&feature["variants"]).count() > 1
                && chance_decides(&feature["variants"][0]["stickiness"], self.context, keyless);
            let of_strategy = items(&feature["strategies"]).any(|strategy| {
                let parameters = &strategy["parameters"];
                let sticky = matches!(parameters["stickiness"].as_str(), None | Some("default"));
                let partial = !matches!(parameters["rollout"].as_str(), Some("0" | "100"));
                let rollout = strategy["name"] == "flexibleRollout" && sticky && keyless && partial;
                let variants = items(&strategy["variants"]).count() > 1
                    && chance_decides(&parameters["stickiness"], self.context, keyless);
                rollout || variants
            });
            of_feature || of_strategy
        })
    }

    /// What explains a difference.
    pub(super) fn reason(&self, _ours: &Answer, theirs: Option<&Answer>) -> Option<&'static str> {
        if theirs.is_none() && self.involved().any(weighs_nothing) {
            return Some("the peer panics where the weights of variants sum to 0");
        }
        let refused = |feature: &Json| self.refused.iter().any(|name| feature["name"] == **name);
        if self.involved().any(refused) {
            return Some(
                "the peer turns off a whole feature of which it cannot compile one strategy",
            );
        }
        if self
            .parents()
            .any(|(_, parent)| items(&parent["strategies"]).any(groupless))
        {
            return Some(
                "the peer hashes a parent's rollout without a group under its child's name",
            );
        }
        if let Some(reason) = self.of_constraints() {
            return Some(reason);
        }
        let variants = |wanted: &Json| items(&wanted["variants"]).next().is_some();
        let any_parent = |is: &dyn Fn(&Json, &Json) -> bool| {
            self.parents()
                .any(|(wanted, parent)| variants(wanted) && is(wanted, parent))
        };
        if any_parent(&|wanted, _| wanted["enabled"] == false) {
            return Some("the peer asks for the variant of a parent that is wanted off");
        }
        if any_parent(&|_, _| true) {
            return Some("the peer lets a parent without a variant have any that is wanted");
        }
        None
    }

    fn of_constraints(&self) -> Option<&'static str> {
        let constraints = self.constraints();
        let any = |is: &dyn Fn(&Json, &str, Option<&str>) -> bool| {
            constraints.iter().any(|it| {
                let operator = it["operator"].as_str().unwrap_or_default();
                is(
                    it,
                    operator,
                    self.field(it["contextName"].as_str().unwrap_or_default()),
                )
            })
        };
        if any(&|it, operator, _| {
            let pattern = it["value"].as_str().unwrap_or_default();
            operator == "REGEX" && it["inverted"] == true && regex::Regex::new(pattern).is_err()
        }) {
            return Some("the peer lets an inverted pattern hold that is no pattern");
        }
        if any(&|it, operator, _| {
            it["contextName"] == "currentTime"
                && !operator.starts_with("DATE")
                && self.context["currentTime"].is_null()
        }) {
            return Some(
                "the peer reads the time that a context lacks as a text, not as milliseconds",
            );
        }
        if any(&|_, operator, value| operator.starts_with("NUM") && value.is_some_and(wordy)) {
            return Some("the peer takes words such as inf and NaN for numbers");
        }
        if any(&|it, operator, _| {
            let text = it["value"].as_str().unwrap_or_default();
            let other = operator.starts_with("DATE") || operator.starts_with("SEMVER");
            other && (text.parse::<f64>().is_ok() || text.trim() != text)
        }) {
            return Some(
                "the peer reads a date or version by its look, as a number or without spaces",
            );
        }
        let loose = |text: &str| text.ends_with("+0200") || text.contains("01 00:");
        if any(&|_, operator, value| operator.starts_with("DATE") && value.is_some_and(loose)) {
            return Some("the peer reads times that RFC 3339 would write in another way");
        }
        if self.strategies().any(|it| {
            let parameters = &it["parameters"];
            let texts = [&parameters["rollout"], &parameters["percentage"]];
            texts
                .iter()
                .filter_map(|it| it.as_str())
                .any(|text| text.trim() != text)
        }) {
            return Some("the peer takes no percentage with a space after it");
        }
        let networks = || {
            let of_strategies = self
                .strategies()
                .filter_map(|it| it["parameters"]["IPs"].as_str());
            let of_constraints = constraints.iter().filter(|it| it["operator"] == "IN_CIDR");
            let listed = of_constraints
                .flat_map(|it| items(&it["values"]))
                .filter_map(Json::as_str);
            of_strategies.chain(listed)
        };
        if networks().any(|text| text.contains("/255.")) {
            return Some("the peer reads a mask after a network's address");
        }
        let listed = constraints.iter().filter(|it| it["operator"] == "IN_CIDR");
        let mut listed = listed
            .flat_map(|it| items(&it["values"]))
            .filter_map(Json::as_str);
        if listed.any(|text| text.trim() != text) {
            return Some("the peer takes no network with spaces around it");
        }
        let values = self.context.to_string();
        if values.contains("::ffff:") || networks().any(|text| text.contains("::ffff:")) {
            return Some(
                "the peer keeps an address of IPv4 written as IPv6 apart from the same of IPv4",
            );
        }
        let nobody = |strategy: &Json| {
            let ids = strategy["parameters"]["userIds"].as_str();
            strategy["name"] == "userWithId"
                && ids.is_some_and(|ids| ids.split(',').any(|id| id.trim().is_empty()))
        };
        if self.context["userId"] == "" && self.strategies().any(nobody) {
            return Some("the peer lets a user whose id is empty be among no ids");
        }
        None
    }

    fn strategies(&self) -> impl Iterator<Item = &'s Json> {
        self.involved()
            .flat_map(|feature| items(&feature["strategies"]))
    }

    /// All constraints that the feature and its parents look at.
    fn constraints(&self) -> Vec<&'s Json> {
        let own = self.strategies().flat_map(|it| items(&it["constraints"]));
        let segments = items(&self.definition["segments"]);
        let named = |id: &Json| {
            self.strategies()
                .any(|it| items(&it["segments"]).any(|own| own == id))
        };
        let shared = segments
            .filter(|it| named(&it["id"]))
            .flat_map(|it| items(&it["constraints"]));
        own.chain(shared).collect()
    }

    /// What the context has in this field.
    fn field(&self, name: &str) -> Option<&'s str> {
        self.context[name]
            .as_str()
            .or(self.context["properties"][name].as_str())
    }

    /// The parents, each with what is wanted of it.
    fn parents(&self) -> impl Iterator<Item = (&'s Json, &'s Json)> {
        items(&self.feature["dependencies"]).filter_map(|wanted| {
            let mut all = items(&self.definition["features"]);
            Some((wanted, all.find(|it| it["name"] == wanted["feature"])?))
        })
    }

    /// The feature, its parents and the segments.
    pub(super) fn told(&self) -> Json {
        let features: Vec<&Json> = self.involved().collect();
        json!({"features": features, "segments": self.definition["segments"]})
    }

    /// What is in the feature, for differences that nothing explains.
    pub(super) fn class(&self) -> String {
        let mut words: Vec<&str> = Vec::new();
        for feature in self.involved() {
            for strategy in items(&feature["strategies"]) {
                words.extend(strategy["name"].as_str());
                words.extend(
                    items(&strategy["constraints"]).filter_map(|it| it["operator"].as_str()),
                );
            }
            if items(&feature["variants"]).next().is_some() {
                words.push("variants");
            }
        }
        if self.feature["dependencies"].is_array() {
            words.push("dependencies");
        }
        if self
            .refused
            .iter()
            .any(|name| self.feature["name"] == **name)
        {
            words.push("refused");
        }
        words.sort_unstable();
        words.dedup();
        words.join(" ")
    }
}

fn chance_decides(stickiness: &Json, context: &Json, keyless: bool) -> bool {
    match stickiness.as_str() {
        None | Some("default") => keyless,
        Some(name @ ("userId" | "sessionId" | "environment" | "appName" | "remoteAddress")) => {
            context[name].is_null()
        }
        Some(name) => context["properties"][name].is_null(),
    }
}

fn items(list: &Json) -> impl Iterator<Item = &Json> {
    list.as_array().into_iter().flatten()
}

/// Whether a feature or a strategy of it has variants whose weights sum to 0.
fn weighs_nothing(feature: &Json) -> bool {
    let lists = items(&feature["strategies"]).map(|strategy| &strategy["variants"]);
    lists.chain([&feature["variants"]]).any(|list| {
        items(list).next().is_some() && items(list).all(|variant| variant["weight"] == 0)
    })
}

fn groupless(strategy: &Json) -> bool {
    strategy["name"] == "flexibleRollout" && strategy["parameters"]["groupId"].is_null()
}

/// Whether this is a word that Rust reads as a number.
fn wordy(text: &str) -> bool {
    let letters = text
        .trim_start_matches(['+', '-'])
        .starts_with(|c: char| c.is_alphabetic());
    letters && text.parse::<f64>().is_ok()
}
