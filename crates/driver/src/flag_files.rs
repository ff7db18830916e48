//! Files of feature flags: every content that a plan names is kept beside its journal, and a file
//! is replaced as a whole and read back.
//!
//! A flag's file is reached from the document's folder by folders alone: no link is followed on the
//! way to it or in its place, so that nothing outside is ever written.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use nonevent_document::Digest;
use nonevent_strategy::{Action, FileRef, FlagPlan, Plan, Step, Task};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, fstat, openat, renameat, statat, unlinkat};
use rustix::io::Errno;

use crate::error::{DriverError, DriverErrorKind};
use crate::state_dir::StateDir;

/// The largest flag file, in bytes.
const BYTES_MAX: u64 = 1 << 20;
/// The folder of the state folder that contents are kept in.
pub(crate) const KEPT: &str = "flags";

fn misfit(text: String) -> DriverError {
    DriverError::new(DriverErrorKind::Misfit, text)
}

fn storage(text: String) -> DriverError {
    DriverError::new(DriverErrorKind::Storage, text)
}

/// Every content that a plan's flag files go through, as planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagContents(BTreeMap<Digest, Vec<u8>>);

impl FlagContents {
    /// Reads all that `plan` names from `documents`, the document's folder. Nothing is changed.
    ///
    /// # Errors
    /// [`DriverErrorKind::Misfit`] with every file that is missing, is not what was planned, or
    /// could not be replaced.
    pub fn read(plan: &Plan, documents: Option<&Path>) -> Result<FlagContents, DriverError> {
        let mut contents = BTreeMap::new();
        if plan.flags.is_empty() {
            return Ok(FlagContents(contents));
        }
        let Some(documents) = documents else {
            return Err(misfit(String::from(
                "the plan opens feature flags, and the folder that their files lie in is not known",
            )));
        };
        let mut problems = BTreeSet::new();
        for flag in plan.flags.values() {
            if let Err(error) = read_at(documents, &flag.file.name) {
                problems.insert(format!("{}: {error}", flag.file.name));
            }
        }
        for file in named(plan) {
            match content_of(documents, file) {
                Ok((digest, content)) => drop(contents.insert(digest, content)),
                Err(problem) => drop(problems.insert(format!("{}: {problem}", file.name))),
            }
        }
        if problems.is_empty() {
            return Ok(FlagContents(contents));
        }
        let problems: Vec<String> = problems.into_iter().collect();
        Err(misfit(format!(
            "the flag files in {} are not what was planned, nothing was done: {}",
            documents.display(),
            problems.join("; ")
        )))
    }

    /// Writes them into the state folder, so that every way from here needs nothing but that.
    ///
    /// # Errors
    /// [`DriverErrorKind::Storage`] if one cannot be written.
    pub fn keep(&self, state: &StateDir) -> Result<(), DriverError> {
        for (digest, content) in &self.0 {
            let name = format!("{KEPT}/{}", digest.hex());
            state
                .write(&name, content)
                .map_err(|error| storage(format!("{name} cannot be written: {error}")))?;
        }
        Ok(())
    }
}

/// Every file that a plan names for its flags.
fn named(plan: &Plan) -> impl Iterator<Item = &FileRef> {
    let flags = plan.flags.values();
    let stages = plan.steps.iter().filter_map(|step| match &step.action {
        Action::Task(Task::Flag { before, after, .. }) => Some([before, after]),
        _ => None,
    });
    flags
        .map(|it| [&it.file, &it.kill_switch])
        .chain(stages)
        .flatten()
}

/// What `file` holds, if that is what was planned.
fn content_of(documents: &Path, file: &FileRef) -> Result<(Digest, Vec<u8>), String> {
    let Some(planned) = file.digest else {
        return Err(String::from("it was not read when the plan was made"));
    };
    let path = documents.join(&file.name);
    // Something that is no file could keep whoever opens it waiting.
    let opened = match fs::metadata(&path) {
        Ok(it) if it.is_file() => File::open(&path),
        Ok(_) => return Err(String::from("it is no file")),
        Err(error) => Err(error),
    };
    let content = opened.and_then(bounded).map_err(|it| it.to_string())?;
    match Digest::of(&content) {
        found if found == planned => Ok((planned, content)),
        found => Err(format!("{planned} was planned, this is {found}")),
    }
}

fn bounded(file: File) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let read = file.take(BYTES_MAX + 1).read_to_end(&mut content)?;
    if read as u64 > BYTES_MAX {
        return Err(io::Error::other(format!(
            "it is longer than {BYTES_MAX} bytes"
        )));
    }
    Ok(content)
}

