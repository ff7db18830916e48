//! The last good flags of a source that may change at any time.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use nonevent_document::{Digest, Findings, Timestamp};
use nonevent_flags::{Flag, FlagSet, Usage};
use tokio::sync::Mutex;

use crate::error::{DriverError, DriverErrorKind};
use crate::flag_server::source::{Content, Fetched, FlagSource, Mark};

/// Flags with what they were read from.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The flags, a set for each file by its name.
    pub sets: Vec<Arc<FlagSet>>,
    /// How often each was evaluated. Flags that take these ones' place go on counting.
    pub usage: Usage,
    /// Of what was read.
    pub digest: Digest,
    /// When it was read.
    pub read_at: Timestamp,
    /// Why what is there now is not in use, if it is not.
    pub refused: Option<String>,
}

impl Kept {
    /// How many flags there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sets.iter().map(|set| set.len()).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The set that has the flag.
    #[must_use]
    pub fn set_of(&self, key: &str) -> Option<&FlagSet> {
        let found = self.sets.iter().find(|set| set.get(key).is_some());
        found.map(|set| &**set)
    }

    /// All flags, each with its set.
    pub fn flags(&self) -> impl Iterator<Item = (&FlagSet, &Flag)> {
        let sets = self.sets.iter().map(|set| &**set);
        sets.flat_map(|set| set.flags().map(move |flag| (set, flag)))
    }

    /// The dialects of the files, each once.
    #[must_use]
    pub fn dialects(&self) -> Vec<&'static str> {
        let mut dialects: Vec<&str> = self.sets.iter().map(|set| set.dialect().as_str()).collect();
        dialects.sort_unstable();
        dialects.dedup();
        dialects
    }
}

/// What a look at the source found.
#[derive(Debug)]
pub enum Looked {
    /// The same as before.
    Unchanged,
    /// Another content, which is in use now, with what was noticed about it.
    Reloaded {
        /// How many flags there are.
        flags: usize,
        /// What was noticed, by file.
        findings: Vec<(String, Findings)>,
    },
    /// A content that cannot be used, and why; the last good one stays.
    Refused(String),
}

/// The last good flags, swapped as a whole: an evaluation sees one set from its beginning to its
/// end, and waits for nobody.
#[derive(Debug)]
pub struct KeptFlags {
    source: FlagSource,
    kept: ArcSwap<Kept>,
    last: Mutex<Last>,
}

/// What the source was when it was looked at last.
#[derive(Debug, Default)]
struct Last {
    mark: Option<Mark>,
    digest: Option<Digest>,
    refused: Option<String>,
}

impl KeptFlags {
    /// Reads the source; what was noticed about it comes with it, by file.
    ///
    /// # Errors
    ///
    /// [`DriverErrorKind::Storage`] if it cannot be read, [`DriverErrorKind::Findings`] if there are
    /// no flags in it, or a flag is defined twice.
    pub async fn open(
        source: FlagSource,
        now: Timestamp,
    ) -> Result<(KeptFlags, Vec<(String, Findings)>), DriverError> {
        let (contents, mark) = match source.place.fetch(None).await {
            Fetched::Contents(contents, mark) => (contents, Some(mark)),
            // Nothing was known that it could be the same as.
            Fetched::Same => (Vec::new(), None),
            Fetched::Failed(why) => return Err(DriverError::new(DriverErrorKind::Storage, why)),
        };
        let (kept, findings) = load(&source, &contents, now)
            .map_err(|text| DriverError::new(DriverErrorKind::Findings, text))?;
        let last = Last {
            mark,
            digest: Some(kept.digest),
            refused: None,
        };
        let flags = KeptFlags {
            source,
            kept: ArcSwap::from_pointee(kept),
            last: Mutex::new(last),
        };
        Ok((flags, findings))
    }

    /// The flags that are in use.
    #[must_use]
    pub fn current(&self) -> Arc<Kept> {
        self.kept.load_full()
    }

