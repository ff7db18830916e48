//! Rules about what surrounds the change: the way back, analysis, suites, people, data, flags.

nonevent_document::rules! {
    /// These rules, by code.
    pub AROUND;
    RECOVERY_SLOW "NE1050" Error "The way back from every step fits into rollback.within."
        "The document promises a time to recover. If the way back from some step, with starts, \
         warm-up and draining, may take longer, the promise is broken in the middle of an \
         incident.";
    KEEP_MANY "NE1051" Error "No more instances are kept for investigation than the canary ever has."
        "Instances kept for investigation take spare capacity. More than the canary ever had do \
         not exist, and more than there is room for would cost stable instances.";
    TRIGGER_DEAD "NE1052" Error "Every trigger of a rollback can fire."
        "A trigger that rests on a metric nobody measures is a line in the runbook that people \
         rely on, and that never says anything.";
    NO_WAY_BACK "NE1053" Error "A plan without a clean way back says so, and names who accepted it."
        "After a migration that cannot be undone a rollback loses data or breaks the old version. \
         That may be right, but it is somebody's decision, made before.";
    NO_RETURN_EARLY "NE1054" Error "What cannot be undone comes after the bake."
        "Before the new version has proved itself it may have to go back. A migration that the \
         old version does not survive takes that way away while it is most likely to be needed.";
    KILL_SWITCH_MISSING "NE1055" Error "A kill switch that is to be thrown exists."
        "After the point of no return a flag may be the only way to spare users the fault. \
         Without a flag there is nothing to throw.";
    ACCEPTED_NEEDLESSLY "NE1056" Warning "Nobody accepts the loss of a way back that is there."
        "A risk that is accepted where there is none will be accepted by habit where there is \
         one.";
    CONTRACT_BESIDE "NE1057" Error "Nothing is dropped in the deployment that stops using it."
        "While both versions run, and after a rollback, the old one still reads what was dropped. \
         Only what an earlier release has already stopped using can go.";
    WAIT_UNTOLD "NE1058" Warning "Where a rollout may wait for people, they are told."
        "A rollout that pauses and tells nobody stands half done until somebody happens to look, \
         with users on both versions.";
    NO_ANALYSIS "NE1060" Warning "Traffic moves on evidence: a strategy that serves both versions compares them."
        "Without an analysis only time passes between the steps. A version that answers, but \
         wrongly or slowly, reaches every user.";
    EMPTY_ANALYSIS "NE1061" Error "An analysis has at least one bound."
        "An analysis without bounds cannot fail. It looks like a safeguard in review and is none.";
    EVERY_ZERO "NE1062" Error "An analysis looks at an interval between 100 ms and 1 h."
        "Looks that follow each other too fast see too few requests to judge and burden the \
         source of the figures. Looks hours apart find a fault long after users have.";
    ANALYSIS_POLICY "NE1063" Error "The numbers of the analysis lie in their ranges."
        "Out of their ranges these numbers make an analysis that always fails or never does, and \
         either looks like any other in review.";
    ANALYSIS_BOUNDS "NE1064" Error "The bounds of an analysis can be read, and judged by a router's counters."
        "A bound that cannot be read or measured judges nothing. Were it left out in silence, the \
         rollout would be promoted without the very check that somebody asked for.";
    METRIC_SOURCE "NE1065" Error "A metric that the router does not count names its source."
        "Without a source nobody can ask for it: the analysis would have no data, and the rollout \
         would wait and go back each time.";
    SUITE_EMPTY "NE1070" Error "A smoke suite checks something."
        "A suite that checks nothing passes always. A green line in the report then says that the \
         service works when nobody has asked it anything.";
    SUITE_UNREAD "NE1071" Error "A smoke suite that is named can be read."
        "The suite is part of what was reviewed. A rollout that begins without it finds out in \
         the middle that it cannot test, or tests less than people believe.";
    SUITE_UNKNOWN "NE1072" Note "Whether the smoke suites check something is known."
        "Whoever checked could not see the suite. It may be missing or empty, and that would come \
         to light only when it is needed.";
    MIGRATIONS_ORDER "NE1080" Error "Migrations run in their order: expand, backfill, contract."
        "To fill a column that was not added yet fails; to drop one before it was copied loses \
         what is in it.";
    NAME_TWICE "NE1081" Error "Names are unique among their kind."
        "Two steps of one name cannot be told apart in a journal, an approval or a runbook, and \
         one of them is taken for the other.";
    MIGRATION_OWNER "NE1082" Warning "A migration that cannot be undone has an owner."
        "When it fails half way somebody must decide at once, and must be known beforehand.";
    APPROVERS_FEW "NE1083" Error "As many people can approve as must."
        "The release's author does not count. An approval that too few people can give is waited \
         for until its time is over, and the rollout goes back.";
    AUTHOR_APPROVES "NE1084" Warning "Whoever made a release does not approve it."
        "A second pair of eyes is the point of an approval. The author is not asked, so the role \
         is smaller than it looks.";
    APPROVAL_COUNT "NE1085" Error "An approval asks for 1 to 20 people."
        "An approval by nobody is given at once.";
    PRERELEASE "NE1087" Warning "A pre-release does not go to production."
        "By the rules of semantic versions a pre-release is unstable and may not satisfy what its \
         version promises.";
    SAME_ARTIFACT "NE1088" Error "Two versions are two artifacts."
        "One artifact under two versions means that the new one was not built, or not pushed: the \
         deployment would change nothing and be called a success.";
    DOWNGRADE "NE1089" Warning "A release goes to a newer version."
        "An older version may not understand what the newer one has written. A rollback is a \
         rollback, not a release.";
    FLAG_STAGES "NE1090" Error "A flag opens in rising stages, at least one."
        "A stage that is no larger than the one before shows nothing new, and takes the feature \
         away from people who had it.";
    FLAG_OUTRUNS "NE1091" Warning "A flag opens no wider at first than the traffic did."
        "The flag switches on code that the canary's steps never ran. To open it to more users \
         than the first step had is to skip the canary.";
    FILE_UNREAD "NE1092" Error "Files that stages of a flag put in place can be read."
        "The plan fixes them by their content. One that is missing, or changes later, is found \
         out in the middle of the rollout, or on the way back.";
    FILE_UNKNOWN "NE1093" Note "The content of the files that are named is known."
        "Whoever checked could not see them. One that is missing would come to light only when it \
         is needed.";
    FLAG_EDIT_EMPTY "NE1094" Error "Each stage of a flag changes its file, and the kill switch undoes them."
        "A stage whose file is the same as before opens nothing, and its pause is passed without \
         any change to judge. A kill switch that is the same as a stage switches nothing off.";
    SECRET_TEXT "NE1095" Error "Secrets are references, never part of the document."
        "A document is reviewed, committed and copied into plans and runbooks. A token in an \
         address is then known to everybody who ever read one.";
    NOTIFY_NOTHING "NE1096" Error "A notification names what it tells of, and whom."
        "One without an occasion is never sent, and looks in review as if somebody were told.";
    TEXT_EMPTY "NE1097" Error "Instructions for people are one paragraph of 1 to 2000 characters."
        "An instruction that is empty is ticked off unread, and one with line breaks can forge \
         steps of the runbook.";
    TOO_MANY "NE1098" Error "Lists have at most as many entries as can be reviewed."
        "A plan of thousands of steps is read by nobody, and every check and proof grows with it.";
    WINDOWS_FORM "NE1100" Error "Change windows and freezes can be read."
        "A window in a zone that does not exist, or that ends before it begins, is never open or \
         always, and nobody notices until a deployment runs through a freeze.";
    WINDOWS_NEVER "NE1101" Warning "Change windows open."
        "Windows that lie inside a freeze, or that never open, are most often a slip of a date, \
         and keep every deployment out.";
    WINDOWS_CLOSED "NE1102" Error "A deployment begins while changes may be made."
        "A freeze is a promise to others: that nothing changes while they sell, count or repair.";
    WINDOWS_SHORT "NE1103" Error "The plan can end, and go back, before the window closes."
        "A rollout that is cut off by the end of its window stands half done overnight, with \
         nobody there who knows it.";
    WINDOWS_UNKNOWN "NE1104" Note "When the deployment would begin is known, and with it whether it fits its window."
        "Whoever checked did not say the time. Whether a window is open shows only when it is \
         tried.";
    APPROVAL_LATE "NE1105" Error "An approval can be given within a window."
        "An approval that is waited for beyond the end of every window is given when nothing may \
         change any more.";
}