/// The flag files of one deployment.
#[derive(Clone, Debug)]
pub struct FlagFiles {
    documents: PathBuf,
    state: StateDir,
}

impl FlagFiles {
    /// The files under `documents`, with the contents that [`FlagContents::keep`] left in `state`.
    #[must_use]
    pub fn new(documents: impl Into<PathBuf>, state: &StateDir) -> FlagFiles {
        FlagFiles {
            documents: documents.into(),
            state: state.clone(),
        }
    }

    /// Puts `after` in the place of `before`, as a whole; done already, it stays. What stands there
    /// afterwards is read back.
    ///
    /// # Errors
    /// [`DriverErrorKind::Misfit`] if something else stands there, [`DriverErrorKind::Storage`] if
    /// it cannot be read, written or found as written.
    pub fn replace(
        &self,
        flag: &FlagPlan,
        before: &FileRef,
        after: &FileRef,
    ) -> Result<(), DriverError> {
        let name = &flag.file.name;
        // From here on it is ours to switch off, whatever comes of the stage.
        self.state.write(&begun(name), b"").map_err(|error| {
            storage(format!(
                "{name}: it cannot be kept that its stages began: {error}"
            ))
        })?;
        let (Some(before), Some(after)) = (before.digest, after.digest) else {
            return Err(misfit(format!("{name}: its contents were not planned")));
        };
        match self.stands(name)? {
            Some(found) if found == after => Ok(()),
            Some(found) if found == before => self.put(name, after),
            found => Err(misfit(format!(
                "{name} is not what the stage replaces: {before} was to be there, {} is; nothing \
                 was written",
                found.map_or_else(|| "no file".to_owned(), |it| it.to_string())
            ))),
        }
    }

    /// Writes the kill switch of each flag whose file is no longer what it was before its first
    /// stage; gives the names of the files that hold it now. A file of which no stage was begun is
    /// left to whoever changed it.
    ///
    /// # Errors
    /// As [`FlagFiles::replace`], after all were tried.
    pub fn kill(&self, plan: &Plan) -> Result<Vec<String>, DriverError> {
        let (mut thrown, mut problems) = (BTreeSet::new(), Vec::new());
        for (name, flag) in &plan.flags {
            match self.kill_one(plan, flag) {
                Ok(true) => drop(thrown.insert(flag.file.name.clone())),
                Ok(false) => {}
                Err(error) => problems.push(format!("flag {name}: {error}")),
            }
        }
        if problems.is_empty() {
            Ok(thrown.into_iter().collect())
        } else {
            Err(storage(problems.join("; ")))
        }
    }

    /// Whether the kill switch stands there now; if not, nothing was ever changed.
    fn kill_one(&self, plan: &Plan, flag: &FlagPlan) -> Result<bool, DriverError> {
        let name = &flag.file.name;
        let Some(off) = flag.kill_switch.digest else {
            return Err(misfit(format!("{name}: its kill switch was not planned")));
        };
        match self.stands(name)? {
            Some(found) if found == off => Ok(true),
            Some(found) if Some(found) == flag.file.digest => Ok(false),
            found if self.is_ours(plan, name, found) => self.put(name, off).map(|()| true),
            _ => Ok(false),
        }
    }

    /// Whether a stage of a flag in this file was begun, or stands in it.
    fn is_ours(&self, plan: &Plan, name: &str, found: Option<Digest>) -> bool {
        let stands = |step: &Step| match &step.action {
            Action::Task(Task::Flag { flag, after, .. }) => {
                let file = plan.flags.get(flag).map(|it| it.file.name.as_str());
                file == Some(name) && found.is_some() && after.digest == found
            }
            _ => false,
        };
        self.state.path(&begun(name)).exists() || plan.steps.iter().any(stands)
    }

