//! From a suite and what the caller gives to requests that can be sent.

pub(crate) mod connection;
pub(crate) mod curl;
pub(crate) mod payload;
pub(crate) mod request;
pub(crate) mod rules;
pub(crate) mod select;
pub(crate) mod template;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use nonevent_document::{Findings, Redactor, Secret};
use serde_json::Value as Json;

use crate::backends::Backends;
use crate::bind::rules::{Rules, Schemas};
use crate::bind::select::{Case, select};
use crate::bind::template::{Bindings, Piece, SecretName, Template};
use crate::codes;
use crate::net::exchange::Call;
use crate::net::route::{Origin, Route};
use crate::options::Options;
use crate::suite::model::{
    Auth, Connection, Field, FormValue, JsonTemplate, Payload, Place, Probe, Suite, Test,
};
use crate::target::Target;

/// What the runner calls itself, where a test does not.
pub(crate) const AGENT: &str = concat!("nonevent-smoke/", env!("CARGO_PKG_VERSION"));

/// A case whose references are replaced.
pub(crate) struct Bound {
    pub(crate) url: String,
    /// The part of its path that is the target's.
    pub(crate) base_path: String,
    pub(crate) route: Arc<Route>,
    pub(crate) asked: Asked,
    pub(crate) rules: Rules,
    pub(crate) total_ms: u64,
}

/// What is asked, without references.
pub(crate) enum Asked {
    Http(Call),
    Tcp {
        send: Option<String>,
        expect: Option<String>,
    },
    Tls,
}

/// Everything that binding needs, and that is the same for all cases of a run.
pub(crate) struct Context<'a> {
    pub(crate) suite: &'a Suite,
    pub(crate) target: &'a Target,
    pub(crate) options: &'a Options,
    variables: BTreeMap<String, String>,
    secrets: BTreeMap<SecretName, Secret>,
    files: Mutex<BTreeMap<String, Bytes>>,
    routes: Mutex<Vec<Arc<Route>>>,
    schemas: Schemas,
}

/// A run that nothing stands against.
pub(crate) struct Prepared<'a> {
    pub(crate) context: Context<'a>,
    pub(crate) cases: Vec<Case>,
    /// It knows every secret of the cases.
    pub(crate) redactor: Redactor,
}

impl Suite {
    /// Everything that keeps the suite from being run like this: undefined variables, secrets
    /// that cannot be resolved, values that no request can carry, nothing selected.
    ///
    /// [`run`](crate::run()) makes the same check first.
    #[must_use]
    pub fn check(&self, target: &Target, options: &Options) -> Findings {
        prepare(self, target, options).err().unwrap_or_default()
    }
}

/// Selects, resolves and renders once, or says everything that stands against it.
pub(crate) fn prepare<'a>(
    suite: &'a Suite,
    target: &'a Target,
    options: &'a Options,
) -> Result<Prepared<'a>, Findings> {
    let mut findings = Findings::default();
    let cases = select(suite, options, &mut findings);
    let mut variables = suite.variables.clone();
    variables.extend(options.variables.clone());
    let mut context = Context {
        suite,
        target,
        options,
        variables,
        secrets: BTreeMap::new(),
        files: Mutex::default(),
        routes: Mutex::default(),
        schemas: Schemas::default(),
    };
    let redactor = context.resolve_secrets(&cases);
    let captured: BTreeMap<String, String> = suite
        .tests
        .iter()
        .flat_map(|test| &test.captures)
        // What stands for a value that is not known yet: it fits wherever a value may.
        .map(|capture| (capture.name.clone(), "0".to_owned()))
        .collect();
    let base = Arc::new(Route::new(target.origin().clone(), target.access().clone()));
    for case in &cases {
        // A repeat is bound like the first.
        if case.round == 0
            && let Err(found) = context.bind(*case, &base, &captured)
        {
            findings.extend(found);
        }
    }
    if findings.has_errors() {
        Err(findings)
    } else {
        Ok(Prepared {
            context,
            cases,
            redactor,
        })
    }
}

