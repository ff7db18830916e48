//! The rules that a release of several services is checked against, as data.

nonevent_document::rules! {
    /// Every rule about releases of several services, by code.
    pub RELEASE_RULES;
    FORMAT "NE1201" Error "The document says that it is a release, and in which version of the format.";
    NAME "NE1202" Error "Names are one line of 1 to 200 characters without control characters.";
    SIZE "NE1203" Error "A release has 1 to 100 services and at most 500 contracts.";
    TWICE "NE1204" Error "Each service and each contract is named once.";
    SERVICE_UNKNOWN "NE1205" Error "Only services of the release are waited for and relied on.";
    CIRCLE "NE1206" Error "No service waits for itself.";
    CONTRACT_SELF "NE1207" Error "A contract stands between two services.";
    CONTRACT_UNORDERED "NE1208" Warning "Of the two services of a contract, it is said which moves first.";
    SUITE_EMPTY "NE1210" Error "A contract's smoke suite checks something.";
    SUITE_UNREAD "NE1211" Error "A contract's smoke suite can be read.";
    SUITE_UNKNOWN "NE1212" Note "Whether the contracts' suites check something is known.";
    PLAN_MISSING "NE1220" Error "The deployment of every service can be planned.";
    PLAN_OTHER "NE1221" Error "The deployment of a service is its own, and for the release's environment.";
    PLAN_UNKNOWN "NE1222" Note "The plan of every service is known.";
}
