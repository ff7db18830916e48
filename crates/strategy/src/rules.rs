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
    REPLICAS "NE1005" Error "A fleet has 1 to 5000 instances, and at most 5000 spare ones."
        "A fleet without instances serves nobody. Counts beyond the limit are nearly always a \
         slip of the keyboard, and would start machines that nobody has.";
    MIN_HEALTHY "NE1006" Error "Min healthy lies between one instance and all of them."
        "Capacity is worked out from this floor. At zero, the rollout may take every instance \
         away and call that healthy; above the fleet's size, no state is ever healthy and the \
         rollout waits for ever.";
    TIME_RANGE "NE1007" Error "Times lie between their bounds."
        "A time of zero makes a wait pass before anything has happened. One of months leaves the \
         rollout half done, with both versions up and nobody who remembers why.";
    NO_STEPS "NE1010" Error "A canary has 1 to 100 steps."
        "Without a step no traffic ever reaches the new version: nothing is tested, and nothing is \
         released. Hundreds of steps come from a generator that went wrong, and nobody reviews \
         them.";
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
         for evidence.";
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
         % hurts, and shows a gross fault as well.";
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
    RECREATE_PRODUCTION "NE1030" Error "Recreate, which stops the service, is not for production."
        "Recreate stops every old instance before a new one serves. In production users meet an \
         outage each time, and if the new version does not start, it lasts until the old one is \
         up again.";
    DOWNTIME_SHORT "NE1031" Error "The accepted downtime covers the longest time that the plan may be closed."
        "Somebody accepted a downtime of a certain length. If draining and starting may take \
         longer, they have agreed to something else than what can happen.";
    DELAY_SHORT "NE1040" Error "The old environment is kept at least as long as the bake."
        "While the old environment runs, the way back is a change of weights and takes seconds. \
         Taken down before the bake is over, it has to be started anew just when it is needed.";
    RECOVERY_SLOW "NE1050" Error "The way back from every step fits into rollback.within."
        "The document promises a time to recover. If the way back from some step, with starts, \
         warm-up and draining, may take longer, the promise is broken in the middle of an \
         incident.";
    KEEP_MANY "NE1051" Error "No more instances are kept for investigation than the canary ever has."
        "Instances kept for investigation take spare capacity. More than the canary ever had do \
         not exist, and more than there is room for would cost stable instances.";
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
    SUITE_EMPTY "NE1070" Error "A smoke suite checks something."
        "A suite that checks nothing passes always. A green line in the report then says that the \
         service works when nobody has asked it anything.";
    SUITE_UNREAD "NE1071" Error "A smoke suite that is named can be read."
        "The suite is part of what was reviewed. A rollout that begins without it finds out in \
         the middle that it cannot test, or tests less than people believe.";
    SUITE_UNKNOWN "NE1072" Note "Whether the smoke suites check something is known."
        "Whoever checked could not see the suite. It may be missing or empty, and that would come \
         to light only when it is needed.";
}
