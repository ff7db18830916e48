//! Reads one clause: metric, operator, limit and conditions.

use alloc::format;
use alloc::string::String;

use super::bound::{Clause, Limit, Operator};
use super::decimal::{DECIMAL_MAX, DECIMAL_PLACES_MAX, Decimal, DecimalProblem};
use super::lex::{Sign, Token};
use super::metric::{METRIC_NAME_BYTES_MAX, MetricName, RESERVED, distance};
use super::parse::{Parser, Placed};
use super::quantity::{Quantity, Unit};
use super::rules::{BASELINE, CHAIN, COMMA, NAME, NUMBER, OPERATOR, TURNED, UNIT_UNKNOWN};

/// Something that was read: `None` if it was wrong and reading can go on after it.
pub(super) type Read<T> = Option<T>;

impl Parser<'_, '_> {
    /// `None` if the clause is broken; its error is in the sink, and the rest of it not yet taken.
    pub(super) fn clause(&mut self) -> Option<Placed> {
        let begin = self.peek().start;
        let metric = self.metric()?;
        let metric_span = begin..self.end();
        let (operator, operator_sure) = self.operator()?;
        let limit_start = self.peek().start;
        let limit = self.limit()?;
        let limit_span = limit_start..self.end();
        let (mut sustained, mut requests) = (None, None);
        loop {
            let token = self.peek();
            let duration = ["for", "over", "during", "within"];
            if duration.iter().any(|word| self.is(token, word)) {
                self.once(sustained.is_some());
                sustained = Some(self.sustained()?);
            } else if self.is(token, "of") {
                self.once(requests.is_some());
                requests = Some(self.requests()?);
            } else {
                break;
            }
        }
        if self.peek().sign.compares() {
            let message = "a clause compares once";
            let help = "write two clauses: `x > 0% and x < 1%`";
            self.sink.push(CHAIN, self.peek().span(), message, help);
            return None;
        }
        let mut clause = Clause::new(metric?, operator?, limit?);
        if let Some(ms) = sustained {
            clause = clause.sustained_for(ms?)?;
        }
        if let Some(requests) = requests {
            clause = clause.of_at_least(requests?)?;
        }
        Some(Placed {
            clause,
            operator_sure,
            span: begin..self.end(),
            metric: metric_span,
            limit: limit_span,
        })
    }

    fn once(&mut self, seen: bool) {
        if seen {
            self.expected("`and`, `or` or the end", "write each condition once");
        }
    }

    fn metric(&mut self) -> Option<Read<MetricName>> {
        let token = self.peek();
        if token.sign != Sign::Word || RESERVED.contains(&self.words(token)) {
            self.no_metric(token);
            return None;
        }
        self.next();
        let words = self.words(token);
        let second = self.peek();
        let two = second.sign == Sign::Word
            && self.ahead(1).sign.compares()
            && meant_operator(self.words(second)).is_none();
        if two {
            self.next();
            let name = format!("{words}_{}", self.words(second));
            let message = "the name of a metric is one word";
            let name = MetricName::new(&name);
            let help = match &name {
                Some(name) => format!("write `{name}`"),
                None => String::from("join its words by `_`"),
            };
            let span = token.start..second.end;
            self.sink.push(NAME, span, message, help);
            return Some(name);
        }
        let name = MetricName::new(words);
        if name.is_none() {
            let message = format!("{} is not the name of a metric", self.shown(token));
            let better = words.replace('-', "_");
            let help = match MetricName::new(&better) {
                Some(better) => format!("write `{better}`"),
                None => format!(
                    "write letters, digits and `_` in parts joined by dots, at most \
                     {METRIC_NAME_BYTES_MAX} bytes"
                ),
            };
            self.sink.push(NAME, token.span(), message, help);
            return Some(MetricName::new(&better));
        }
        Some(name)
    }

