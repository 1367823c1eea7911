//! The server and the other commands of its binary, and how much memory they take.

use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::http::Client;
use crate::target::Target;
use crate::{Result, in_words};

/// The admin of every measured server.
pub const EMAIL: &str = "admin@example.com";
/// The admin's password.
pub const PASSWORD: &str = "only for measuring, on this machine";

/// How long a server may take until it is ready.
const START: Duration = Duration::from_secs(120);

/// A running server; it is killed when this is dropped.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub origin: String,
}

impl Server {
    /// Starts a server without response cache and limits, and waits until it is ready.
    pub async fn start(target: &Target) -> Result<Self> {
        Self::start_with(target, &[]).await
    }

    /// The same with more settings.
    pub async fn start_with(target: &Target, settings: &[(&str, &str)]) -> Result<Self> {
        // Between here and there another process may take the port; the start fails then, and says so.
        let free = TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .map_err(in_words)?;
        let log = File::create(target.folder().join("server.log")).map_err(in_words)?;
        let child = command(target, &["serve"])?
            .env("BROADSHEET_BIND", free.to_string())
            .env("BROADSHEET_CACHE_BYTES", "0")
            .env("BROADSHEET_RATE_LIMIT", "off")
            .env("BROADSHEET_ADMIN_EMAIL", EMAIL)
            .env("BROADSHEET_ADMIN_PASSWORD", PASSWORD)
            .envs(settings.iter().copied())
            .stdout(log.try_clone().map_err(in_words)?)
            .stderr(log)
            .spawn()
            .map_err(|error| format!("cannot run {}: {error}", target.server.display()))?;
        let mut server = Self {
            child,
            origin: format!("http://{free}"),
        };
        let client = server.client(1);
        let begun = Instant::now();
        while begun.elapsed() < START {
            if let Some(status) = server.child.try_wait().map_err(in_words)? {
                return Err(format!(
                    "the server ended ({status}): see {}/server.log",
                    target.folder().display()
                ));
            }
            if client
                .get("/health/ready")
                .await
                .is_ok_and(|answer| answer.is_success())
            {
                return Ok(server);
            }
            actix_web::rt::time::sleep(Duration::from_millis(20)).await;
        }
        Err("the server does not become ready".to_owned())
    }

    /// A client with so many connections.
    pub fn client(&self, connections: usize) -> Client {
        Client::new(self.origin.clone(), connections)
    }

    /// Its memory, for people: what is its own, and with the pages of files that are mapped into it.
    pub fn memory(&self) -> String {
        let of = |what| megabytes(memory(&self.child, what));
        format!(
            "{} of its own, {} with mapped files, {} at most",
            of("RssAnon"),
            of("VmRSS"),
            of("VmHWM")
        )
    }

    /// The most memory that it has had, in bytes, mapped files included.
    pub fn peak(&self) -> Result<u64> {
        memory(&self.child, "VmHWM").ok_or_else(|| "the system does not tell the memory of a process".to_owned())
    }

    /// The processor time that its threads have taken.
    pub fn cpu(&self) -> Result<Duration> {
        let threads = Path::new("/proc").join(self.child.id().to_string()).join("task");
        let mut nanoseconds = 0;
        for thread in std::fs::read_dir(threads).map_err(in_words)? {
            // One may end meanwhile; those that take time stay.
            let spent = std::fs::read_to_string(thread.map_err(in_words)?.path().join("schedstat")).unwrap_or_default();
            nanoseconds += spent
                .split(' ')
                .next()
                .and_then(|spent| spent.parse().ok())
                .unwrap_or(0);
        }
        match nanoseconds {
            0 => Err("the system does not tell the time of a thread".to_owned()),
            _ => Ok(Duration::from_nanos(nanoseconds)),
        }
    }

    /// Ends it at once (SIGKILL), whatever it is doing.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill().map_err(in_words)?;
        self.child.wait().map_err(in_words)?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            eprintln!("the server could not be ended: {error}");
        }
    }
}

/// Another command of this program, as a process that listens; it is killed when this is dropped.
pub struct Beside {
    child: Child,
    /// Where it listens.
    pub origin: String,
}

