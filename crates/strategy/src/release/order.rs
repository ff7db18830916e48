//! Which service waits for which.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::ServiceRelease;

/// For each service, all that must have moved before it, by their places in the document; names
/// that are not there are left out. A service in its own set is in a circle.
pub(super) fn awaited(release: &ServiceRelease) -> Vec<BTreeSet<usize>> {
    let direct: Vec<BTreeSet<usize>> = release
        .services
        .iter()
        .map(|it| {
            it.after
                .iter()
                .filter_map(|name| release.index(name))
                .collect()
        })
        .collect();
    let all = |start: &BTreeSet<usize>| {
        let mut found = BTreeSet::new();
        let mut rest: Vec<usize> = start.iter().copied().collect();
        while let Some(next) = rest.pop() {
            if found.insert(next) {
                rest.extend(&direct[next]);
            }
        }
        found
    };
    direct.iter().map(all).collect()
}

/// The services in waves: those of one move together, once all before have moved. One service a
/// wave unless the release is parallel; the document's order decides where nothing else does.
/// Services in a circle, and what waits for them, are left out.
pub(super) fn waves(release: &ServiceRelease) -> Vec<Vec<usize>> {
    let awaited = awaited(release);
    let mut moved: BTreeSet<usize> = BTreeSet::new();
    let mut waves = Vec::new();
    loop {
        let ready =
            (0..awaited.len()).filter(|it| !moved.contains(it) && awaited[*it].is_subset(&moved));
        let most = if release.parallel { awaited.len() } else { 1 };
        let wave: Vec<usize> = ready.take(most).collect();
        if wave.is_empty() {
            return waves;
        }
        moved.extend(&wave);
        waves.push(wave);
    }
}
