//! The `nonevent` command.

#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "the commands that read ledgers and start services come with deploy"
    )
)]
mod demonstration;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    match words.next().as_deref() {
        Some("__service") => demonstration::service::main(words),
        Some("__load") => demonstration::load::main(words),
        _ => ExitCode::from(2),
    }
}
