//! Which change may follow which: the rule by which a router refuses a superseded controller.

use alloc::format;
use alloc::string::String;

use crate::{Desired, RouterError, RouterErrorKind};

/// What a fencing router does with a change that it may accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub enum Admission {
    /// It is newer than the one in force: put it in force.
    Apply,
    /// It is the one in force: say so and change nothing.
    Already,
}

/// Decides on a change, given the one accepted last.
///
/// Fences are ordered by epoch, then generation. A newer one is applied; an equal one with equal
/// content is the same change asked twice.
///
/// # Errors
///
/// [`RouterErrorKind::Stale`] if the fence is older, or equal while the content differs (two
/// controllers believe that they hold the same epoch).
pub fn admit(accepted: Option<&Desired>, asked: &Desired) -> Result<Admission, RouterError> {
    let Some(accepted) = accepted else {
        return Ok(Admission::Apply);
    };
    let stale = |why: String| {
        RouterError::new(
            RouterErrorKind::Stale,
            format!("{why}; another controller has taken over, so stop acting and resume anew"),
        )
    };
    let (new, old) = (asked.fence, accepted.fence);
    if new > old {
        Ok(Admission::Apply)
    } else if new < old {
        Err(stale(format!(
            "change {}.{} is older than {}.{}, which the router has accepted",
            new.epoch, new.generation, old.epoch, old.generation
        )))
    } else if asked == accepted {
        Ok(Admission::Already)
    } else {
        Err(stale(format!(
            "the router has accepted another change with the number {}.{}",
            new.epoch, new.generation
        )))
    }
}

#[cfg(test)]
mod tests {
    use nonevent_document::Digest;
    use proptest::prelude::*;

    use super::*;
    use crate::{Fence, Pools, Split};

    fn desired(epoch: u64, generation: u64, weight: u16) -> Desired {
        Desired {
            split: Split::canary(weight).expect("a weight"),
            pools: Pools::default(),
            plan: Digest::of(b"plan"),
            fence: Fence { epoch, generation },
        }
    }

    #[test]
    fn an_epoch_outranks_any_generation() {
        let accepted = desired(2, 1, 500);
        assert_eq!(
            admit(Some(&accepted), &desired(3, 0, 0)).expect("newer"),
            Admission::Apply
        );
        let error = admit(Some(&accepted), &desired(1, 99, 0)).expect_err("older");
        assert_eq!(error.kind(), RouterErrorKind::Stale);
        assert!(!error.may_have_acted());
    }

    #[test]
    fn the_same_number_means_the_same_content() {
        let accepted = desired(2, 1, 500);
        assert_eq!(
            admit(Some(&accepted), &accepted.clone()).expect("equal"),
            Admission::Already
        );
        let error = admit(Some(&accepted), &desired(2, 1, 501)).expect_err("differs");
        assert_eq!(error.kind(), RouterErrorKind::Stale);
    }

    proptest! {
        /// Whatever order changes arrive in, the ones applied only ever get newer.
        #[test]
        fn applied_changes_only_get_newer(
            changes in proptest::collection::vec((0u64..4, 0u64..4, 0u16..3), 1..30),
        ) {
            let mut accepted: Option<Desired> = None;
            for (epoch, generation, weight) in changes {
                let asked = desired(epoch, generation, weight);
                match admit(accepted.as_ref(), &asked) {
                    Ok(Admission::Apply) => {
                        if let Some(before) = &accepted {
                            prop_assert!(asked.fence > before.fence);
                        }
                        accepted = Some(asked);
                    }
                    Ok(Admission::Already) => prop_assert_eq!(accepted.as_ref(), Some(&asked)),
                    Err(error) => prop_assert_eq!(error.kind(), RouterErrorKind::Stale),
                }
            }
        }
    }
}
