//! `flags serve`.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use nonevent::document::Secret;
use nonevent::driver::{
    Clock, DriverError, DriverErrorKind, FlagFile, FlagServer, FlagServerConfig, FlagServerLimits,
    KeptFlags, Looked,
};
use nonevent::flags::LoadOptions;
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
    let name = arguments.flags.display();
    let options = arguments
        .dialect
        .map_or_else(LoadOptions::default, LoadOptions::from);
    let file = FlagFile {
        path: arguments.flags.clone(),
        options,
    };
    let (flags, findings) = KeptFlags::open(file, Clock::new().now())?;
    if !findings.is_empty() {
        say(rendered(&arguments.flags, &findings));
    }
    let (count, dialect) = {
        let kept = flags.current();
        (kept.set.len(), kept.set.dialect())
    };
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
        "{count} flags of {name} ({dialect}) at http://{}/ofrep/v1/evaluate/flags for {whom}\n",
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
            if !findings.is_empty() {
                say(rendered(&arguments.flags, findings));
            }
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

fn rendered(path: &Path, findings: &nonevent::document::Findings) -> String {
    // The text is for showing lines of it; without it the findings still say where.
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    findings.render(&path.display().to_string(), &text, false)
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
