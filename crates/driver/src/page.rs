pub(crate) struct Rendered { pub(crate) markdown: String, pub(crate) html: String }
pub(crate) fn render(_p: &nonevent_strategy::Plan, _n: nonevent_document::Timestamp, _q: Option<&nonevent_rollout::Proof>) -> Result<Rendered, crate::DriverError> { Ok(Rendered{markdown: String::new(), html: String::new()}) }
