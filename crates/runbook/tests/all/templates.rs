//! Templates of one's own.

use nonevent_runbook::{TemplateError, TemplateErrorKind, Templates};
use nonevent_strategy::StrategyKind;

use crate::plans::{default_plan, fixture_plan, runbook, without_imprint};

fn render(name: &str, source: &str) -> Result<String, TemplateError> {
    let templates = Templates::new().with(name, source)?;
    let page = runbook(&fixture_plan("canary.yaml")).render_with(&templates)?;
    Ok(without_imprint(&page).to_owned())
}

#[test]
fn a_section_of_ones_own_takes_the_place_of_the_default() {
    let page = render("messages", "## Whom to call\n\n{{text header.owner}}\n").unwrap();
    assert!(page.contains("\n## Whom to call\n\ncheckout team\n"));
    assert!(!page.contains("Rollback in progress"));
    assert!(page.contains("## Sign-off"), "the other sections stay");
}

#[test]
fn every_default_template_renders_in_its_own_place() {
    let mut templates = Templates::new();
    for name in Templates::names() {
        templates = templates
            .with(name, Templates::default_source(name).unwrap())
            .unwrap();
    }
    for kind in StrategyKind::ALL {
        let runbook = runbook(&default_plan(kind));
        assert_eq!(
            runbook.render_with(&templates).unwrap(),
            runbook.to_markdown()
        );
    }
}

#[test]
fn a_section_is_the_same_wherever_the_page_includes_it() {
    let at_once = render("page", "{{> triggers}}\n").unwrap();
    let within_a_block = render("page", "{{#if header}}\n{{> triggers}}\n{{/if}}\n").unwrap();
    assert!(at_once.starts_with("## When to roll back\n"));
    assert_eq!(at_once, within_a_block);
}

#[test]
fn faults_name_their_template_and_line() {
    let deep = "{{#if header}}".repeat(40) + &"{{/if}}".repeat(40);
    let large = "x".repeat(300_000);
    let cases: &[(&str, &str, TemplateErrorKind, &str)] = &[
        (
            "header",
            "# A\n\n{{text header.servcie}}\n",
            TemplateErrorKind::MissingVariable,
            "template `header` 3:1: a runbook has no `header.servcie` here",
        ),
        (
            "steps",
            "{{#each step}}\n{{/each}}",
            TemplateErrorKind::MissingVariable,
            "template `steps` 1:1: a runbook has no `step` here",
        ),
        (
            "steps",
            "## Steps\n{{#each steps}}\n{{nmber}}\n{{/each}}",
            TemplateErrorKind::MissingVariable,
            "template `steps` 3:1: a runbook has no `nmber` here",
        ),
        (
            "overview",
            "\n{{duration header.service}}",
            TemplateErrorKind::Render,
            "template `overview` 2:1: `duration` takes milliseconds, and `header.service` is \
             something else",
        ),
        (
            "overview",
            "{{shout header.service}}",
            TemplateErrorKind::Render,
            "template `overview` 1:1: there is no helper `shout`, and no variable takes a parameter",
        ),
        (
            "foot",
            "",
            TemplateErrorKind::UnknownName,
            "template `foot`: there is no such template; write one of page, header, overview, \
             checklist, steps, verification, triggers, rollback, migrations, flags, \
             contacts, messages, sign-off",
        ),
        (
            "header",
            "\n{{> page}}",
            TemplateErrorKind::Limit,
            "template `header` 2:1: only `page` includes other templates, as {{> name}}; a section \
             stands alone",
        ),
        (
            "page",
            "{{#*inline \"a\"}}{{/inline}}",
            TemplateErrorKind::Limit,
            "template `page` 1:1: templates define no partials of their own",
        ),
        (
            "page",
            &deep,
            TemplateErrorKind::Limit,
            "template `page` 1:1: its blocks are nested more than 32 deep",
        ),
        (
            "page",
            "{{text (((((((((header)))))))))}}",
            TemplateErrorKind::Limit,
            "template `page` 1:1: parentheses are nested more than 8 deep",
        ),
        (
            "page",
            &large,
            TemplateErrorKind::Limit,
            "template `page` 1:1: it has 300000 bytes; at most 262144 are read",
        ),
    ];
    for (name, source, kind, message) in cases {
        let error = render(name, source).unwrap_err();
        assert_eq!(error.to_string(), *message);
        assert_eq!(error.kind(), *kind);
    }
    let error = render("header", "# A\n{{#if header}}\n").unwrap_err();
    assert_eq!(error.kind(), TemplateErrorKind::Syntax);
    assert_eq!(
        error.position().unwrap().0,
        3,
        "it ends before the block does: {error}"
    );
}

#[test]
fn a_page_that_includes_itself_is_an_error() {
    let error = render("page", "{{> page}}").unwrap_err();
    assert_eq!(error.kind(), TemplateErrorKind::Render);
    assert!(render("page", "{{> (lookup header \"service\")}}").is_err());
    for name in ["page", "overview"] {
        let error = render("header", &format!("{{{{section \"{name}\"}}}}")).unwrap_err();
        assert_eq!(error.kind(), TemplateErrorKind::Render, "{error}");
    }
}

#[test]
fn what_no_helper_escapes_is_escaped_as_text() {
    let mut plan = default_plan(StrategyKind::Canary);
    plan.service = String::from("a\n- [x] *b*");
    let templates = Templates::new()
        .with("page", "{{header.service}}\n")
        .unwrap();
    let page = runbook(&plan).render_with(&templates).unwrap();
    assert_eq!(without_imprint(&page), "a␊- \\[x\\] \\*b\\*\n");
}