    /// The digest of what stands there; absent if nothing does.
    fn stands(&self, name: &str) -> Result<Option<Digest>, DriverError> {
        match read_at(&self.documents, name) {
            Ok(content) => Ok(Some(Digest::of(&content))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(storage(format!("{name} cannot be read: {error}"))),
        }
    }

    /// Writes what was kept under `digest`, and reads it back.
    fn put(&self, name: &str, digest: Digest) -> Result<(), DriverError> {
        let kept = self.state.path(KEPT).join(digest.hex());
        let content = File::open(&kept)
            .and_then(bounded)
            .map_err(|error| storage(format!("{} cannot be read: {error}", kept.display())))?;
        if Digest::of(&content) != digest {
            return Err(storage(format!("{} was changed", kept.display())));
        }
        let written = folder_of(&self.documents, name)
            .and_then(|(folder, last)| write_in(&folder, &last, &content));
        written.map_err(|error| storage(format!("{name} cannot be written: {error}")))?;
        match self.stands(name)? {
            Some(found) if found == digest => Ok(()),
            _ => Err(storage(format!(
                "{name} does not hold what was just written: somebody else writes it too"
            ))),
        }
    }
}

/// What is left in the state folder once a stage of a flag in the file `name` begins.
fn begun(name: &str) -> String {
    format!("{KEPT}/begun-{}", Digest::of(name.as_bytes()).hex())
}

/// The folder that `name` lies in, reached by folders alone, and the last part of `name`.
fn folder_of(documents: &Path, name: &str) -> io::Result<(OwnedFd, OsString)> {
    let outside = || io::Error::other("it does not lie under the document's folder");
    let path = Path::new(name);
    let last = path.file_name().ok_or_else(outside)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut folder = openat(CWD, documents, flags, Mode::empty())?;
    for part in path.parent().unwrap_or(Path::new("")).components() {
        match part {
            Component::CurDir => {}
            Component::Normal(part) => {
                folder = openat(&folder, part, flags | OFlags::NOFOLLOW, Mode::empty())?;
            }
            _ => return Err(outside()),
        }
    }
    Ok((folder, last.to_owned()))
}

/// Reads a file that is reached by folders alone.
fn read_at(documents: &Path, name: &str) -> io::Result<Vec<u8>> {
    let (folder, last) = folder_of(documents, name)?;
    // Not waiting for whoever would write to a pipe.
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = match openat(&folder, &last, flags, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::LOOP) => {
            return Err(io::Error::other(
                "it is a symbolic link, which would be replaced: name the file itself",
            ));
        }
        Err(error) => return Err(error.into()),
    };
    if FileType::from_raw_mode(fstat(&file)?.st_mode) != FileType::RegularFile {
        return Err(io::Error::other("it is no file"));
    }
    bounded(File::from(file))
}

