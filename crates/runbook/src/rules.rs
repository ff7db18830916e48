//! The rules that a page is checked against, as data.

nonevent_document::rules! {
    /// Every rule that [`crate::parse`] and [`crate::check`] hold a page against, by code.
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
    NO_WAY_BACK "NE6012" Error "A step that cannot be taken back has the signature of whoever accepted that."
        "Once it has begun there is only forward. Whoever answers for it has to have seen this very \
         page, and not a chat message about it.";
    OWN_STEP "NE6013" Error "A step that people added says how one sees that it worked, and what its way back is."
        "In an incident somebody stands in the middle of it. Without a way to see that it worked they \
         go on blindly, and without a way back they make one up.";
    PLACEHOLDER "NE6014" Error "Nothing on the page is left to be decided."
        "A page that says TODO asks for a decision at the worst moment there is for one.";
    ORDER "NE6015" Warning "Boxes are ticked in the order of the page's steps."
        "A later step that is ticked before an earlier one was done in another order than the plan's, \
         which is the one that is proved safe, or was never done.";
    OWN_WORK "NE6016" Error "Nobody signs off their own release."
        "Whoever wrote a change does not see what they overlooked in it. That is why a second person \
         looks.";
    ONE_PERSON "NE6017" Warning "Each sign-off is another person's."
        "Three roles are asked because they look at different things. One person in two of them looks \
         once.";
    WINDOW "NE6018" Error "The longest course of the plan fits into the change window."
        "What begins in the window and ends outside it ends when nobody is there.";
    OLDER "NE6019" Warning "A page is made after what it is about."
        "The document was changed after the page was rendered: what people review may not be what is \
         planned.";
    REWORDED_STEP "NE6020" Error "A step, its way back and the rollback say what will be done."
        "The machine does what the plan says, whatever the page says. Words that people changed \
         describe something that will not happen.";
    REWORDED "NE6021" Note "What people reworded is read as they wrote it."
        "The plan's runbook says something else here. That may be meant: it is told so that nobody \
         overlooks it.";
    UNKNOWN_PERSON "NE6022" Warning "Whoever is named on the page is known."
        "A name that nobody knows cannot be asked, and may be a slip of the pen.";
}
