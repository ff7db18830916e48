//! The advice as a short page for a terminal.

use alloc::format;
use alloc::string::{String, ToString as _};
use core::fmt;

use nonevent_document::format_duration_ms;
use nonevent_router::Split;

use super::{Advice, Cost, Recommendation};

/// A share of 10 000 in percent.
pub(super) fn share(weight: u16) -> String {
    Split::canary(weight).map_or_else(|| weight.to_string(), |split| split.to_string())
}

/// A share of requests in millionths, in percent with one digit after the point, rounded up.
pub(super) fn ppm(ppm: u32) -> String {
    let tenths = ppm.div_ceil(1_000);
    match (tenths / 10, tenths % 10) {
        (whole, 0) => format!("{whole} %"),
        (whole, part) => format!("{whole}.{part} %"),
    }
}

pub(super) fn instances(count: u32) -> String {
    match count {
        0 => String::from("no instance"),
        1 => String::from("1 instance"),
        count => format!("{count} instances"),
    }
}

/// How long a way back takes, if it ends at all.
pub(super) fn back(ms: u64) -> String {
    if ms == u64::MAX {
        String::from("never")
    } else {
        format!("in {}", format_duration_ms(ms))
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first() {
            Some(strategy) => {
                let first = self.recommendations.first();
                let price = first.and_then(|it| it.price.as_ref());
                let price = price.map_or("", |_| ", if its price is accepted");
                writeln!(f, "take {strategy}{price}")?;
            }
            None => writeln!(f, "no strategy is possible as things stand")?,
        }
        if !self.has_clean_way_back() {
            writeln!(
                f,
                "no strategy has a clean way back once this migration has begun"
            )?;
        }
        for recommendation in &self.recommendations {
            write!(f, "\n{recommendation}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Recommendation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {}, score {}", self.rank, self.strategy, self.score)?;
        writeln!(
            f,
            "{}",
            if self.is_possible() {
                ""
            } else {
                ": not possible"
            }
        )?;
        for block in &self.blocks {
            writeln!(f, "   !! {}", block.sentence)?;
        }
        write!(f, "{}", self.cost)?;
        if let Some(price) = &self.price {
            writeln!(f, "   price   {}", price.sentence)?;
        }
        for reason in &self.reasons {
            writeln!(f, "   {:+2} {}", reason.points, reason.sentence)?;
        }
        Ok(())
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "   costs   {} more, {} (at most {})",
            instances(self.extra_instances),
            format_duration_ms(self.expected_ms),
            format_duration_ms(self.longest_ms),
        )?;
        writeln!(
            f,
            "   back    {} while it is watched, {} from anywhere",
            back(self.back_watched_ms),
            back(self.back_ms),
        )?;
        writeln!(
            f,
            "   exposes {} of requests and {} of users before the first verdict",
            share(self.requests_unjudged),
            share(self.users_unjudged),
        )?;
        if let Some(found) = self.found_ppm {
            writeln!(
                f,
                "   finds   an error rate from {} up in the first {}",
                ppm(found),
                format_duration_ms(self.first_look_ms),
            )?;
        }
        if self.closed_ms > 0 {
            writeln!(
                f,
                "   closes  the service for up to {}",
                format_duration_ms(self.closed_ms)
            )?;
        }
        Ok(())
    }
}