    /// Says why a clause does not begin with this token.
    fn no_metric(&mut self, token: Token) {
        let mut operators = 0;
        for places in 0.. {
            let token = self.ahead(places);
            if self.parts_clauses(token) {
                break;
            }
            operators += usize::from(token.sign.compares());
        }
        let value = matches!(token.sign, Sign::Number | Sign::Minus | Sign::Plus)
            || self.is(token, "baseline");
        if value && operators > 1 {
            let help = "write two clauses: `x > 0% and x < 1%`";
            self.sink
                .push(CHAIN, token.span(), "a clause compares once", help);
        } else if value && operators == 1 {
            let message = "the metric stands before the operator";
            let help = "turn the clause round: for `1% >= x` write `x <= 1%`";
            self.sink.push(TURNED, token.span(), message, help);
        } else {
            let help = "begin a clause with a metric, such as `error_rate <= 1%`";
            self.expected("the name of a metric", help);
        }
    }

    /// With whether it is what the author wrote, and no guess.
    fn operator(&mut self) -> Option<(Read<Operator>, bool)> {
        let token = self.peek();
        let meant = match token.sign {
            Sign::Operator(operator) => {
                self.next();
                return Some((Some(operator), true));
            }
            Sign::WrongOperator(meant) => meant,
            Sign::Word => match meant_operator(self.words(token)) {
                Some(meant) => Some(meant),
                None => return self.no_operator(),
            },
            _ => return self.no_operator(),
        };
        self.next();
        let words = self.words(token);
        let message = format!("{} is not an operator", self.shown(token));
        let help = match (meant, words) {
            (None, _) | (_, "=" | "==" | "===") => {
                String::from("write `<=` for an upper limit or `>=` for a lower one")
            }
            (Some(meant), _) => format!("write `{}`", meant.as_str()),
        };
        self.sink.push(OPERATOR, token.span(), message, help);
        Some((meant, false))
    }

    fn no_operator(&mut self) -> Option<(Read<Operator>, bool)> {
        self.expected("an operator", "write `<=`, `<`, `>=` or `>`");
        None
    }

    fn limit(&mut self) -> Option<Read<Limit>> {
        let token = self.peek();
        let factor_first = token.sign == Sign::Number
            && self.ahead(1).sign == Sign::Times
            && self.is(self.ahead(2), "baseline");
        if factor_first {
            let factor = self.number();
            self.next();
            self.next();
            return self.baseline(factor);
        }
        if self.is(token, "baseline") {
            self.next();
            return self.baseline(Some(Decimal::ONE));
        }
        match token.sign {
            Sign::Number | Sign::Minus => Some(self.quantity()?.map(Limit::Absolute)),
            Sign::Word if !RESERVED.contains(&self.words(token)) => {
                let words = self.words(token).to_ascii_lowercase();
                let other = matches!(words.as_str(), "stable" | "control" | "primary" | "active");
                let help = if other || distance(&words, "baseline") <= 2 {
                    "write `baseline`"
                } else {
                    "a metric is compared with a number and its unit, or with `baseline`"
                };
                let message = format!("{} is not a limit", self.shown(token));
                self.sink.push(BASELINE, token.span(), message, help);
                None
            }
            _ => {
                self.expected("a limit", "write one such as `1%` or `baseline * 2`");
                None
            }
        }
    }

    /// After `baseline`.
    fn baseline(&mut self, before: Read<Decimal>) -> Option<Read<Limit>> {
        let mut factor = before;
        if self.peek().sign == Sign::Times {
            self.next();
            if self.peek().sign != Sign::Number {
                self.expected("a factor", "write a plain number, such as `baseline * 1.5`");
                return None;
            }
            if before != Some(Decimal::ONE) {
                self.wrong_baseline(self.peek(), "the baseline has one factor");
                return None;
            }
            factor = self.number();
        }
        let token = self.peek();
        match token.sign {
            Sign::Percent | Sign::Word if token.start == self.end() => {
                self.wrong_baseline(token, "the factor is a plain number");
                self.next();
                factor = None;
            }
            Sign::Minus | Sign::Slash | Sign::Times | Sign::Number | Sign::Percent => {
                let message = format!("{} does not follow `baseline`", self.shown(token));
                self.wrong_baseline(token, &message);
                return None;
            }
            _ => {}
        }
        let mut plus = None;
        if self.peek().sign == Sign::Plus {
            self.next();
            if self.peek().sign != Sign::Number {
                self.expected("a quantity", "write one such as `baseline + 50ms`");
                return None;
            }
            plus = Some(self.quantity()?);
        }
        let plus = match plus {
            None => None,
            Some(None) => return Some(None),
            Some(quantity) => quantity,
        };
        Some(factor.map(|factor| Limit::Baseline { factor, plus }))
    }

