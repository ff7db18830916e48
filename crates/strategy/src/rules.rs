//! The rules that a deployment is checked against, as data.

nonevent_document::rules! {
    /// Every rule, by code.
    pub RULES;
    API_VERSION "NE1001" Error "The document says which version of the format it is written in."
        "A field can mean something else in another version of the format. A document that is \
         read by the wrong one deploys what nobody wrote.";
    NAME "NE1002" Error "Names are one line of 1 to 200 characters without control characters."
        "Names stand in logs, journals, tables and the runbook. One that is empty, or that breaks \
         the line, hides which service a line speaks of while people read it in a hurry.";
    SAME_RELEASE "NE1003" Error "A deployment leads from one version to another."
        "Nothing would change, and every comparison of the two versions would pass. A deployment \
         that looks like a success then hides that the new version was never there; most often \
         the version was not raised.";
    ONE_STRATEGY "NE1004" Error "Exactly one strategy is named."
        "Two strategies are two different ways to move the traffic. Taking one of them silently \
         means that the way that was reviewed may not be the way that is taken.";
    REPLICAS "NE1005" Error "A fleet has 1 to 10000 instances, and at most 10000 spare ones."
        "A fleet without instances serves nobody. Counts beyond the limit are nearly always a \
         slip of the keyboard, and would start machines that nobody has.";
    MIN_HEALTHY "NE1006" Error "Min healthy lies between one instance and all of them."
        "Capacity is worked out from this floor. At zero, the rollout may take every instance \
         away and call that healthy; above the fleet's size, no state is ever healthy and the \
         rollout waits for ever.";
    TIME_RANGE "NE1007" Error "Times lie between their bounds."
        "A time of zero makes a wait pass before anything has happened. One of months leaves the \
         rollout half done, with both versions up and nobody who remembers why.";
    CONNECTIONS_UNSAID "NE1008" Warning "What long-lived connections meet when their instance goes is said."
        "A WebSocket or a stream outlives any drain time that suits requests. Whether it is cut \
         off or waited for is a promise to users, and a default makes it without anybody \
         noticing.";
    RIDE_OUT_SHORT "NE1009" Error "Connections that are ridden out are given at least a minute."
        "An instance waits for its connections to end by themselves, and the step fails if they \
         do not in time. A drain time of seconds makes nearly every step fail.";
    NO_STEPS "NE1010" Error "A canary has at least one step."
        "Without a step no traffic ever reaches the new version: nothing is tested, and nothing \
         is released.";
    RAMP_FALLS "NE1011" Error "Each canary step raises the traffic."
        "A step that sends less traffic than the one before, or as much, cannot show anything \
         new, and moves users back and forth between versions. Most often two lines are in the \
         wrong order.";
    RAMP_UNFINISHED "NE1012" Error "The last canary step sends all traffic to the new version."
        "The rollout would end with part of the traffic still on the old version. Two versions \
         then run side by side with nobody watching, and the next deployment starts from a state \
         that no plan describes.";
    ZERO_STEP "NE1013" Error "A canary step sends some traffic to the new version."
        "A canary that gets no request makes no error. Its pause passes in silence and is taken \
         for evidence. At 0 %, chosen users or copied requests are judged by the analysis that \
         the step names; the default one compares shares of traffic, and leaves the step unjudged.";
    PAUSE_BLIND "NE1014" Error "A pause leaves time for at least two looks of its analysis."
        "The analysis judges differences between looks. With less than two of them in a pause it \
         has nothing to compare, so a broken version goes on to the next step, or a good one \
         never does.";
    PAUSE_FEW "NE1015" Warning "A pause is long enough for the analysis to see enough requests."
        "With only a handful of requests, one bad release in many shows no error at all by luck. \
         The analysis then says that it does not know, and the rollout stands still or turns \
         back.";
    SHARE_UNCARRIED "NE1016" Error "Canary instances can carry their share of the traffic."
        "Weights move traffic whether or not instances can carry it. Too few instances for their \
         share are overloaded, so users get time-outs, and a good version is turned back for it.";
    NO_SPARE "NE1017" Error "The spare capacity holds the new instances."
        "New instances run beside the old ones until the end. Where there is no room for them, \
         they do not start, or they push out the stable instances that the way back depends on.";
    STEP_SHRINKS "NE1018" Error "Canary instances do not get fewer from step to step."
        "Taking canary instances away while their traffic grows drops the connections they hold \
         and overloads the rest, in the middle of being judged.";
    BLAST_RADIUS "NE1019" Warning "At most 25 % of traffic meets the new version before any analysis."
        "Until the first look nothing is known of the new version, and whoever is sent to it \
         meets every fault it has. A first step of 5 % hurts a fifth of the users that one of 25 \
         % hurts, and shows a gross fault as well. A rolling update gives an instance's share at \
         least: a first one that comes alone may have less than half.";
    PAUSE_WEAK "NE1020" Warning "A pause is strong enough to find a canary with 5 times the errors allowed."
        "A pause that misses a canary with five times the errors allowed is a wait, not a test: \
         the step passes, more users are sent over, and the fault is found by them.";
    ROLLING_SURGE "NE1021" Error "Rolling's surge fits into the spare capacity."
        "Each turn starts new instances before old ones go. Without room for them the first turn \
         never becomes ready, and the rollout runs into its deadline.";
    ROLLING_FLOOR "NE1022" Error "Rolling never takes more instances away than min healthy allows."
        "While instances are exchanged, those that are left carry everything. Below min healthy \
         they are overloaded, and the update itself causes the outage.";
    PAUSE_UNKNOWN "NE1023" Note "How many requests there are is known, and with it what a pause would find."
        "How sure a pause is to find a fault depends on how many requests it sees. Without the \
         rate nobody can tell a pause that tests from one that only waits.";
    PAUSE_LATE "NE1024" Error "A pause is longer than its metrics are late, their window and two looks together."
        "A figure that is a minute late says nothing of a step that lasts a minute: what is \
         judged at its end is what happened before it began.";
    WINDOW_SHORT "NE1025" Error "A query window holds at least four scrape intervals."
        "A rate over a window with one or two samples is missing or wrong whenever a scrape is \
         late, and a rollout then waits for data or is judged on noise.";
    USERS_RANGE "NE1026" Error "A user is reckoned to make 1 to 100000 requests while a step lasts."
        "From this number follows how many users meet the new version at a share of the requests. \
         Zero requests expose nobody on paper and everybody in fact.";
    MIRROR_UNSAFE "NE1028" Warning "Copied requests change nothing."
        "A copied order is a second order. Requests with other methods than GET, HEAD and OPTIONS \
         are only copied to a version whose writes go nowhere.";
    MARK "NE1029" Error "Marks of chosen users can be sent: a token for a name, one line for a value."
        "A header or cookie name outside of RFC 9110's tokens is sent by nobody, so the step \
         would pass without a single chosen user; a line break in a value would forge \
         configuration.";
    RECREATE_PRODUCTION "NE1030" Error "Recreate, which stops the service, is not for production where two instances have room."
        "Recreate stops every old instance before a new one serves. In production users meet an \
         outage each time, and if the new version does not start, it lasts until the old one is \
         up again. With room for one instance only there is no other way, and somebody has \
         accepted the downtime.";
    DOWNTIME_SHORT "NE1031" Error "The accepted downtime covers the longest time that the plan may be closed."
        "Somebody accepted a downtime of a certain length. If draining and starting may take \
         longer, they have agreed to something else than what can happen.";
    UNKNOWN_NAME "NE1032" Error "What a step names is defined in the document."
        "A step that waits for an approval nobody defined, or is judged by an analysis that is \
         not there, is a step without either.";
    UNUSED_NAME "NE1033" Warning "What the document defines is used by a step."
        "An approval that no step asks for looks like a safeguard in review and is none; most \
         often a step was changed and its name forgotten.";
    UNJUDGED_STEP "NE1034" Warning "A step that exposes users is judged."
        "With `analysis: none` only time passes at this share, and the next step sends more users \
         to a version of which nothing was learnt here.";
    MIRROR_NOTHING "NE1035" Error "A copy of requests is a copy of some."
        "A mirror of 0 % tests nothing and passes.";
    WAVES_FALL "NE1036" Error "Waves of a rolling update rise, and end within the fleet."
        "A wave that does not go beyond the one before replaces nothing, and its pause and \
         approval are passed without any change to judge.";
    ZONES_SUM "NE1037" Error "Zones hold the whole fleet between them."
        "Zone by zone is only safe if every instance belongs to one: instances outside of all \
         zones would be replaced with the last one, however many they are.";
    PARTITION_TWICE "NE1038" Error "A rolling update is divided by zones or by waves, not both."
        "Two divisions are two different orders. One would be left out in silence.";
    PROGRESS_SHORT "NE1039" Error "The progress deadline leaves time for warm-up and min-ready."
        "A batch whose deadline ends before it can count as available fails always, whatever the \
         new version is like.";
    DELAY_SHORT "NE1040" Error "The old environment is kept at least as long as the bake."
        "While the old environment runs, the way back is a change of weights and takes seconds. \
         Taken down before the bake is over, it has to be started anew just when it is needed.";
    STAGES_FALL "NE1041" Error "Stages of a switch rise, and stay between nothing and everything."
        "A stage of 0 % shows nothing, one of 100 % is the switch itself, and one that does not \
         rise sends users back and forth.";
    DNS_TTL "NE1042" Error "Resolvers forget a switched name within rollback.within."
        "A switch by DNS is only undone once every resolver has forgotten the answer. Until then \
         users are sent to the version that was just found bad.";
    DNS_SPLIT "NE1043" Error "A name is switched as a whole."
        "DNS answers are cached by resolvers that serve one user or a million: a share of the \
         answers is no share of the users, and nobody can say which.";
    DNS_TTL_UNKNOWN "NE1044" Warning "The time that a switched name is cached is said."
        "Without it the way back cannot be bounded.";
    ROUTER_UNKNOWN "NE1045" Error "The router is one that is known."
        "What it can do, and how it is told, follows from its name. Under an unknown name nothing \
         could be checked, and nothing carried out.";
    ROUTER_CANNOT "NE1046" Error "The router can do what the document asks of it."
        "A router that cannot keep a user on one version, copy requests or read a header would be \
         asked all the same, and do something else.";
    SHARE_COARSE "NE1047" Warning "Shares are such that the router, or the number of instances, can give them."
        "A router with coarse weights gives the nearest share that it can, and what is read back \
         is not what was asked. By instance share one of few instances is a large share, whatever \
         the document says.";
    ROLE_EMPTY "NE1048" Error "A role is held by people, each named once."
        "A role that nobody holds is asked in vain; one person named twice counts for two where \
         two are asked for.";
    RECOVERY_SLOW "NE1050" Error "The way back from every step that has one fits into rollback.within."
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
    BASELINE_WIDE "NE1066" Warning "A canary with a baseline set leaves room for it: at most 50 % of traffic."
        "A baseline set gets the same share as the canary, out of stable's part. Above half of the \
         traffic no such share is left: the set ends, and the step is compared with old, warm \
         instances again.";
    BASELINE_UNUSED "NE1067" Warning "A baseline set is compared with."
        "Its instances are there to be compared with. Where every bound is a fixed number, or \
         nothing is judged while they run, they take capacity and tell nothing.";
    BY_SHARE_ROUTED "NE1068" Error "A canary by instance share asks for nothing that only a router can do."
        "Without a router the share of the work is the share of the instances. Chosen users, \
         copied requests, users who stay with one version and a baseline set would be left out \
         in silence.";
    BY_SHARE_MIXED "NE1069" Error "A canary divides by instance share in all of its steps or in none."
        "By instance share stable gives up instances as the canary gets them; behind a router it \
         keeps them all. Between two such steps the fleet would be rebuilt while it is judged.";
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
    KILLS_CLASH "NE1099" Error "Flags in one file have one kill switch."
        "A kill switch replaces the whole file. Thrown one after the other, two of one file undo \
         each other: the second puts back what the first has just switched off, or takes away what \
         nobody meant to.";
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
    OVERRIDE_FORM "NE1110" Error "Profiles and environments are mappings of what they change, and leave the format alone."
        "An override that could change the format or the environment itself would make the \
         document mean something else than what its first lines say.";
    ENVIRONMENT_UNKNOWN "NE1111" Error "The environment is one that the document describes."
        "A deployment to an environment that nobody described would take the figures of another \
         one: staging's two instances in production.";
    PROFILE_UNKNOWN "NE1112" Error "A profile that is named is described."
        "A profile that is not there changes nothing, and the careful figures that its name \
         promises are not taken.";
    PROFILE_CHAIN "NE1113" Error "At most 16 profiles build on each other, and none on itself."
        "A chain of profiles that nobody can follow hides which figure holds; one that bites its \
         own tail has no figure at all.";
}
