//! The rules that a page is checked against, as data.

nonevent_document::rules! {
    /// Every rule that [`crate::read`] checks a page against, by code.
    pub RULES;
    PAGE_SIZE "NE6001" Error "A page has at most 4 MiB.";
    NO_DIGEST "NE6002" Error "A page names the digest of the plan it is about.";
    OTHER_PLAN "NE6003" Error "The digest on the page is that of the plan that will be run.";
    TWICE "NE6004" Error "An item stands on the page once.";
    MISSING_STEP "NE6005" Error "Every step, its way back and the rollback stand on the page.";
    MISSING_ITEM "NE6006" Warning "Every item of the plan's runbook stands on the page.";
    UNKNOWN_ID "NE6007" Warning "Every id on the page is one of the plan's runbook.";
    NO_BOX "NE6008" Error "An item that is ticked has its box.";
    BLANK "NE6009" Error "Every blank is filled in.";
    UNSIGNED "NE6010" Error "Who ticks a sign-off gives a name and a date.";
    SIGN_DATE "NE6011" Warning "The date of a sign-off is written YYYY-MM-DD, in UTC.";
}