    fn wrong_baseline(&mut self, token: Token, message: &str) {
        let help = "write `baseline`, `baseline * 1.5`, `baseline + 50ms` or \
                    `baseline * 1.5 + 50ms`";
        self.sink.push(BASELINE, token.span(), message, help);
    }

    /// The number at hand.
    fn number(&mut self) -> Read<Decimal> {
        let token = self.next();
        let [comma, places] = [self.peek(), self.ahead(1)];
        let adjoin = token.end == comma.start && comma.end == places.start;
        if adjoin && comma.sign == Sign::Comma && places.sign == Sign::Number {
            self.next();
            self.next();
            let message = format!("{} does not stand in a number", self.shown(comma));
            let help = "write decimals with a point, such as `1.5`, and thousands without a sign";
            self.sink.push(COMMA, comma.span(), message, help);
            return None;
        }
        let problem = match Decimal::read(self.words(token)) {
            Ok(number) => return Some(number),
            Err(problem) => problem,
        };
        let (message, help) = match problem {
            DecimalProblem::Range => (
                format!("{} is too large", self.shown(token)),
                format!("write at most {DECIMAL_MAX}, or a larger unit"),
            ),
            DecimalProblem::Places => (
                format!("{} has too many decimal places", self.shown(token)),
                format!("write at most {DECIMAL_PLACES_MAX}, or a smaller unit"),
            ),
        };
        self.sink.push(NUMBER, token.span(), message, help);
        None
    }

    fn quantity(&mut self) -> Option<Read<Quantity>> {
        let negative = self.peek();
        if negative.sign == Sign::Minus {
            self.next();
            let message = "a limit is not negative";
            let help = "write a number from 0 on";
            self.sink.push(NUMBER, negative.span(), message, help);
            if self.peek().sign != Sign::Number {
                return None;
            }
        }
        let number = self.number();
        let unit = self.unit();
        let quantity = number
            .zip(unit)
            .map(|(number, unit)| Quantity { number, unit });
        Some(quantity.filter(|_| negative.sign != Sign::Minus))
    }

    fn unit(&mut self) -> Read<Unit> {
        let token = self.peek();
        let word = self.words(token);
        match token.sign {
            Sign::Percent => {}
            Sign::Slash if self.ahead(1).sign == Sign::Word => {
                self.next();
            }
            Sign::Word => {
                let apart = token.start > self.end();
                let clause = self.ahead(1).sign.compares();
                let condition = ["over", "during", "within"].contains(&word);
                let keyword = RESERVED.iter().any(|it| word.eq_ignore_ascii_case(it));
                if apart && (clause || condition || keyword) {
                    return Some(Unit::None);
                }
            }
            _ => return Some(Unit::None),
        }
        let span = token.start..self.next().end;
        let text: String = span_text(self, token, span.end);
        let unit = Unit::read(&text);
        if unit.is_none() {
            let help = match Unit::meant(&text) {
                Some(meant) => format!("write `{}`", meant.as_str()),
                None => {
                    let all = Unit::ALL.iter().map(|unit| unit.as_str());
                    let all: alloc::vec::Vec<_> = all.filter(|unit| !unit.is_empty()).collect();
                    format!("units are {}", all.join(", "))
                }
            };
            let short: String = text.chars().take(40).collect();
            let message = format!("`{short}` is not a unit");
            self.sink.push(UNIT_UNKNOWN, span, message, help);
        }
        unit
    }
}

/// The text from a token to a byte, without blanks.
fn span_text(parser: &Parser<'_, '_>, from: Token, end: usize) -> String {
    let text = parser.sink.text.get(from.start..end).unwrap_or("");
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn meant_operator(word: &str) -> Option<Operator> {
    Some(match word.to_ascii_lowercase().as_str() {
        "is" | "le" | "lte" | "max" => Operator::AtMost,
        "lt" | "below" | "under" => Operator::Below,
        "ge" | "gte" | "min" => Operator::AtLeast,
        "gt" | "above" | "over" => Operator::Above,
        _ => return None,
    })
}