impl<'a> Context<'a> {
    pub(crate) fn test(&self, case: Case) -> Option<&'a Test> {
        self.suite.tests.get(case.test)
    }

    /// What reports call a case.
    pub(crate) fn name(&self, test: &Test, case: Case) -> String {
        let mut name = test.name.clone();
        if let (Some(template), Some(row)) = (&test.name_template, test.rows.get(case.row)) {
            name = template.render_row(row);
        }
        if test.rows.len() > 1 && name == test.name {
            name.push_str(&format!(" [{}]", case.row + 1));
        }
        if test.repeat > 1 {
            name.push_str(&format!(" #{}", case.round + 1));
        }
        name
    }

    /// What a case's references stand for.
    pub(crate) fn bindings<'b>(
        &'b self,
        case: Case,
        captured: &'b BTreeMap<String, String>,
    ) -> Bindings<'b> {
        let row = self.test(case).and_then(|test| test.rows.get(case.row));
        Bindings {
            row: row.map_or(&[], Vec::as_slice),
            captured,
            variables: &self.variables,
            secrets: &self.secrets,
        }
    }

    /// Replaces a case's references. `base` is the way to the target, or to one backend of it.
    pub(crate) fn bind(
        &self,
        case: Case,
        base: &Arc<Route>,
        captured: &BTreeMap<String, String>,
    ) -> Result<Bound, Findings> {
        let mut binder = Binder {
            context: self,
            bindings: self.bindings(case, captured),
            findings: Findings::default(),
        };
        let bound = self.test(case).and_then(|test| binder.test(test, base));
        match bound {
            Some(bound) if !binder.findings.has_errors() => Ok(bound),
            _ => Err(binder.findings),
        }
    }

    /// Asks for each secret once.
    fn resolve_secrets(&mut self, cases: &[Case]) -> Redactor {
        let mut wanted = BTreeSet::new();
        let mut last = None;
        for case in cases {
            if last == Some(case.test) {
                continue;
            }
            last = Some(case.test);
            if let Some(test) = self.test(*case) {
                visit(test, &mut |template| template.secrets_into(&mut wanted));
            }
        }
        let mut redactor = Redactor::default();
        for name in wanted {
            if let Some(secret) = self.options.secrets.resolve(&name.scheme, &name.name)
                && !secret.expose().is_empty()
            {
                redactor.add(&secret);
                self.secrets.insert(name, secret);
            }
        }
        if let Some(secret) = self
            .target
            .access()
            .proxy
            .as_ref()
            .and_then(|proxy| proxy.authorization.as_ref())
        {
            redactor.add(secret);
        }
        redactor
    }

    /// A file's bytes, read once.
    pub(crate) fn file(&self, name: &str) -> io::Result<Bytes> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = files.get(name) {
            return Ok(bytes.clone());
        }
        let bytes = Bytes::from(self.options.files.read(name)?);
        files.insert(name.to_owned(), bytes.clone());
        Ok(bytes)
    }

    /// The route of a way that a test has of its own, one for each way.
    fn route(&self, wanted: Route) -> Arc<Route> {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same =
            |route: &&Arc<Route>| route.origin == wanted.origin && route.access == wanted.access;
        if let Some(known) = routes.iter().find(is_same) {
            return Arc::clone(known);
        }
        let route = Arc::new(wanted);
        routes.push(Arc::clone(&route));
        route
    }
}

pub(crate) struct Binder<'b> {
    pub(crate) context: &'b Context<'b>,
    pub(crate) bindings: Bindings<'b>,
    pub(crate) findings: Findings,
}