    /// Looks at the source, and takes what is there now if that can be used.
    pub async fn look(&self, now: Timestamp) -> Looked {
        let mut last = self.last.lock().await;
        let (contents, mark) = match self.source.place.fetch(last.mark.clone()).await {
            Fetched::Same => return Looked::Unchanged,
            Fetched::Contents(contents, mark) => (contents, mark),
            Fetched::Failed(why) => {
                // What comes after a failure is read whatever it looks like.
                last.mark = None;
                return self.refuse(&mut last, None, why);
            }
        };
        last.mark = Some(mark);
        let digest = digest(&contents);
        if last.digest == Some(digest) {
            return Looked::Unchanged;
        }
        match load(&self.source, &contents, now) {
            Ok((mut kept, findings)) => {
                let flags = kept.len();
                let flags_now = kept.sets.iter().flat_map(|set| set.flags());
                kept.usage = self.kept.load().usage.renewed(flags_now);
                self.kept.store(Arc::new(kept));
                last.digest = Some(digest);
                last.refused = None;
                Looked::Reloaded { flags, findings }
            }
            Err(why) => self.refuse(&mut last, Some(digest), why),
        }
    }

    fn refuse(&self, last: &mut Last, digest: Option<Digest>, why: String) -> Looked {
        last.digest = digest;
        if last.refused.as_ref() == Some(&why) {
            return Looked::Unchanged;
        }
        last.refused = Some(why.clone());
        let mut kept = Kept::clone(&self.current());
        kept.refused = Some(why.clone());
        self.kept.store(Arc::new(kept));
        Looked::Refused(why)
    }
}

/// Of one file its own, so that it can be compared with what others compute.
fn digest(contents: &[Content]) -> Digest {
    if let [one] = contents {
        return Digest::of(&one.bytes);
    }
    let parts: Vec<String> = contents
        .iter()
        .map(|content| format!("{} {}\n", Digest::of(&content.bytes).hex(), content.name))
        .collect();
    Digest::of(parts.concat().as_bytes())
}

type Loaded = (Kept, Vec<(String, Findings)>);

