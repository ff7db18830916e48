//! `flags serve`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use nonevent::document::{Findings, Secret};
use nonevent::driver::{
    Clock, DriverError, DriverErrorKind, FlagPlace, FlagServer, FlagServerConfig, FlagServerLimits,
    FlagSource, KeptFlags, Looked, WebAddress, WebClient, WebLimits, WebPlace,
};
use tokio::signal::unix::{SignalKind, signal};

use super::usage;
use crate::args::FlagsServe;
use crate::code::{UNASKED, USAGE, fail, failed, print, say};

/// Serves until it is interrupted or asked to end.
pub(super) fn serve(arguments: &FlagsServe) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => match runtime.block_on(served(arguments)) {
            Ok(()) => ExitCode::SUCCESS,
            // Findings say themselves that they are errors.
            Err(error) if error.kind() == DriverErrorKind::Findings => {
                say(error);
                ExitCode::from(USAGE)
            }
            Err(error) => failed(&error),
        },
        Err(error) => fail(UNASKED, format!("the runtime cannot be started: {error}")),
    }
}

async fn served(arguments: &FlagsServe) -> Result<(), DriverError> {
    let input = |text: String| DriverError::new(DriverErrorKind::Input, text);
    let options = super::options(arguments.dialect, arguments.decryption_key_file.as_deref())
        .map_err(input)?;
    let place = place(arguments)?;
    let is_web = matches!(place, FlagPlace::Web(_));
    let name = place.to_string();
    let source = FlagSource { place, options };
    let (flags, findings) = KeptFlags::open(source, Clock::new().now()).await?;
    say_all(&findings);
    let (count, dialects) = {
        let kept = flags.current();
        (kept.len(), kept.dialects().join(", "))
    };
    let look_seconds = arguments.look_every.unwrap_or(if is_web { 30 } else { 1 });
    let flags = Arc::new(flags);
    if let Some(path) = &arguments.usage {
        usage::resume(path, &flags.current().usage)?;
    }
    let config = FlagServerConfig {
        listen: arguments.listen,
        tokens: tokens(arguments)?,
        origins: arguments.allow_origin.clone(),
        limits: FlagServerLimits {
            connections_max: usize::try_from(arguments.connections).unwrap_or(usize::MAX),
            look_ms: u64::from(look_seconds) * 1_000,
            ..FlagServerLimits::default()
        },
    };
    let whom = match config.tokens.len() {
        0 => "whoever is on this machine".to_owned(),
        1 => "who has the token".to_owned(),
        some => format!("who has one of {some} tokens"),
    };
    let server = FlagServer::bind(config, Arc::clone(&flags)).await?;
    print(format_args!(
        "{count} flags of {name} ({dialects}) at http://{}/ofrep/v1/evaluate/flags for {whom}\n",
        server.address()
    ));
    let signals = |error: std::io::Error| {
        let text = format!("signals cannot be listened for: {error}");
        DriverError::new(DriverErrorKind::Start, text)
    };
    let mut interrupt = signal(SignalKind::interrupt()).map_err(signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(signals)?;
    let end = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    let observe = |looked: &Looked| match looked {
        Looked::Unchanged => {}
        Looked::Reloaded { flags, findings } => {
            print(format_args!(
                "{name} changed: {flags} flags are in use now\n"
            ));
            say_all(findings);
        }
        Looked::Refused(why) => say(format_args!(
            "{name} changed and cannot be used; the last good flags stay: {why}"
        )),
    };
    let every = Duration::from_secs(u64::from(arguments.usage_every));
    tokio::select! {
        () = server.serve(end, observe) => {}
        () = kept(arguments.usage.as_deref(), &flags, every) => {}
    }
    if let Some(path) = &arguments.usage {
        usage::keep(path, &flags.current().usage)?;
    }
    print("ended\n");
    Ok(())
}

/// Where the flags are: an address by its beginning, otherwise a path.
fn place(arguments: &FlagsServe) -> Result<FlagPlace, DriverError> {
    let is_web = |text: &&str| text.starts_with("http://") || text.starts_with("https://");
    let Some(address) = arguments.flags.to_str().filter(is_web) else {
        if arguments.headers_file.is_some() || arguments.ca_file.is_some() {
            let text = "--headers-file and --ca-file are for an address, not for files";
            return Err(DriverError::new(DriverErrorKind::Input, text));
        }
        return Ok(FlagPlace::Path(arguments.flags.clone()));
    };
    let read = |path: &PathBuf| {
        fs::read(path).map_err(|error| {
            let text = format!("{}: {error}", path.display());
            DriverError::new(DriverErrorKind::Input, text)
        })
    };
    let roots = arguments.ca_file.as_ref().map(read).transpose()?;
    let headers = match &arguments.headers_file {
        Some(path) => headers(path, &read(path)?)?,
        None => HeaderMap::new(),
    };
    Ok(FlagPlace::Web(Box::new(WebPlace {
        address: WebAddress::parse(address)?,
        headers,
        client: WebClient::new(roots.as_deref(), WebLimits::default())?,
    })))
}

/// Headers, one a line. What is wrong with one is said without its value, which may be a secret.
fn headers(path: &Path, text: &[u8]) -> Result<HeaderMap, DriverError> {
    let text = String::from_utf8_lossy(text);
    let mut headers = HeaderMap::new();
    for (at, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let read = || {
            let (name, value) = line.split_once(':')?;
            let mut value = HeaderValue::try_from(value.trim()).ok()?;
            value.set_sensitive(true);
            Some((HeaderName::try_from(name.trim()).ok()?, value))
        };
        let Some((name, value)) = read() else {
            let text = format!(
                "{}:{}: this is no header; write NAME: VALUE",
                path.display(),
                at + 1
            );
            return Err(DriverError::new(DriverErrorKind::Input, text));
        };
        headers.append(name, value);
    }
    Ok(headers)
}

fn say_all(findings: &[(String, Findings)]) {
    for (name, findings) in findings {
        // The text is for showing lines of it; without it the findings still say where.
        let text = fs::read(name).unwrap_or_default();
        say(findings.render(name, &String::from_utf8_lossy(&text), false));
    }
}

/// Keeps how often flags are evaluated, for ever.
async fn kept(path: Option<&Path>, flags: &Arc<KeptFlags>, every: Duration) {
    let Some(path) = path else {
        return std::future::pending().await;
    };
    loop {
        tokio::time::sleep(every).await;
        let (path, flags) = (path.to_owned(), Arc::clone(flags));
        let write = move || usage::keep(&path, &flags.current().usage);
        if let Ok(Err(error)) = tokio::task::spawn_blocking(write).await {
            // There will be another time, and flags are served meanwhile.
            say(format_args!("warning: {error}"));
        }
    }
}

fn tokens(arguments: &FlagsServe) -> Result<Vec<Secret>, DriverError> {
    let input = |text: String| DriverError::new(DriverErrorKind::Input, text);
    let mut tokens = Vec::new();
    for path in &arguments.token_file {
        let text = fs::read_to_string(path)
            .map_err(|error| input(format!("{}: {error}", path.display())))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let before = tokens.len();
        tokens.extend(lines.map(Secret::new));
        if tokens.len() == before {
            return Err(input(format!("{} has no token in it", path.display())));
        }
    }
    if let Some(name) = &arguments.token_env {
        match std::env::var(name) {
            Ok(token) if !token.is_empty() => tokens.push(Secret::new(token)),
            _ => {
                return Err(input(format!(
                    "--token-env {name}: the variable is not set"
                )));
            }
        }
    }
    Ok(tokens)
}
