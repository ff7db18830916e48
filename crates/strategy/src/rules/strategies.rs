//! Rules about the strategies, their steps, and what carries them.

nonevent_document::rules! {
    /// These rules, by code.
    pub STRATEGIES;
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
    RECREATE_PRODUCTION "NE1030" Error "Recreate, which stops the service, is not for production."
        "Recreate stops every old instance before a new one serves. In production users meet an \
         outage each time, and if the new version does not start, it lasts until the old one is \
         up again.";
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
    ROLE_EMPTY "NE1048" Error "A role is held by people, each named once."
        "A role that nobody holds is asked in vain; one person named twice counts for two where \
         two are asked for.";
}