impl Beside {
    /// Starts it, with `--port` besides its flags, and waits until it listens.
    pub async fn start(command: &str, flags: &[(&str, &Path)]) -> Result<Self> {
        let free = TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .map_err(in_words)?;
        let mut program = apart(&std::env::current_exe().map_err(in_words)?);
        program.arg(command).args(["--port", &free.port().to_string()]);
        for (flag, value) in flags {
            program.arg(flag).arg(value);
        }
        let beside = Self {
            child: program.stdin(Stdio::null()).spawn().map_err(in_words)?,
            origin: format!("http://{free}"),
        };
        wait_for_port(free)
            .await
            .map_err(|error| format!("{command}: {error}"))?;
        Ok(beside)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("a process beside the server could not be ended: {error}");
        }
    }
}

/// Waits until somebody listens there.
pub async fn wait_for_port(address: SocketAddr) -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(30) {
        if TcpStream::connect(address).is_ok() {
            return Ok(());
        }
        actix_web::rt::time::sleep(Duration::from_millis(10)).await;
    }
    Err("nobody listens".to_owned())
}

/// How a command ended.
pub struct Ended {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output and standard error.
    pub output: String,
    /// How long it ran.
    pub took: Duration,
    /// The most memory of its own that it was seen with, in bytes, where the system tells it; without mapped files.
    pub peak: Option<u64>,
}

impl Ended {
    /// Whether the binary does not know the command.
    pub fn is_unknown(&self) -> bool {
        self.code == Some(2) && self.output.contains("unrecognized subcommand")
    }

    /// The last line of what it said.
    pub fn last_line(&self) -> &str {
        self.output
            .lines()
            .rfind(|line| !line.trim().is_empty())
            .unwrap_or_default()
    }
}

/// A program in a session of its own, as a service has one: Linux shares the cores among sessions first (sched(7), "The
/// autogroup feature"), and each connection of PostgreSQL has one.
pub fn apart(program: &Path) -> Command {
    if cfg!(target_os = "linux") {
        let mut command = Command::new("setsid");
        command.arg(program);
        command
    } else {
        Command::new(program)
    }
}

/// A command on the target, with no settings but those given here.
pub fn command(target: &Target, arguments: &[&str]) -> Result<Command> {
    let mut command = apart(&target.server);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("BROADSHEET_")) {
            command.env_remove(name);
        }
    }
    command
        .args(arguments)
        .env("DATABASE_URL", target.database_url()?)
        .env(
            "BROADSHEET_DATA_DIR",
            std::path::absolute(target.folder()).map_err(in_words)?,
        )
        .stdin(Stdio::null());
    Ok(command)
}

/// Runs a command to its end.
pub fn run(target: &Target, arguments: &[&str]) -> Result<Ended> {
    let begun = Instant::now();
    let log = tempfile::NamedTempFile::new().map_err(in_words)?;
    let out = || log.reopen().map(Stdio::from).map_err(in_words);
    let mut child = command(target, arguments)?
        .stdout(out()?)
        .stderr(out()?)
        .spawn()
        .map_err(|error| format!("cannot run {}: {error}", target.server.display()))?;
    let mut peak = None;
    let status = loop {
        peak = peak.max(memory(&child, "RssAnon"));
        match child.try_wait().map_err(in_words)? {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    Ok(Ended {
        code: status.code(),
        output: std::fs::read_to_string(log.path()).map_err(in_words)?,
        took: begun.elapsed(),
        peak,
    })
}

/// What Linux says of a process's memory, in bytes: `VmRSS` now, of it `RssAnon` of its own, `VmHWM` at
/// most. Other systems say nothing here.
fn memory(child: &Child, what: &str) -> Option<u64> {
    let status = std::fs::read_to_string(Path::new("/proc").join(child.id().to_string()).join("status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(what))?;
    let kilobytes: u64 = line
        .trim_matches([':', ' ', '\t'])
        .split_whitespace()
        .next()?
        .parse()
        .ok()?;
    Some(kilobytes * 1024)
}

/// Bytes in whole megabytes, for people.
pub fn megabytes(bytes: Option<u64>) -> String {
    bytes.map_or("?".to_owned(), |bytes| format!("{} MB", bytes.div_ceil(1 << 20)))
}
