//! Reading what a test keeps of an answer for those after it.

use nonevent_document::{Member, member_path};

use crate::codes;
use crate::suite::flow::is_variable;
use crate::suite::model::{Capture, CaptureSource, Place, Row};
use crate::suite::read::Fields;
use crate::suite::reader::Reader;

const SOURCES: &str = "header, cookie, json, regex, status, body, secret";

impl Reader {
    pub(crate) fn captures(
        &mut self,
        fields: &Fields<'_>,
        path: &str,
        rows: &[Row],
    ) -> Vec<Capture> {
        let Some(node) = fields.get("capture") else {
            return Vec::new();
        };
        let path = member_path(path, "capture");
        if rows.len() > 1 {
            let message = "each row of a table would capture the same name".to_owned();
            self.bad_value(node, &path, message, "capture in a test without `for_each`");
        }
        let wanted = "an object such as { \"id\": { \"json\": \"$.id\" } }";
        let mut captures = Vec::new();
        for member in self.members(node, &path, wanted).unwrap_or_default() {
            captures.extend(self.capture(member, &member_path(&path, &member.key)));
        }
        captures
    }

    fn capture(&mut self, member: &Member, path: &str) -> Option<Capture> {
        let place = Place {
            path: path.to_owned(),
            span: member.key_span.clone(),
        };
        let name = member.key.as_str();
        if !is_variable(name) {
            let message = format!("`{name}` is no name for a variable");
            let help = "use letters, digits, `_`, `-` and `.`, and begin with a letter";
            self.error(codes::BAD_VALUE, &place, message, help);
        }
        let wanted = "where the value is: { \"json\": \"$.id\" } or { \"header\": \"location\" }";
        let (mut sources, mut secret) = (Vec::new(), false);
        for member in self.members(&member.value, path, wanted)? {
            let (inner, value) = (member_path(path, &member.key), &member.value);
            let source = match member.key.as_str() {
                "secret" => {
                    secret = self.flag(value, &inner)?;
                    continue;
                }
                "header" => self
                    .header_name_of(value, &inner)
                    .map(CaptureSource::Header),
                "cookie" => self
                    .text(value, &inner, "the name of a cookie")
                    .map(|text| CaptureSource::Cookie(text.to_owned())),
                "json" => self.json_path(value, &inner).map(CaptureSource::Json),
                "regex" => self
                    .regex(value, &inner)
                    .map(|regex| CaptureSource::Regex(Box::new(regex))),
                "status" => self.flag(value, &inner).map(|_| CaptureSource::Status),
                "body" => self.flag(value, &inner).map(|_| CaptureSource::Body),
                _ => {
                    self.unknown_own(member, path, SOURCES);
                    continue;
                }
            };
            sources.push(source);
        }
        if sources.len() != 1 {
            let message = "a value is captured from one place".to_owned();
            self.bad_value(&member.value, path, message, &format!("write {wanted}"));
            return None;
        }
        Some(Capture {
            name: name.to_owned(),
            place,
            source: sources.pop()??,
            secret,
        })
    }
}