impl Binder<'_> {
    fn test(&mut self, test: &Test, base: &Arc<Route>) -> Option<Bound> {
        let total_ms = test
            .timeout_ms
            .or(self.context.options.timeout_ms)
            .unwrap_or(self.context.options.limits.total_ms);
        let route = self.own_route(test, base);
        let rules = self.rules(&test.expect);
        let (asked, url) = match &test.probe {
            Probe::Http(http) => {
                let (call, url) = self.call(http, base)?;
                (Asked::Http(call), url)
            }
            Probe::Tcp(tcp) => {
                let send = tcp.send.as_ref().map(|field| self.text(field));
                let expect = tcp.expect.as_ref().map(|field| self.text(field));
                let asked = Asked::Tcp {
                    // A reference that is not bound is a finding already.
                    send: send.flatten(),
                    expect: expect.flatten(),
                };
                (
                    asked,
                    format!("tcp://{}", route.as_ref()?.origin.host_and_port()),
                )
            }
            Probe::Tls(_) => (
                Asked::Tls,
                format!("tls://{}", route.as_ref()?.origin.host_and_port()),
            ),
        };
        Some(Bound {
            url,
            base_path: self.context.target.base_path().to_owned(),
            route: route?,
            asked,
            rules: rules?,
            total_ms,
        })
    }

    /// The way to what is asked: the target's, unless the test has one of its own.
    fn own_route(&mut self, test: &Test, base: &Arc<Route>) -> Option<Arc<Route>> {
        let port = match &test.probe {
            Probe::Http(_) => None,
            Probe::Tcp(tcp) => tcp.port,
            Probe::Tls(tls) => tls.port,
        };
        if test.connection.is_none() && port.is_none() {
            return Some(Arc::clone(base));
        }
        let mut access = base.access.clone();
        if let Some(connection) = &test.connection {
            if connection.leaves_the_backend() && self.context.options.backends != Backends::Any {
                let message = format!("`{}` goes its own way to the target", test.name);
                let help = "remove its `connection`, or run it without asking each backend";
                let code = codes::LEAVES_THE_BACKEND;
                self.findings.push(test.place.error(code, message, help));
            }
            access = self.access(connection)?;
            access.connect_to = access.connect_to.or(base.access.connect_to);
        }
        let mut origin = base.origin.clone();
        if let Some(port) = port {
            origin = Origin::new(origin.https, origin.host, port);
            let there = |address: SocketAddr| SocketAddr::new(address.ip(), port);
            access.connect_to = access.connect_to.map(there);
        }
        Some(self.context.route(Route::new(origin, access)))
    }

    pub(crate) fn text(&mut self, field: &Field<Template>) -> Option<String> {
        let rendered = field.value.render(&self.bindings);
        self.bound(rendered, &field.place)
    }

    pub(crate) fn json(&mut self, field: &Field<JsonTemplate>) -> Option<Json> {
        let rendered = field.value.render(&self.bindings);
        self.bound(rendered, &field.place)
    }

    fn bound<T>(&mut self, rendered: Result<T, Piece>, place: &Place) -> Option<T> {
        let finding = match rendered {
            Ok(value) => return Some(value),
            Err(Piece::Secret(SecretName { scheme, name })) => place.error(
                codes::UNRESOLVED_SECRET,
                format!("the secret `{scheme}:{name}` is not there, or empty"),
                "set it where the runner looks for it",
            ),
            Err(Piece::Variable(name) | Piece::Text(name)) => {
                let given = self.bindings.variables.keys();
                let given: Vec<&str> = given.map(String::as_str).collect();
                let help = if given.is_empty() {
                    "give it a value; none was given at all".to_owned()
                } else {
                    format!("give it a value; given are: {}", given.join(", "))
                };
                let message = format!("the variable `{name}` is not defined");
                place.error(codes::UNDEFINED_VARIABLE, message, &help)
            }
        };
        self.findings.push(finding);
        None
    }
}

/// Every template of a test.
pub(crate) fn visit(test: &Test, each: &mut impl FnMut(&Template)) {
    match &test.probe {
        Probe::Http(http) => {
            each(&http.path.value);
            http.headers.iter().for_each(|(_, it)| each(&it.value));
            http.query.iter().for_each(|(_, it)| each(&it.value));
            http.cookies.iter().for_each(|(_, it)| each(&it.value));
            match http.auth.as_deref() {
                None => {}
                Some(Auth::Bearer(token)) => each(&token.value),
                Some(Auth::Basic { user, password }) => {
                    each(&user.value);
                    each(&password.value);
                }
            }
            visit_payload(&http.body, each);
        }
        Probe::Tcp(tcp) => tcp
            .send
            .iter()
            .chain(&tcp.expect)
            .for_each(|it| each(&it.value)),
        Probe::Tls(_) => {}
    }
    if let Some(connection) = &test.connection {
        visit_connection(connection, each);
    }
    rules::visit(&test.expect, each);
}

fn visit_payload(payload: &Payload, each: &mut impl FnMut(&Template)) {
    match payload {
        Payload::None => {}
        Payload::Text(text) | Payload::File(text) => each(&text.value),
        Payload::Json(value) => visit_json(&value.value, each),
        Payload::Form(fields) => {
            for (_, value) in fields {
                let (FormValue::Text(text) | FormValue::File { file: text, .. }) = value;
                each(&text.value);
            }
        }
    }
}

fn visit_connection(connection: &Connection, each: &mut impl FnMut(&Template)) {
    let files = connection.client.iter();
    let files = files.flat_map(|client| [&client.certificate, &client.key]);
    [
        &connection.unix_socket,
        &connection.proxy,
        &connection.proxy_authorization,
        &connection.server_name,
        &connection.trust,
    ]
    .into_iter()
    .flatten()
    .chain(files)
    .for_each(|field| each(&field.value));
}

pub(crate) fn visit_json(value: &JsonTemplate, each: &mut impl FnMut(&Template)) {
    match value {
        JsonTemplate::Fixed(_) => {}
        JsonTemplate::Text(text) => each(text),
        JsonTemplate::Array(items) => items.iter().for_each(|item| visit_json(item, each)),
        JsonTemplate::Object(members) => {
            members
                .iter()
                .for_each(|(_, value)| visit_json(value, each));
        }
    }
}
