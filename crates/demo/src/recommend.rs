//! `recommend`: which strategy, and why.

use std::process::ExitCode;

use nonevent::strategy::{
    Appetite, MigrationKind, RouterAbility, SituationFacts, Statefulness, recommend,
};

use crate::args::{self, AppetiteName, MigrationName, RouterName, StateName};
use crate::code::{NO, print};
use crate::planning::print_json;

/// `nonevent recommend`.
pub(crate) fn advise(arguments: &args::Recommend) -> ExitCode {
    let advice = recommend(&facts(arguments));
    if arguments.json {
        print_json(&advice);
    } else {
        print(format_args!("{advice}"));
    }
    match advice.first() {
        Some(_) => ExitCode::SUCCESS,
        None => ExitCode::from(NO),
    }
}

fn facts(arguments: &args::Recommend) -> SituationFacts {
    let usual = SituationFacts::usual(arguments.replicas);
    SituationFacts {
        production: !arguments.not_production,
        min_ready: arguments.min_healthy.unwrap_or(usual.min_ready),
        spare: arguments.spare.unwrap_or(usual.spare),
        requests_per_second: arguments.requests_per_second,
        state: match arguments.keeps {
            StateName::Nothing => Statefulness::Stateless,
            StateName::Sessions => Statefulness::Sessions,
            StateName::Lock => Statefulness::SingleWriter,
        },
        long_lived: arguments.long_lived,
        router: match arguments.router {
            RouterName::Weights => RouterAbility::Weights,
            RouterName::Instances => RouterAbility::Instances,
            RouterName::AllOrNothing => RouterAbility::AllOrNothing,
            RouterName::None => RouterAbility::None,
        },
        migration: arguments.migration.map(|name| match name {
            MigrationName::Expand => MigrationKind::Expand,
            MigrationName::Backfill => MigrationKind::Backfill,
            MigrationName::Contract => MigrationKind::Contract,
            MigrationName::Reformat => MigrationKind::Reformat,
        }),
        side_by_side: !arguments.alone,
        downtime_ms: arguments.downtime.unwrap_or(0),
        appetite: match arguments.appetite {
            AppetiteName::Cautious => Appetite::Cautious,
            AppetiteName::Usual => Appetite::Usual,
            AppetiteName::Bold => Appetite::Bold,
        },
        instant_rollback: arguments.instant_rollback,
        ..usual
    }
}
