//! As much of Gherkin as the suites use: features with a background, scenarios, outlines with
//! tagged examples, steps with tables.
//!
//! Source: <https://cucumber.io/docs/gherkin/reference>.

use std::mem::take;

/// A scenario, or one row of an outline, with its background's steps first.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// Line of the scenario or of the row, from 1.
    pub(crate) line: usize,
    pub(crate) name: String,
    /// Those of the feature, the scenario and the examples, with `@`.
    pub(crate) tags: Vec<String>,
    pub(crate) steps: Vec<Step>,
}

/// One step, without its keyword.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) text: String,
    /// The rows under it, cell by cell.
    pub(crate) table: Vec<Vec<String>>,
}

#[derive(Default)]
struct Reader {
    cases: Vec<Case>,
    feature_tags: Vec<String>,
    background: Vec<Step>,
    pending_tags: Vec<String>,
    scenario: Option<Scenario>,
    part: Part,
}

#[derive(Default, PartialEq)]
enum Part {
    #[default]
    Preamble,
    Background,
    Steps,
    Examples,
}

struct Scenario {
    line: usize,
    name: String,
    tags: Vec<String>,
    outline: bool,
    steps: Vec<Step>,
    examples_tags: Vec<String>,
    header: Option<Vec<String>>,
}

/// All cases of a feature file.
pub(crate) fn read(text: &str) -> Result<Vec<Case>, String> {
    let mut reader = Reader::default();
    for (index, line) in text.lines().enumerate() {
        let line_number = index + 1;
        reader
            .line(line.trim(), line_number)
            .map_err(|why| format!("line {line_number}: {why}"))?;
    }
    reader.end_scenario();
    Ok(reader.cases)
}

impl Reader {
    fn line(&mut self, line: &str, number: usize) -> Result<(), String> {
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if line.starts_with('@') {
            let tags = line
                .split_whitespace()
                .take_while(|tag| tag.starts_with('@'));
            self.pending_tags.extend(tags.map(str::to_owned));
            return Ok(());
        }
        if line.starts_with('|') {
            return self.row(cells(line), number);
        }
        if let Some((keyword, name)) = line.split_once(':')
            && self.keyword(keyword, name.trim(), number)
        {
            return Ok(());
        }
        let keywords = ["Given ", "When ", "Then ", "And ", "But ", "* "];
        if let Some(text) = keywords
            .iter()
            .find_map(|keyword| line.strip_prefix(keyword))
        {
            let step = Step {
                text: text.trim().to_owned(),
                table: Vec::new(),
            };
            return match (&self.part, &mut self.scenario) {
                (Part::Background, _) => {
                    self.background.push(step);
                    Ok(())
                }
                (Part::Steps, Some(scenario)) => {
                    scenario.steps.push(step);
                    Ok(())
                }
                _ => Err("a step outside a scenario".into()),
            };
        }
        match self.part {
            // Free description under a heading.
            Part::Preamble => Ok(()),
            _ => Err(format!("not understood: {line}")),
        }
    }

    fn keyword(&mut self, keyword: &str, name: &str, number: usize) -> bool {
        match keyword {
            "Feature" => {
                self.feature_tags = take(&mut self.pending_tags);
                self.part = Part::Preamble;
            }
            "Background" => {
                self.end_scenario();
                self.part = Part::Background;
            }
            "Scenario" | "Example" | "Scenario Outline" | "Scenario Template" => {
                self.end_scenario();
                self.scenario = Some(Scenario {
                    line: number,
                    name: name.to_owned(),
                    tags: take(&mut self.pending_tags),
                    outline: keyword.len() > "Scenario".len(),
                    steps: Vec::new(),
                    examples_tags: Vec::new(),
                    header: None,
                });
                self.part = Part::Steps;
            }
            "Examples" | "Scenarios" => {
                let tags = take(&mut self.pending_tags);
                if let Some(scenario) = &mut self.scenario {
                    scenario.examples_tags = tags;
                    scenario.header = None;
                }
                self.part = Part::Examples;
            }
            _ => return false,
        }
        true
    }

    fn row(&mut self, row: Vec<String>, number: usize) -> Result<(), String> {
        let Some(scenario) = &mut self.scenario else {
            let step = self.background.last_mut().ok_or("a table outside a step")?;
            step.table.push(row);
            return Ok(());
        };
        if self.part != Part::Examples {
            scenario
                .steps
                .last_mut()
                .ok_or("a table outside a step")?
                .table
                .push(row);
            return Ok(());
        }
        let Some(header) = &scenario.header else {
            scenario.header = Some(row);
            return Ok(());
        };
        if header.len() != row.len() {
            return Err(format!(
                "{} cells under {} headings",
                row.len(),
                header.len()
            ));
        }
        let fill = |text: &str| {
            let pairs = header.iter().zip(&row);
            pairs.fold(text.to_owned(), |text, (name, cell)| {
                text.replace(&format!("<{name}>"), cell)
            })
        };
        let steps = self
            .background
            .iter()
            .chain(&scenario.steps)
            .map(|step| Step {
                text: fill(&step.text),
                table: step
                    .table
                    .iter()
                    .map(|row| row.iter().map(|cell| fill(cell)).collect())
                    .collect(),
            });
        let tags = [&self.feature_tags, &scenario.tags, &scenario.examples_tags];
        self.cases.push(Case {
            line: number,
            name: scenario.name.clone(),
            tags: tags.into_iter().flatten().cloned().collect(),
            steps: steps.collect(),
        });
        Ok(())
    }

    fn end_scenario(&mut self) {
        let Some(scenario) = self.scenario.take() else {
            return;
        };
        if scenario.outline {
            return;
        }
        self.cases.push(Case {
            line: scenario.line,
            name: scenario.name,
            tags: self
                .feature_tags
                .iter()
                .chain(&scenario.tags)
                .cloned()
                .collect(),
            steps: self
                .background
                .iter()
                .chain(&scenario.steps)
                .cloned()
                .collect(),
        });
    }
}

/// The cells of a row; `\|`, `\\` and `\n` are the only escapes.
fn cells(line: &str) -> Vec<String> {
    let mut cells = Vec::new();
    let mut cell = String::new();
    let mut chars = line.chars().skip(1).peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('|', _) => cells.push(take(&mut cell).trim().to_owned()),
            ('\\', Some('|')) => cell.extend(chars.next()),
            ('\\', Some('\\')) => cell.extend(chars.next()),
            ('\\', Some('n')) => {
                chars.next();
                cell.push('\n');
            }
            _ => cell.push(c),
        }
    }
    cells
}