/// Replaces a file so that whoever reads it finds the old content or the new, at every moment and
/// after every crash.
fn write_in(folder: &OwnedFd, name: &OsStr, content: &[u8]) -> io::Result<()> {
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(".nonevent-new");
    match unlinkat(folder, &temporary, AtFlags::empty()) {
        // What a process that was killed left behind.
        Ok(()) | Err(Errno::NOENT) => {}
        Err(error) => return Err(error.into()),
    }
    // Whoever could read the old content can read the new.
    let mode = match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Mode::from_raw_mode(stat.st_mode) & Mode::from_raw_mode(0o777),
        Err(_) => Mode::from_raw_mode(0o644),
    };
    let written = || -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mut file = File::from(openat(folder, &temporary, flags, mode)?);
        rustix::fs::fchmod(&file, mode)?;
        file.write_all(content)?;
        file.sync_all()?;
        renameat(folder, &temporary, folder, name)?;
        rustix::fs::fsync(folder)?;
        Ok(())
    };
    written().inspect_err(|_| {
        // It may not have been made.
        let _ = unlinkat(folder, &temporary, AtFlags::empty());
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;
    use crate::prepare::{Wanted, prepare};

    const DOCUMENT: &str = "
apiVersion: nonevent/v1
kind: Deployment
service: shop
environment: test
release: { from: 1.0.0, to: 1.1.0 }
fleet: { replicas: 2, spare: 2 }
strategy: { canary: { steps: [ { traffic: 50%, pause: 1m }, { traffic: 100%, pause: 1m } ] } }
flags:
  - flag: basket
    file: flags/basket.json
    kill_switch: flags/off.json
    stages:
      - { name: some, exposure: 5%, content: flags/some.json, pause: 1m }
      - { name: all, exposure: 100%, content: flags/all.json, pause: 1m }
";

    /// A document's folder with its flag files, and a state folder that keeps what was planned.
    struct Scene {
        dir: tempfile::TempDir,
        plan: Plan,
    }

    impl Scene {
        fn new() -> Scene {
            let dir = tempfile::tempdir().unwrap();
            let documents = dir.path().join("documents");
            fs::create_dir_all(documents.join("flags")).unwrap();
            for name in ["basket", "off", "some", "all"] {
                let path = documents.join(format!("flags/{name}.json"));
                fs::write(path, format!("{{\"{name}\": true}}")).unwrap();
            }
            let wanted = Wanted::default();
            let prepared = prepare("shop.yaml", DOCUMENT.as_bytes(), &documents, &wanted);
            let prepared = prepared.unwrap_or_else(|findings| panic!("{findings}"));
            assert_eq!(prepared.documents, documents.canonicalize().ok());
            Scene {
                dir,
                plan: prepared.plan,
            }
        }

        fn kept() -> Scene {
            let scene = Scene::new();
            let contents = FlagContents::read(&scene.plan, Some(&scene.documents())).unwrap();
            contents.keep(&scene.state()).unwrap();
            // Whatever becomes of them, what was planned is kept.
            for name in ["off", "some", "all"] {
                fs::remove_file(scene.documents().join(format!("flags/{name}.json"))).unwrap();
            }
            scene
        }

        fn documents(&self) -> PathBuf {
            self.dir.path().join("documents")
        }

        fn state(&self) -> StateDir {
            StateDir::open(self.dir.path().join("state")).unwrap()
        }

        fn files(&self) -> FlagFiles {
            FlagFiles::new(self.documents(), &self.state())
        }

        fn path(&self) -> PathBuf {
            self.documents().join("flags/basket.json")
        }

        /// Puts the stage at place `stage` in force.
        fn stage(&self, stage: usize) -> Result<(), DriverError> {
            let stages = self.plan.steps.iter().filter_map(|it| match &it.action {
                Action::Task(Task::Flag { before, after, .. }) => Some((before, after)),
                _ => None,
            });
            let (before, after) = stages.into_iter().nth(stage).unwrap();
            self.files()
                .replace(&self.plan.flags["basket"], before, after)
        }

        fn holds(&self) -> String {
            let text = fs::read_to_string(self.path()).unwrap();
            text.trim_matches(['{', '}'])
                .replace("\": true", "")
                .replace('"', "")
        }

        fn read(&self) -> String {
            let read = FlagContents::read(&self.plan, Some(&self.documents()));
            let error = read.unwrap_err();
            assert_eq!(error.kind(), DriverErrorKind::Misfit);
            error.to_string()
        }
    }

    #[test]
    fn a_stage_after_the_other_and_the_way_back() {
        let scene = Scene::kept();
        let mode = fs::Permissions::from_mode(0o666);
        fs::set_permissions(scene.path(), mode).unwrap();
        assert_eq!(
            scene.files().kill(&scene.plan).unwrap(),
            [""; 0],
            "nothing was changed"
        );
        assert_eq!(scene.holds(), "basket");
        scene.stage(0).unwrap();
        assert_eq!(scene.holds(), "some");
        scene.stage(0).unwrap();
        scene.stage(1).unwrap();
        assert_eq!(scene.holds(), "all");
        for _ in 0..2 {
            let thrown = scene.files().kill(&scene.plan).unwrap();
            assert_eq!(thrown, ["flags/basket.json"]);
            assert_eq!(scene.holds(), "off");
        }
        let mode = fs::metadata(scene.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o666, "whoever could read it can");
        let beside = fs::read_dir(scene.documents().join("flags")).unwrap();
        assert_eq!(beside.count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_a_killed_process_left_is_gone_over() {
        let scene = Scene::kept();
        let left = scene.documents().join("flags/.basket.json.nonevent-new");
        fs::write(&left, "half").unwrap();
        scene.stage(0).unwrap();
        assert_eq!(scene.holds(), "some");
        // A link in its place leads nowhere.
        let elsewhere = scene.dir.path().join("elsewhere");
        fs::write(&elsewhere, "untouched").unwrap();
        symlink(&elsewhere, &left).unwrap();
        scene.stage(1).unwrap();
        assert_eq!(scene.holds(), "all");
        assert_eq!(fs::read_to_string(elsewhere).unwrap(), "untouched");
    }

    #[test]
    fn another_content_fails_the_stage_and_is_switched_off() {
        let scene = Scene::kept();
        fs::write(scene.path(), "{\"other\": true}").unwrap();
        let error = scene.stage(0).unwrap_err();
        assert_eq!(error.kind(), DriverErrorKind::Misfit, "{error}");
        assert_eq!(scene.holds(), "other");
        assert_eq!(scene.stage(1).unwrap_err().kind(), DriverErrorKind::Misfit);
        fs::remove_file(scene.path()).unwrap();
        let error = scene.stage(0).unwrap_err().to_string();
        assert!(error.contains("no file is"), "{error}");
        scene.files().kill(&scene.plan).unwrap();
        assert_eq!(scene.holds(), "off", "gone is not as it was");
    }

    #[test]
    fn a_file_of_which_no_stage_was_begun_is_left_to_whoever_changed_it() {
        let scene = Scene::kept();
        fs::write(scene.path(), "{\"other\": true}").unwrap();
        assert_eq!(scene.files().kill(&scene.plan).unwrap(), [""; 0]);
        assert_eq!(scene.holds(), "other");
        fs::remove_file(scene.path()).unwrap();
        scene.files().kill(&scene.plan).unwrap();
        assert!(!scene.path().exists());
        // What a stage would have left is ours, whoever put it there.
        fs::write(scene.path(), "{\"some\": true}").unwrap();
        scene.files().kill(&scene.plan).unwrap();
        assert_eq!(scene.holds(), "off");
    }

    #[test]
    fn what_cannot_be_written_or_was_changed_is_told() {
        let scene = Scene::kept();
        let kept = scene.state().path(KEPT);
        let some = Digest::of(b"{\"some\": true}");
        fs::write(kept.join(some.hex()), "changed").unwrap();
        let error = scene.stage(0).unwrap_err().to_string();
        assert!(error.contains("was changed"), "{error}");
        fs::remove_file(kept.join(some.hex())).unwrap();
        let error = scene.stage(0).unwrap_err();
        assert_eq!(error.kind(), DriverErrorKind::Storage, "{error}");
        assert_eq!(scene.holds(), "basket");
        let folder = scene.documents().join("flags");
        fs::write(scene.path(), "{\"some\": true}").unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).unwrap();
        let stage = scene.stage(1);
        let kill = scene.files().kill(&scene.plan);
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        // A user who may write anywhere is kept from nothing.
        if !rustix::process::geteuid().is_root() {
            assert_eq!(stage.unwrap_err().kind(), DriverErrorKind::Storage);
            assert_eq!(kill.unwrap_err().kind(), DriverErrorKind::Storage);
            assert_eq!(scene.holds(), "some");
        }
        // A folder where the new content would be written first keeps everybody.
        let blocked = folder.join(".basket.json.nonevent-new");
        fs::write(scene.path(), "{\"some\": true}").unwrap();
        fs::create_dir(blocked).unwrap();
        let error = scene.stage(1).unwrap_err();
        assert_eq!(error.kind(), DriverErrorKind::Storage, "{error}");
        assert!(scene.files().kill(&scene.plan).is_err());
        assert_eq!(scene.holds(), "some");
    }

    #[test]
    fn no_link_is_followed_and_nothing_outside_is_reached() {
        let scene = Scene::new();
        let documents = scene.documents();
        let target = documents.join("flags/target.json");
        fs::rename(scene.path(), &target).unwrap();
        symlink(&target, scene.path()).unwrap();
        let text = scene.read();
        assert!(text.contains("symbolic link"), "{text}");
        fs::remove_file(scene.path()).unwrap();
        fs::rename(&target, scene.path()).unwrap();
        fs::rename(documents.join("flags"), documents.join("real")).unwrap();
        symlink("real", documents.join("flags")).unwrap();
        assert!(
            scene.read().contains("flags/basket.json"),
            "a folder on the way"
        );
        for name in [
            "../outside.json",
            "flags/../../outside.json",
            "/etc/hosts",
            "..",
            "",
        ] {
            assert!(read_at(&documents, name).is_err(), "{name}");
        }
    }

    #[test]
    fn every_file_that_is_not_as_planned_is_named() {
        let scene = Scene::new();
        let flags = scene.documents().join("flags");
        fs::write(flags.join("some.json"), "{}").unwrap();
        fs::remove_file(flags.join("off.json")).unwrap();
        fs::remove_file(flags.join("all.json")).unwrap();
        fs::create_dir(flags.join("all.json")).unwrap();
        let text = scene.read();
        let (planned, found) = (Digest::of(b"{\"some\": true}"), Digest::of(b"{}"));
        for part in [
            format!("some.json: {planned} was planned, this is {found}"),
            "off.json: No such file".to_owned(),
            "all.json: it is no file".to_owned(),
        ] {
            assert!(text.contains(&part), "{part}: {text}");
        }
        let unknown = FlagContents::read(&scene.plan, None).unwrap_err();
        assert_eq!(unknown.kind(), DriverErrorKind::Misfit);
    }
}
