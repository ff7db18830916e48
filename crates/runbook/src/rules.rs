//! The rules that a page is checked against, as data.

nonevent_document::rules! {
    /// Every rule that [`crate::read`] checks a page against, by code.
    pub RULES;
    PAGE_SIZE "NE6001" Error "A page has at most 4 MiB."
        "A page of this size is no runbook, and reading it would take the memory of whoever \
         asked.";
    NO_DIGEST "NE6002" Error "A page names the digest of the plan it is about."
        "Without the digest nobody can tell which plan people have signed.";
    OTHER_PLAN "NE6003" Error "The digest on the page is that of the plan that will be run."
        "People reviewed one plan, and another would be run. Nothing that they ticked or signed \
         speaks of it.";
    TWICE "NE6004" Error "An item stands on the page once."
        "One of the two is ticked and the other is not, or they are signed by different people: \
         there is no telling which counts.";
    MISSING_STEP "NE6005" Error "Every step, its way back and the rollback stand on the page."
        "A step that was taken off the page is carried out all the same, by people who did not \
         read of it.";
    MISSING_ITEM "NE6006" Warning "Every item of the plan's runbook stands on the page."
        "An item that is not on the page is not asked for, and nobody notices that it was not \
         done.";
    UNKNOWN_ID "NE6007" Warning "Every id on the page is one of the plan's runbook."
        "A tick beside it counts for nothing. It comes from another plan's page, or was written \
         by hand.";
    NO_BOX "NE6008" Error "An item that is ticked has its box."
        "A tick without a box of its own can be words that happen to look like one.";
    BLANK "NE6009" Error "Every blank is filled in."
        "A blank asks for something that only people know, such as whom to call. In an incident \
         nobody has the time to find out.";
    UNSIGNED "NE6010" Error "Who ticks a sign-off gives a name and a date."
        "A sign-off stands for a person who can be asked. A tick without a name is nobody's.";
    SIGN_DATE "NE6011" Warning "The date of a sign-off is written YYYY-MM-DD, in UTC."
        "A date in another form can mean two days, and an approval that is older than the plan \
         looks newer.";
}
