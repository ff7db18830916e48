//! Following a runbook: the same machine and journal as a deployment's, with people for hands.
//!
//! What the machine wants done becomes a question ([`Ask`]); that somebody says it is done is no sight,
//! so that what is seen is asked next, and only that is told to the machine.
//!
//! The machine's clock stands still while a question is open: what a plan calls a deadline is the time
//! that machines need. The journal keeps the time of the calendar, and each question as time that did
//! not count, so that whoever goes on with it finds the clock where it was.

mod checklist;
mod desk;
mod follower;
mod hands;
mod page;
mod past;
mod person;
mod question;
mod session;
mod ticking;
mod words;

pub use checklist::{Checklist, Gone, go_through};
pub use follower::{Automatic, Desktop, Follower, Ticked};
pub use page::write_down;
pub use past::{Answered, StepTime};
pub use person::{Aside, Countdown, Ledger, Person};
pub use question::{Answer, ArmNumbers, Ask, Numbers, Place, Question, Standing, StepText};
pub(crate) use session::{FOLLOWED, by_hand};
pub use session::{Following, Walked, followed_page};

#[cfg(test)]
mod tests;
