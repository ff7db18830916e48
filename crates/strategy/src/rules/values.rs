//! Rules about single values: names, numbers, times.

nonevent_document::rules! {
    /// These rules, by code.
    pub VALUES;
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
    CONNECTIONS_UNSAID "NE1008" Warning "What long-lived connections meet when their instance goes is said."
        "A WebSocket or a stream outlives any drain time that suits requests. Whether it is cut \
         off or waited for is a promise to users, and a default makes it without anybody \
         noticing.";
    RIDE_OUT_SHORT "NE1009" Error "Connections that are ridden out are given at least a minute."
        "An instance waits for its connections to end by themselves, and the step fails if they \
         do not in time. A drain time of seconds makes nearly every step fail.";
}
