//! What flag files are held against, as data.

nonevent_document::rules! {
    /// Every rule that a flag file is held against, by code. The severity is the usual one: what keeps
    /// a flag from being evaluated is an error, and the same in a part of it may be a warning.
    pub RULES;
    NOT_FLAGS "NE4001" Error "A flag file is one of the dialects that are known, and has flags in it."
        "Read as another dialect the same file is other flags, or none: every caller would get its \
         own default without a word.";
    UNKNOWN_OPERATOR "NE4002" Error "Every operator is one that its dialect has."
        "A condition that cannot be evaluated is false, or makes the flag useless, for everyone: what \
         was meant for some is off for all.";
    REFERENCE "NE4003" Error "What a flag refers to exists, and does not lead back to the flag."
        "A shared rule, segment or prerequisite that is missing never holds, and flags that wait for \
         each other have no value at all.";
    DEFINITION "NE4004" Error "A flag is defined as its dialect says."
        "A flag that cannot be read answers with an error, and its callers get their own defaults.";
    UNDEFINED_VARIANT "NE4005" Error "Every variant that is named is defined."
        "Whoever the flag serves the missing variant to gets the caller's default instead.";
    ARGUMENTS "NE4006" Warning "An operator has the arguments that it can give a result for."
        "With others it gives null for everyone, so that the branch after it is never taken.";
    SPLIT "NE4007" Error "Shares are numbers that make a whole, and do not overlap."
        "Where they do not, others are served than the numbers say: what is missing goes to the last \
         share or to nobody, and what is too much is never reached.";
    TOO_LARGE "NE4008" Error "A flag's rules are nested no deeper and are no more than the limits allow."
        "Rules are followed for every request; without a limit one flag could use up its time and \
         its stack.";
    TYPE_CONFLICT "NE4009" Warning "All variants of a flag have one type."
        "A caller asks for one type. Whoever is served a variant of another gets the caller's default \
         and an error.";
    UNKNOWN_FIELD "NE4010" Warning "Every field is one that its dialect knows."
        "A misspelt field has no effect: the percentage that somebody believes to have set is not \
         there.";
    METADATA "NE4011" Error "Metadata are texts, numbers and booleans."
        "OpenFeature has no others, so anything else is left out of what callers get.";
    DATE "NE4012" Warning "A date is written as 2026-02-15, or as an RFC 3339 time in UTC."
        "A date that cannot be read is no date: the flag is never said to be overdue.";
    ENVIRONMENT "NE4013" Warning "A boolean in the environment is true or false."
        "`1`, `yes` and `on` are a number and texts; a caller that asks for a boolean gets its own \
         default.";
    NO_OWNER "NE4020" Warning "Somebody answers for a flag."
        "A flag that nobody owns is removed by nobody, and nobody knows whether it may be switched.";
    OVERDUE "NE4021" Warning "A flag is gone by its cleanup date."
        "Each old flag is a branch that is no longer tested in one of its two ways.";
    STALE_RELEASE "NE4022" Warning "A release flag goes within two weeks of reaching everyone."
        "It decides nothing any more, but can still be switched off, into code that nobody has run \
         since.";
    NO_CLEANUP_DATE "NE4023" Warning "A release or experiment flag has a cleanup date."
        "It is meant to be temporary; without a date it stays.";
    UNREACHABLE "NE4024" Warning "No rule stands after one that decides for everybody."
        "What comes after it is never looked at, and whoever wrote it believes that it is in force.";
    NESTED "NE4025" Warning "A flag depends only on flags that depend on none."
        "Who switches one off must know the whole chain to know what happens.";
    UNKNOWN_KEY "NE4026" Error "Every key that the code asks for is defined."
        "The code gets its own default for ever, and the flag that was meant does nothing.";
    DEAD "NE4027" Warning "Every flag is asked for by some code, and evaluated now and then."
        "A flag that nobody asks for is debt, and whoever switches it expects an effect that does not \
         come.";
    STAGE "NE4028" Error "A stage of a release takes away no rule that the flag has."
        "A file that is written over rules of another kind would give the feature to others than \
         before, or take it from some, without anybody having said so.";
    NOBODY_FIRST "NE4029" Error "An internal stage says who is internal."
        "Without it the stage would be for nobody, or for everybody.";
    GROWTH "NE4030" Note "A share that grows keeps everyone it had."
        "People who have seen a feature and lose it again report a fault, and what is measured mixes \
         both groups. With two shares growing one is safe; with more it depends on which boundary \
         moves.";
}
