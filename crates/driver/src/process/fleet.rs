//! A fleet of processes on this machine.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use nonevent_router::Arm;
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::JoinSet;

use super::books::{Books, adopt, beyond, free_port, now_unix_ms};
use super::config::FleetConfig;
use super::end::{Ended, end};
use super::entry::Entry;
use super::launch::{Launch, Start, limit_log, start};
use super::marked::{Marked, PORT_VARIABLE, find_marked, is_marker};
use super::probe::probe;
use super::record::{Record, Records};
use crate::fleet::{Fleet, FleetError, FleetErrorKind, FleetState, InstanceId, Scaled};

/// The most instances that one arm may have.
const INSTANCES_MAX: u32 = 1_000;

/// Instances as processes of their own on loopback ports, which outlive the controller.
///
/// Each is started in a process group of its own with `PORT`, `NONEVENT_INSTANCE` and
/// `NONEVENT_VERSION` in its environment, no input, and its output straight to a log file. A
/// controller that opens the fleet again finds them by their records (process number, start time
/// and boot), and by `NONEVENT_INSTANCE`, so that one started just before its controller was
/// killed is found without a record.
///
/// The log is cut to its limit whenever the fleet is observed; while no controller lives, nothing
/// limits it.
pub struct ProcessFleet {
    config: FleetConfig,
    records: Records,
    notes: Vec<String>,
    entries: Mutex<Books>,
}

impl ProcessFleet {
    /// Opens a fleet: finds the instances that an earlier controller left, as they are. Those
    /// that ended meanwhile are reported as exited.
    ///
    /// # Errors
    ///
    /// The marker cannot be used, a program is missing, the folder cannot be used, or the system
    /// does not tell about processes.
    pub fn open(config: FleetConfig) -> Result<ProcessFleet, FleetError> {
        if !is_marker(&config.start_marker) {
            return Err(FleetError::new(
                FleetErrorKind::Config,
                format!(
                    "`{}` cannot mark a fleet: use 1 to 200 of A-Z a-z 0-9 - _ . :",
                    config.start_marker.escape_debug()
                ),
            ));
        }
        let storage = |error: io::Error| {
            FleetError::new(
                FleetErrorKind::Storage,
                format!("the fleet's folder {} cannot be used", config.dir.display()),
            )
            .caused_by(error)
        };
        let records = Records::open(config.dir.join("instances")).map_err(storage)?;
        std::fs::create_dir_all(config.dir.join("logs")).map_err(storage)?;
        let (recorded, notes) = records.read_all().map_err(storage)?;
        let mut entries: Books = recorded
            .into_iter()
            .map(|record| (record.id, Entry::found(record)))
            .collect();
        for marked in find_marked(&config.start_marker).map_err(system)? {
            adopt(&mut entries, &records, marked).map_err(storage)?;
        }
        Ok(ProcessFleet {
            config,
            records,
            notes,
            entries: Mutex::new(entries),
        })
    }

    /// What was odd when the fleet was opened, such as a damaged record.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Every living process that carries this fleet's marker: instances, what they started, and
    /// whatever else was started under the marker.
    ///
    /// # Errors
    ///
    /// The system does not tell about processes.
    pub fn leftovers(&self) -> Result<Vec<Marked>, FleetError> {
        find_marked(&self.config.start_marker).map_err(system)
    }

    /// Ends everything that carries this fleet's marker and everything it has on record, politely
    /// for `grace_ms`, and forgets it.
    ///
    /// # Errors
    ///
    /// Something does not end.
    pub async fn end_all(&self, grace_ms: u64) -> Result<Ended, FleetError> {
        let mut entries = self.entries.lock().await;
        let recorded: Vec<_> = entries.values().map(|e| e.record.process.clone()).collect();
        let find = || {
            let marked = find_marked(&self.config.start_marker)?;
            let mut found: Vec<_> = marked.into_iter().map(|marked| marked.process).collect();
            found.extend(recorded.iter().filter(|process| process.lives()).cloned());
            found.sort();
            found.dedup();
            Ok(found)
        };
        let ended = end(find, Duration::from_millis(grace_ms))
            .await
            .map_err(|error| stop_error("the fleet", error))?;
        for (id, _) in std::mem::take(&mut *entries) {
            self.records
                .remove(id)
                .map_err(|error| self.storage(error))?;
        }
        Ok(ended)
    }

    fn launch(&self, arm: Arm) -> &Launch {
        match arm {
            Arm::Stable => &self.config.stable,
            Arm::Canary => &self.config.canary,
        }
    }

    fn log(&self, id: InstanceId) -> PathBuf {
        self.config.dir.join("logs").join(format!("{id}.log"))
    }

    fn storage(&self, error: io::Error) -> FleetError {
        FleetError::new(
            FleetErrorKind::Storage,
            format!(
                "the fleet's folder {} cannot be written",
                self.config.dir.display()
            ),
        )
        .caused_by(error)
    }