fn load(source: &FlagSource, contents: &[Content], now: Timestamp) -> Result<Loaded, String> {
    let mut sets = Vec::with_capacity(contents.len());
    let mut findings = Vec::new();
    for Content { name, bytes } in contents {
        match FlagSet::load(name, bytes, source.options) {
            Ok(loaded) => {
                sets.push(Arc::new(loaded.set));
                if !loaded.findings.is_empty() {
                    findings.push((name.clone(), loaded.findings));
                }
            }
            Err(found) => return Err(found.render(name, &String::from_utf8_lossy(bytes), false)),
        }
    }
    let mut files: BTreeMap<&str, &str> = BTreeMap::new();
    for set in &sets {
        for flag in set.flags() {
            if let Some(other) = files.insert(flag.key(), set.name()) {
                return Err(format!(
                    "the flag {:?} is defined in {other} and in {}: keep one of them",
                    flag.key(),
                    set.name()
                ));
            }
        }
    }
    let kept = Kept {
        usage: Usage::new(sets.iter().flat_map(|set| set.flags())),
        sets,
        digest: digest(contents),
        read_at: now,
        refused: None,
    };
    Ok((kept, findings))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use nonevent_flags::LoadOptions;

    use super::*;
    use crate::flag_server::source::FlagPlace;

    const AT: Timestamp = Timestamp::from_unix_ms(1_790_000_000_000);

    fn source(path: &Path) -> FlagSource {
        FlagSource {
            place: FlagPlace::Path(path.to_owned()),
            options: LoadOptions::default(),
        }
    }

    async fn kept(text: &str) -> (tempfile::TempDir, KeptFlags) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("flags.json");
        fs::write(&path, text).unwrap();
        let (flags, findings) = KeptFlags::open(source(&path), AT).await.unwrap();
        assert!(findings.is_empty());
        (dir, flags)
    }

    fn value(flags: &KeptFlags, key: &str) -> bool {
        let context = nonevent_flags::Context::anonymous();
        let kept = flags.current();
        kept.set_of(key)
            .is_some_and(|set| set.bool(key, false, &context).value)
    }

    #[tokio::test]
    async fn a_change_is_taken_as_a_whole_and_a_bad_one_leaves_the_last_good_set() {
        let (dir, flags) = kept(r#"{"flags":{"dark":true}}"#).await;
        let path = dir.path().join("flags.json");
        assert!(value(&flags, "dark"));
        assert!(matches!(flags.look(AT).await, Looked::Unchanged));

        let before = flags.current();
        let context = nonevent_flags::Context::anonymous();
        let set = before.set_of("dark").unwrap();
        let resolution = set.evaluate("dark", &context);
        before.usage.record("dark", &resolution, AT);
        fs::write(&path, r#"{"flags":{"dark":false,"more":1}}"#).unwrap();
        assert!(matches!(
            flags.look(AT.plus_ms(5)).await,
            Looked::Reloaded { flags: 2, .. }
        ));
        assert!(!value(&flags, "dark"));
        // Whoever still evaluates the set before counts into the same.
        before.usage.record("dark", &resolution, AT);
        let usage = flags.current().usage.snapshot();
        assert_eq!(usage.flags["dark"].evaluations, 2);
        assert_eq!(flags.current().read_at, AT.plus_ms(5));

        for bad in ["{", r#"{"flags":"#, "[]"] {
            fs::write(&path, bad).unwrap();
            let looked = flags.look(AT).await;
            assert!(matches!(looked, Looked::Refused(_)), "{bad}: {looked:?}");
            assert!(
                matches!(flags.look(AT).await, Looked::Unchanged),
                "it is said once"
            );
            assert_eq!(flags.current().len(), 2);
            assert!(flags.current().refused.is_some());
        }
        fs::remove_file(&path).unwrap();
        assert!(
            matches!(flags.look(AT).await, Looked::Refused(why) if why.contains("cannot be read"))
        );
        assert_eq!(flags.current().len(), 2);

        // What was in use before the trouble is taken again, and the trouble is over.
        fs::write(&path, r#"{"flags":{"dark":false,"more":1}}"#).unwrap();
        assert!(matches!(flags.look(AT).await, Looked::Reloaded { .. }));
        assert!(flags.current().refused.is_none());
    }

    #[tokio::test]
    async fn a_folder_is_all_its_files_whatever_their_dialects() {
        let (dir, flags) = kept(r#"{"flags":{"dark":true}}"#).await;
        let of_folder = KeptFlags::open(source(dir.path()), AT).await.unwrap().0;
        assert_eq!(of_folder.current().digest, flags.current().digest);
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        write(".hidden.json", "{");
        write("notes.txt", "no flags");
        write(
            "unleash.json",
            r#"{"version":2,"features":[{"name":"bright","enabled":true,"strategies":[]}]}"#,
        );
        assert!(matches!(
            of_folder.look(AT).await,
            Looked::Reloaded { flags: 2, .. }
        ));
        assert!(value(&of_folder, "dark") && value(&of_folder, "bright"));
        assert_eq!(of_folder.current().dialects(), ["plain", "unleash"]);

        write("again.yaml", "flags:\n  dark: false\n");
        let looked = of_folder.look(AT).await;
        let Looked::Refused(why) = looked else {
            panic!("one flag in two files: {looked:?}");
        };
        assert!(
            why.contains("\"dark\"") && why.contains("again.yaml"),
            "{why}"
        );
        assert!(value(&of_folder, "dark"));
        fs::remove_file(dir.path().join("again.yaml")).unwrap();
        fs::remove_file(dir.path().join("unleash.json")).unwrap();
        assert!(matches!(
            of_folder.look(AT).await,
            Looked::Reloaded { flags: 1, .. }
        ));
    }

    #[tokio::test]
    async fn what_is_no_file_of_flags_is_refused_at_the_start() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("flags.json");
        for (path, kind) in [
            (dir.path(), DriverErrorKind::Storage),
            (&path, DriverErrorKind::Storage),
        ] {
            let error = KeptFlags::open(source(path), AT).await.unwrap_err();
            assert_eq!(error.kind(), kind);
        }
        fs::write(&path, "{").unwrap();
        let error = KeptFlags::open(source(&path), AT).await.unwrap_err();
        assert_eq!(error.kind(), DriverErrorKind::Findings);
    }
}
