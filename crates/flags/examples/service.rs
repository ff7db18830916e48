//! A service that embeds feature flags.
//!
//! Four workers answer requests while the flag file is edited: 5 %, then 25 %, then a typing
//! mistake, then the kill switch. The requests are simulated, so it runs anywhere:
//!
//! ```text
//! cargo run -p nonevent-flags --example service
//! ```

use nonevent_flags::{Context, Dialect, FlagSet, Record, Value};
use std::sync::{Arc, RwLock};
use std::thread;

/// What the service knows about a request. The flags read it as it is; nothing is copied.
struct Request {
    user: String,
    plan: &'static str,
    items: u32,
}

impl Record for Request {
    fn get(&self, name: &str) -> Option<Value<'_>> {
        match name {
            "plan" => Some(self.plan.into()),
            "cart" => Some(Value::Map(self)),
            "items" => Some(self.items.into()),
            _ => None,
        }
    }

    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        visit("plan", self.plan.into());
        visit("items", self.items.into());
    }
}

/// The flags in use. A reload puts another set in its place; requests under way keep theirs.
struct Flags(RwLock<Arc<FlagSet>>);

impl Flags {
    fn new(file: &str) -> Result<Self, nonevent_document::Findings> {
        let loaded = FlagSet::load("flags.yaml", file.as_bytes(), Dialect::Plain)?;
        Ok(Self(RwLock::new(Arc::new(loaded.set))))
    }

    fn current(&self) -> Arc<FlagSet> {
        Arc::clone(
            &self
                .0
                .read()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        )
    }

    /// Takes the new file, unless it has an error: then the last good set stays.
    fn reload(&self, file: &str) {
        let problem = match FlagSet::load("flags.yaml", file.as_bytes(), Dialect::Plain) {
            Ok(loaded) if loaded.findings.has_errors() => loaded.findings,
            Ok(loaded) => {
                *self
                    .0
                    .write()
                    .unwrap_or_else(std::sync::PoisonError::into_inner) = Arc::new(loaded.set);
                return;
            }
            Err(findings) => findings,
        };
        println!("  not reloaded, the last good flags stay:");
        for line in problem.render("flags.yaml", file, false).lines() {
            println!("    {line}");
        }
    }
}

/// Answers one request; whether by the new checkout, and how many results to a page.
fn answer(flags: &FlagSet, request: &Request) -> (bool, i64) {
    let context = Context::new(&request.user).with(request);
    let checkout = flags.bool("new-checkout", false, &context).value;
    let page_size = flags.i64("page-size", 20, &context).value;
    (checkout, page_size)
}

fn request(number: u32) -> Request {
    let plan = if number.is_multiple_of(3) {
        "pro"
    } else {
        "free"
    };
    Request {
        user: format!("user-{number}"),
        plan,
        items: number % 7,
    }
}

/// 4000 requests by four workers: how many came to the new checkout.
fn serve(flags: &Flags) -> usize {
    let worker = |first: u32| {
        let mut reached = 0;
        for number in (first..4000).step_by(4) {
            let (checkout, page_size) = answer(&flags.current(), &request(number));
            assert!(page_size > 0, "a page has at least one result");
            reached += usize::from(checkout);
        }
        reached
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|first| scope.spawn(move || worker(first)))
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or(0))
            .sum()
    })
}

fn file(checkout: &str) -> String {
    format!(
        "flags:\n  new-checkout: {{ type: release, owner: checkout-team, {checkout} }}\n  \
         page-size: 50\n"
    )
}

fn main() -> Result<(), nonevent_document::Findings> {
    let only_pro = "rules: [{ attribute: plan, operator: eq, value: pro }]";
    let flags = Flags::new(&file(&format!("{only_pro}, rollout_percentage: 5")))?;
    let pro = (0..4000)
        .filter(|number| request(*number).plan == "pro")
        .count();
    println!(
        "5 % of {pro} users on the plan: {} reach the new checkout",
        serve(&flags)
    );

    let before = flags.current();
    flags.reload(&file(&format!("{only_pro}, rollout_percentage: 25")));
    println!("25 %: {}", serve(&flags));

    let after = flags.current();
    let lost = (0..4000)
        .map(request)
        .filter(|request| answer(&before, request).0 && !answer(&after, request).0)
        .count();
    println!("  of those who had it, {lost} lost it");

    flags.reload(&file("rollout_precentage: 100"));
    println!("after a typing mistake, still: {}", serve(&flags));

    flags.reload(&file("enabled: false"));
    println!("kill switch: {}", serve(&flags));

    let someone = request(30);
    let context = Context::new(&someone.user).with(&someone);
    println!("\nwhy {} saw what they saw:", someone.user);
    print!("{}", after.explain("new-checkout", &context));
    Ok(())
}