    /// The entries, with those whose process has ended marked so.
    async fn looked_at(&self) -> MutexGuard<'_, Books> {
        let mut entries = self.entries.lock().await;
        let now = now_unix_ms();
        for entry in entries.values_mut() {
            entry.look(now);
        }
        entries
    }

    fn start(&self, id: InstanceId, entries: &Books) -> Result<Entry, FleetError> {
        let launch = self.launch(id.arm);
        let shown = launch.argv.join(" ");
        let failed = |error: io::Error| {
            FleetError::new(
                FleetErrorKind::Start,
                format!("instance {id} cannot be started (`{shown}`)"),
            )
            .caused_by(error)
        };
        let port = free_port(entries).map_err(failed)?;
        let name = id.to_string();
        let process = start(
            launch,
            Start {
                marker: &self.config.start_marker,
                name: &name,
                env: &[(PORT_VARIABLE, port.to_string())],
                log: &self.log(id),
            },
        )
        .map_err(failed)?;
        let record = Record {
            id,
            process,
            port,
            version: launch.version.clone(),
            started_unix_ms: now_unix_ms(),
        };
        // Were this not written, the instance would still be found by its marker.
        self.records
            .write(&record)
            .map_err(|error| self.storage(error))?;
        Ok(Entry::started(record))
    }

    /// Probes the instances whose turn it is, all at once.
    async fn probe_due(&self) -> JoinSet<(InstanceId, u32, Result<(), String>)> {
        let interval = Duration::from_millis(self.config.health.interval_ms);
        let mut probes = JoinSet::new();
        for (id, entry) in self.looked_at().await.iter_mut() {
            if entry.probe_is_due(interval) {
                let (id, pid, address) = (*id, entry.record.process.pid(), entry.address());
                let health = self.config.health.clone();
                probes.spawn(async move { (id, pid, probe(address, &health).await) });
            }
        }
        probes
    }
}

fn system(error: io::Error) -> FleetError {
    FleetError::new(
        FleetErrorKind::System,
        "the system does not tell about processes; /proc is needed",
    )
    .caused_by(error)
}

fn stop_error(what: &str, error: io::Error) -> FleetError {
    FleetError::new(FleetErrorKind::Stop, format!("{what} cannot be ended")).caused_by(error)
}

impl Fleet for ProcessFleet {
    async fn scale(&self, arm: Arm, count: u32) -> Result<Scaled, FleetError> {
        if count > INSTANCES_MAX {
            return Err(FleetError::new(
                FleetErrorKind::Config,
                format!("{count} instances of {arm} are too many; at most {INSTANCES_MAX} can run"),
            ));
        }
        let mut entries = self.looked_at().await;
        let mut started = Vec::new();
        let mut present = entries
            .iter()
            .filter(|(id, entry)| id.arm == arm && entry.is_present())
            .count();
        for number in 1.. {
            if present >= count as usize {
                break;
            }
            let id = InstanceId { arm, number };
            if entries.get(&id).is_none_or(Entry::has_exited) {
                let entry = self.start(id, &entries)?;
                entries.insert(id, entry);
                started.push(id);
                present += 1;
            }
        }
        let surplus = beyond(&entries, arm, count);
        Ok(Scaled { started, surplus })
    }

    async fn surplus(&self, arm: Arm, count: u32) -> Result<Vec<InstanceId>, FleetError> {
        Ok(beyond(&*self.looked_at().await, arm, count))
    }

    async fn stop(&self, id: InstanceId, grace_ms: u64) -> Result<(), FleetError> {
        let recorded = {
            let mut entries = self.looked_at().await;
            entries.get_mut(&id).map(|entry| {
                entry.stop(now_unix_ms());
                entry.record.process.clone()
            })
        };
        let name = id.to_string();
        let find = || {
            let marked = find_marked(&self.config.start_marker)?;
            let mut found: Vec<_> = marked
                .into_iter()
                .filter(|marked| marked.name == name)
                .map(|marked| marked.process)
                .collect();
            found.extend(recorded.iter().filter(|process| process.lives()).cloned());
            found.sort();
            found.dedup();
            Ok(found)
        };
        end(find, Duration::from_millis(grace_ms))
            .await
            .map_err(|error| stop_error(&name, error))?;
        let mut entries = self.entries.lock().await;
        if entries.get(&id).map(|entry| &entry.record.process) == recorded.as_ref() {
            entries.remove(&id);
            self.records
                .remove(id)
                .map_err(|error| self.storage(error))?;
        }
        Ok(())
    }

    async fn forget(&self, id: InstanceId) -> Result<(), FleetError> {
        let mut entries = self.looked_at().await;
        if entries.get(&id).is_some_and(Entry::has_exited) {
            entries.remove(&id);
            self.records
                .remove(id)
                .map_err(|error| self.storage(error))?;
        }
        Ok(())
    }

    async fn observe(&self) -> Result<FleetState, FleetError> {
        let mut probes = self.probe_due().await;
        let mut results = Vec::new();
        while let Some(done) = probes.join_next().await {
            results.extend(done);
        }
        // A process that ended during its probe is seen here, and outranks the probe.
        let mut entries = self.looked_at().await;
        let now = now_unix_ms();
        for (id, pid, result) in results {
            if let Some(entry) = entries.get_mut(&id)
                && entry.record.process.pid() == pid
            {
                entry.probed(result, &self.config.health, now);
            }
        }
        for id in entries.keys() {
            // A log that cannot be cut only grows; it is no reason to know nothing.
            let _ = limit_log(&self.log(*id), self.config.log_bytes_max);
        }
        let instances = entries
            .iter()
            .map(|(id, entry)| entry.instance(*id, self.log(*id)))
            .collect();
        Ok(FleetState { instances })
    }
}
