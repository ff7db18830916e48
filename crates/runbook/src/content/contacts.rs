//! Whom to call, and who decides.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::format_duration_ms;
use nonevent_strategy::{ApprovalPlan, Occasion, Plan};

use super::words;
use crate::markdown::id_word;
use crate::runbook::Item;
use crate::text::{Text, text};

/// Who can be called at any hour.
const ON_CALL: &str = "<on-call contact>";
/// Who is called when nobody else answers.
const ESCALATION: &str = "<escalation contact>";

pub(crate) fn contacts(plan: &Plan) -> Vec<Item> {
    let mut contacts = Vec::from([
        words::item(
            "contact/owner",
            text!("Answers for the deployment: ", words::owner(plan), "."),
        ),
        words::item(
            "contact/on-call",
            text!(
                "On call, and may go back without asking anybody: ",
                ON_CALL,
                "."
            ),
        ),
    ]);
    let mut roles: BTreeMap<&str, Vec<(&str, &ApprovalPlan)>> = BTreeMap::new();
    for (name, approval) in &plan.approvals {
        roles
            .entry(&approval.role)
            .or_default()
            .push((name, approval));
    }
    contacts.extend(roles.into_iter().map(|(role, approvals)| {
        let text = approvals.iter().enumerate().fold(
            text!(role, ": "),
            |text, (index, (name, approval))| {
                let link = if index == 0 { "" } else { "; " };
                let people = match approval.people.as_slice() {
                    [] => String::from(words::OWNER),
                    people => people.join(", "),
                };
                text.and(link)
                    .and(people)
                    .and(" (")
                    .and_code(*name)
                    .and(format!(
                        ": {} must agree within {})",
                        approval.count,
                        format_duration_ms(approval.timeout_ms)
                    ))
            },
        );
        Item {
            id: format!("contact/role/{}", id_word(role)),
            text: text.and("."),
        }
    }));
    contacts.extend(plan.notifications.iter().map(|notification| {
        let occasions: Vec<&str> = notification.on.iter().map(|it| occasion(*it)).collect();
        Item {
            id: format!("contact/told/{}", id_word(&notification.to)),
            text: Text::plain("Told when ")
                .and(occasions.join(", "))
                .and(": ")
                .and_code(&*notification.to)
                .and("."),
        }
    }));
    contacts.push(words::item(
        "contact/escalation",
        text!(
            "When nobody of these answers within 5m while users are harmed: go back first, then \
             call ",
            ESCALATION,
            "."
        ),
    ));
    contacts
}

const fn occasion(of: Occasion) -> &'static str {
    match of {
        Occasion::Started => "it begins",
        Occasion::Promoted => "the new version has taken over",
        Occasion::Waiting => "somebody is waited for",
        Occasion::RollingBack => "it goes back",
        Occasion::RolledBack => "the old version serves again",
        Occasion::Stuck => "a person is needed",
    }
}
