//! The rules that a deployment is checked against, as data.

nonevent_document::rules! {
    /// Every rule, by code.
    pub RULES;
    API_VERSION "NE1001" Error "The document says which version of the format it is written in.";
    NAME "NE1002" Error "Names are one line of 1 to 200 characters without control characters.";
    SAME_RELEASE "NE1003" Error "A deployment leads from one version to another.";
    ONE_STRATEGY "NE1004" Error "Exactly one strategy is named.";
    REPLICAS "NE1005" Error "A fleet has 1 to 5000 instances, and at most 5000 spare ones.";
    MIN_HEALTHY "NE1006" Error "Min healthy lies between one instance and all of them.";
    TIME_RANGE "NE1007" Error "Times lie between their bounds.";
    NO_STEPS "NE1010" Error "A canary has at least one step.";
    RAMP_FALLS "NE1011" Error "Each canary step raises the traffic.";
    RAMP_UNFINISHED "NE1012" Error "The last canary step sends all traffic to the new version.";
    ZERO_STEP "NE1013" Error "A canary step sends some traffic to the new version.";
    PAUSE_BLIND "NE1014" Error "A pause leaves time for at least two looks of its analysis.";
    PAUSE_FEW "NE1015" Warning "A pause is long enough for the analysis to see enough requests.";
    SHARE_UNCARRIED "NE1016" Error "Canary instances can carry their share of the traffic.";
    NO_SPARE "NE1017" Error "The spare capacity holds the new instances.";
    STEP_SHRINKS "NE1018" Error "Canary instances do not get fewer from step to step.";
    BLAST_RADIUS "NE1019" Warning "At most 25 % of traffic meets the new version before any analysis.";
    PAUSE_WEAK "NE1020" Warning "A pause is strong enough to find a canary with 5 times the errors allowed.";
    ROLLING_SURGE "NE1021" Error "Rolling's surge fits into the spare capacity.";
    ROLLING_FLOOR "NE1022" Error "Rolling never takes more instances away than min healthy allows.";
    PAUSE_UNKNOWN "NE1023" Note "How many requests there are is known, and with it what a pause would find.";
    RECREATE_PRODUCTION "NE1030" Error "Recreate, which stops the service, is not for production.";
    DOWNTIME_SHORT "NE1031" Error "The accepted downtime covers the longest time that the plan may be closed.";
    DELAY_SHORT "NE1040" Error "The old environment is kept at least as long as the bake.";
    RECOVERY_SLOW "NE1050" Error "The way back from every step fits into rollback.within.";
    KEEP_MANY "NE1051" Error "No more instances are kept for investigation than the canary ever has.";
    NO_ANALYSIS "NE1060" Warning "Traffic moves on evidence: a strategy that serves both versions compares them.";
    EMPTY_ANALYSIS "NE1061" Error "An analysis has at least one bound.";
    EVERY_ZERO "NE1062" Error "An analysis looks at an interval between 100 ms and 1 h.";
    ANALYSIS_POLICY "NE1063" Error "The numbers of the analysis lie in their ranges.";
    ANALYSIS_BOUNDS "NE1064" Error "The bounds of an analysis can be read, and judged by a router's counters.";
    SUITE_EMPTY "NE1070" Error "A smoke suite checks something.";
    SUITE_UNREAD "NE1071" Error "A smoke suite that is named can be read.";
    SUITE_UNKNOWN "NE1072" Note "Whether the smoke suites check something is known.";
    OVERRIDE_FORM "NE1080" Error "Profiles and environments are mappings of what they change, and leave the format alone.";
    ENVIRONMENT_UNKNOWN "NE1081" Error "The environment is one that the document describes.";
    PROFILE_UNKNOWN "NE1082" Error "A profile that is named is described.";
    PROFILE_CHAIN "NE1083" Error "At most 16 profiles build on each other, and none on itself.";
}
