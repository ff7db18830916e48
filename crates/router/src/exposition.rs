//! Reading counters in the Prometheus text exposition format (version 0.0.4).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::RouterError;
use crate::answers::unreadable;
use crate::names::shown;

/// The most labels of one sample.
const LABELS_MAX: usize = 64;

/// One sample: a name, its labels, and a value.
#[derive(Debug, PartialEq)]
pub(crate) struct Sample<'a> {
    pub(crate) name: &'a str,
    labels: Vec<(&'a str, String)>,
    value: &'a str,
}

impl Sample<'_> {
    pub(crate) fn label(&self, name: &str) -> Option<&str> {
        let mut labels = self.labels.iter();
        labels
            .find(|(given, _)| *given == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value as a whole number: counters are written as floats, such as `1.5e+06`, and one
    /// that is negative, has a fraction or exceeds 2^53 is no count.
    pub(crate) fn count(&self) -> Result<u64, RouterError> {
        const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
        let unfit = || {
            unreadable(format!(
                "`{}` is no count of {}",
                shown(self.value),
                shown(self.name)
            ))
        };
        if let Ok(count) = self.value.parse() {
            return Ok(count);
        }
        let value: f64 = self.value.parse().map_err(|_| unfit())?;
        if !(0.0..=EXACT_MAX).contains(&value) {
            return Err(unfit());
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range was checked"
        )]
        let count = value as u64;
        #[expect(clippy::cast_precision_loss, reason = "up to 2^53 it is exact")]
        let back = count as f64;
        if back.to_bits() == value.to_bits() || back.to_bits() == value.abs().to_bits() {
            Ok(count)
        } else {
            Err(unfit())
        }
    }

    /// The value as it is written.
    pub(crate) fn text(&self) -> &str {
        self.value
    }
}

/// The samples of one metric, in order; comments and other metrics are skipped.
pub(crate) fn samples<'a>(text: &'a str, metric: &str) -> Result<Vec<Sample<'a>>, RouterError> {
    let mut samples = Vec::new();
    for line in text.lines() {
        let of_it = line.strip_prefix(metric).is_some_and(|rest| {
            // Not another metric whose name begins alike.
            rest.starts_with(['{', ' ', '\t'])
        });
        if of_it {
            let sample = sample(line)
                .ok_or_else(|| unreadable(format!("`{}` is no sample of a metric", shown(line))))?;
            samples.push(sample);
        }
    }
    Ok(samples)
}

fn sample(line: &str) -> Option<Sample<'_>> {
    let end = line.find(['{', ' ', '\t'])?;
    let (name, rest) = line.split_at(end);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Vec::new(), rest),
    };
    // What may follow the value is a time, which we do not need.
    let value = rest.split_ascii_whitespace().next()?;
    Some(Sample {
        name,
        labels,
        value,
    })
}

type Labels<'a> = Vec<(&'a str, String)>;

/// `name="value",…}` and what follows it.
fn labels(mut rest: &str) -> Option<(Labels<'_>, &str)> {
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        if labels.len() == LABELS_MAX {
            return None;
        }
        let (name, after) = rest.split_once('=')?;
        let (value, after) = quoted(after.strip_prefix('"')?)?;
        labels.push((name, value));
        rest = after;
    }
}

/// A value up to its closing quote, with `\\`, `\"` and `\n` undone.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn samples_are_read_and_what_is_none_is_refused() {
        let text = "# HELP a b\na_other 1\na{code=\"2\\\"0\",x=\"\\\\\\n\"} 1.5e+03 99\na 7\n";
        let read = samples(text, "a").expect("samples");
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].label("code"), Some("2\"0"));
        assert_eq!(read[0].label("x"), Some("\\\n"));
        assert_eq!(read[0].count().expect("a count"), 1_500);
        assert_eq!(
            (read[1].count().expect("a count"), read[1].text()),
            (7, "7")
        );
        for bad in [
            "a{",
            "a{x",
            "a{x=\"",
            "a{x=\"\\",
            "a ",
            "a{x=\"y\"}",
            "a{x=y} 1",
        ] {
            assert!(samples(bad, "a").is_err(), "{bad}");
        }
        for bad in ["a NaN", "a -1", "a 1e300", "a 0.5", "a +Inf", "a x"] {
            let read = samples(bad, "a").expect("a sample");
            assert!(read[0].count().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "a?[{} =\\\\\",a-c0-9.e+\n-]{0,60}") {
            for sample in samples(&text, "a").unwrap_or_default() {
                let _ = sample.count();
            }
        }
    }
}
