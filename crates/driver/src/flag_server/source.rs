//! Where flags are read from: a file, a folder of them, or a web server.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use http::header::{ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use nonevent_flags::LoadOptions;

use crate::web_client::{WebAddress, WebClient};

/// All of a source, in bytes; that of the flags' own limits for one file.
const BYTES_MAX: u64 = 64 << 20;
/// Files in a folder.
const FILES_MAX: usize = 1_000;
/// What files of a folder are of flags.
const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];

/// Where flags come from, and how they are read.
#[derive(Clone, Debug)]
pub struct FlagSource {
    /// Where they are.
    pub place: FlagPlace,
    /// How they are read.
    pub options: LoadOptions,
}

/// A place where there are flags.
#[derive(Clone, Debug)]
pub enum FlagPlace {
    /// A file; or a folder, of which all files count whose names end in `.json`, `.yaml` or `.yml` and
    /// begin with no dot. No two of them may define the same flag.
    Path(PathBuf),
    /// A web server, which is asked with the `ETag` or date that it gave before.
    Web(Box<WebPlace>),
}

/// What a web server is asked for.
#[derive(Clone, Debug)]
pub struct WebPlace {
    /// The address.
    pub address: WebAddress,
    /// What is sent along, such as `Authorization`.
    pub headers: HeaderMap,
    /// Who asks.
    pub client: WebClient,
}

impl std::fmt::Display for FlagPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            FlagPlace::Path(path) => path.display().fmt(f),
            FlagPlace::Web(place) => place.address.fmt(f),
        }
    }
}

/// A file's name and text.
#[derive(Debug, PartialEq)]
pub(super) struct Content {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

/// What a source was when it was read, by which most changes are told without reading it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mark {
    Stamps(Vec<(PathBuf, Stamp)>),
    Validators(HeaderMap),
}

/// What tells most changes of a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    inode: u64,
    /// A change so short ago that another one may have the same time is read again.
    is_fresh: bool,
}

/// What came of looking at a source.
#[derive(Debug)]
pub(super) enum Fetched {
    Same,
    Contents(Vec<Content>, Mark),
    Failed(String),
}

impl FlagPlace {
    /// What is there, unless the mark tells that it is what it was.
    pub(super) async fn fetch(&self, mark: Option<Mark>) -> Fetched {
        let fetched = match self {
            FlagPlace::Path(path) => {
                let path = path.clone();
                // Files are read beside the answers, not in their way.
                let read = tokio::task::spawn_blocking(move || read(&path, mark.as_ref()));
                read.await.unwrap_or_else(|error| Err(error.to_string()))
            }
            FlagPlace::Web(place) => place.ask(mark.as_ref()).await,
        };
        fetched.unwrap_or_else(Fetched::Failed)
    }
}

fn read(path: &Path, mark: Option<&Mark>) -> Result<Fetched, String> {
    let files = match fs::metadata(path) {
        Ok(facts) if facts.is_dir() => files(path)?,
        _ => vec![path.to_owned()],
    };
    let stamps: Vec<(PathBuf, Option<Stamp>)> = files
        .into_iter()
        .map(|file| {
            let stamp = stamp(&file).ok();
            (file, stamp)
        })
        .collect();
    if let Some(Mark::Stamps(before)) = mark {
        let same =
            |((file, stamp), (own, before)): (&(PathBuf, Option<Stamp>), &(PathBuf, Stamp))| {
                file == own && stamp.as_ref() == Some(before) && !before.is_fresh
            };
        if stamps.len() == before.len() && stamps.iter().zip(before).all(same) {
            return Ok(Fetched::Same);
        }
    }
    let mut left = BYTES_MAX;
    let mut contents = Vec::new();
    for (file, _) in &stamps {
        let bytes = read_file(file, left)?;
        left -= bytes.len() as u64;
        let name = file.display().to_string();
        contents.push(Content { name, bytes });
    }
    let known = stamps
        .into_iter()
        .filter_map(|(file, stamp)| Some((file, stamp?)));
    Ok(Fetched::Contents(contents, Mark::Stamps(known.collect())))
}

/// The files of flags in a folder, by name.
fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let problem = |error: std::io::Error| format!("{} cannot be read: {error}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(problem)? {
        let path = entry.map_err(problem)?.path();
        let extension = path.extension().and_then(|it| it.to_str());
        let is_hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if extension.is_some_and(|it| EXTENSIONS.contains(&it)) && !is_hidden {
            files.push(path);
        }
        if files.len() > FILES_MAX {
            return Err(format!(
                "{} has more than {FILES_MAX} files",
                folder.display()
            ));
        }
    }
    if files.is_empty() {
        return Err(format!(
            "{} has no file that ends in .json, .yaml or .yml",
            folder.display()
        ));
    }
    files.sort();
    Ok(files)
}

fn read_file(path: &Path, bytes_max: u64) -> Result<Vec<u8>, String> {
    let problem =
        |error: &dyn std::fmt::Display| format!("{} cannot be read: {error}", path.display());
    // Something that is no file could keep whoever opens it waiting.
    let facts = fs::metadata(path).map_err(|error| problem(&error))?;
    if !facts.is_file() {
        return Err(problem(&"it is no file"));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| problem(&error))?;
    file.take(bytes_max + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| problem(&error))?;
    if bytes.len() as u64 > bytes_max {
        return Err(problem(&format!("there are more than {BYTES_MAX} bytes")));
    }
    Ok(bytes)
}

/// Changes within this long of each other may have one time.
const SAME_TIME_MS: u128 = 2_000;

fn stamp(path: &Path) -> std::io::Result<Stamp> {
    use std::os::unix::fs::MetadataExt as _;
    let facts = fs::metadata(path)?;
    let modified = facts.modified().ok();
    let age = modified.and_then(|at| SystemTime::now().duration_since(at).ok());
    Ok(Stamp {
        length: facts.len(),
        modified,
        inode: facts.ino(),
        is_fresh: age.is_none_or(|age| age.as_millis() < SAME_TIME_MS),
    })
}

impl WebPlace {
    async fn ask(&self, mark: Option<&Mark>) -> Result<Fetched, String> {
        let mut headers = self.headers.clone();
        if let Some(Mark::Validators(validators)) = mark {
            headers.extend(validators.clone());
        }
        let answer = self.client.get(&self.address, &headers).await?;
        match answer.status {
            StatusCode::OK => {
                let name = self.address.to_string();
                let bytes = answer.body.to_vec();
                let mark = Mark::Validators(validators(&answer.headers));
                Ok(Fetched::Contents(vec![Content { name, bytes }], mark))
            }
            StatusCode::NOT_MODIFIED if mark.is_some() => Ok(Fetched::Same),
            status if status.is_redirection() => {
                let to = answer.headers.get(LOCATION).and_then(|it| it.to_str().ok());
                let to = to.unwrap_or("nowhere");
                Err(format!("{} leads to {to}: give that address", self.address))
            }
            status => Err(format!("{} answers {status}", self.address)),
        }
    }
}

/// What to send along next time, so that what has not changed is not sent again (RFC 9110, section
/// 13.1).
fn validators(answered: &HeaderMap) -> HeaderMap {
    let mut validators = HeaderMap::new();
    let given = [(ETAG, IF_NONE_MATCH), (LAST_MODIFIED, IF_MODIFIED_SINCE)];
    for (name, back) in given {
        if let Some(value) = answered.get(name) {
            validators.insert(back, HeaderValue::clone(value));
        }
    }
    validators
}
