//! What pictures cost: one variant beside `vipsthumbnail`, many at once, first requests for several photographs, and a file
//! that is there beside a bare handler of it.

pub mod bucket;
pub mod floor;
mod photos;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::Value;

use crate::http::{Answer, Client};
use crate::process::Server;
use crate::report::Report;
use crate::target::Target;
use crate::wrk::{median, reads};
use crate::{Result, in_words};

const IMAGES: &str = "/api/v1/images";
/// What is made of one photograph beside `vipsthumbnail`, and of many at once.
const USUAL: &str = "w960.webp";
/// How many photographs there are; what is asked of more is asked of copies, which are other files to the server.
const PHOTOS: usize = 8;
/// What is asked for again and again once it is there: a file of less than a piece, as the server reads them, and one of more.
const KEPT: [&str; 2] = ["w640.webp", "w1920.webp"];
const SIZES: [&str; 8] = ["w320", "w640", "w960", "w1280", "w1920", "thumb", "card", "share"];
const FORMATS: [&str; 2] = ["webp", "jpg"];

/// The share of the processor time of `vipsthumbnail`, in percent, that one variant may take.
const SHARE_OF_VIPS: f64 = 80.0;
/// The memory that the server may reach, in MB, while many variants are made.
const PEAK: f64 = 400.0;
/// The time, in seconds, in which eight first requests at once are to be answered.
const FIRST: f64 = 1.0;
/// The share of a bare handler's answers that a file that is there is to reach.
const SHARE_OF_BARE: f64 = 0.7;
/// What the same work may take of the processor time that it takes alone, in percent: more, and it was done twice.
const ONCE: f64 = 150.0;

/// Measures pictures.
#[derive(clap::Args, Clone)]
pub struct Images {
    /// `sqlite`, or `postgres://USER@HOST:PORT/NAME` of a database for this alone.
    #[arg(long, default_value = "sqlite")]
    database: String,
    /// Where the files lie: `folder`; `s3`, which starts a server that speaks it; or `s3://BUCKET/PREFIX` of another, with
    /// `AWS_ENDPOINT_URL` and the like in the environment.
    #[arg(long, default_value = "folder")]
    media: String,
    /// Folder of photographs (JPEG, 12 megapixels each) instead of those that are made.
    #[arg(long, value_name = "FOLDER")]
    photos: Option<PathBuf>,
    /// How many variants are asked for at once.
    #[arg(long, default_value_t = 50)]
    at_once: usize,
    /// Where data and files are kept meanwhile.
    #[arg(long, value_name = "FOLDER", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/target/load/images"))]
    data: PathBuf,
    /// The server.
    #[arg(long, value_name = "FILE", default_value = env!("CARGO_BIN_EXE_broadsheet"))]
    server: PathBuf,
    /// Where the figures go, besides the screen: their section of this Markdown file is written anew.
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// How long each run against a bare handler lasts, in seconds.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// How many runs there are of each; the one in the middle counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// A photograph that the server has.
struct Uploaded {
    id: i64,
    hash: String,
}

impl Uploaded {
    fn path(&self, variant: &str) -> String {
        format!("/media/{}/{variant}", self.hash)
    }
}

/// What is measured, and with what.
struct Run<'a> {
    target: Target,
    settings: Vec<(String, String)>,
    photos: &'a [Vec<u8>],
    /// A text that no earlier run had.
    mark: String,
    at_once: usize,
    uploaded: Vec<Uploaded>,
}

impl Images {
    /// Measures everything; notes what had nothing to be held against.
    pub async fn run(&self, skipped: &mut Vec<String>) -> Result<()> {
        let target = Target {
            articles: 0,
            seed: 0,
            length: 100,
            unindexed: false,
            database: self.database.clone(),
            mix: None,
            data: self.data.clone(),
            server: self.server.clone(),
            results: self.results.clone(),
        };
        empty(&target.folder())?;
        let bucket = match self.media.as_str() {
            "s3" => Some(bucket::Running::start(&target.folder()).await?),
            _ => None,
        };
        let (settings, place) = match &bucket {
            Some(bucket) => (bucket.settings(), "files in a bucket"),
            None if self.media == "folder" => (Vec::new(), "files in a folder"),
            None => {
                let url = ("BROADSHEET_MEDIA_URL".to_owned(), self.media.clone());
                (vec![url], "files in a bucket")
            }
        };
        let photos = match &self.photos {
            Some(folder) => read_folder(folder)?,
            None => photos::make(PHOTOS)?,
        };
        let mut run = Run {
            target,
            settings,
            photos: &photos,
            mark: uuid::Uuid::new_v4().to_string(),
            at_once: self.at_once,
            uploaded: Vec::new(),
        };
        let server = run.start().await?;
        let title = format!("images: {}, {place}", run.target.database_name());
        let mut report = Report::titled(title, &run.target).await?;
        let own = if self.photos.is_some() {
            "of a folder"
        } else {
            "made here"
        };
        report.line(&format!(
            "Photographs {own}: {} JPEG files, {} kB in the mean.",
            photos.len(),
            mean(photos.iter().map(Vec::len)) / 1_000
        ));
        let single = run.beside_vips(&server, &mut report, skipped).await?;
        run.once(&server, single, &mut report).await?;
        let server = run.many(server, single, &mut report).await?;
        run.firsts(&server, &mut report).await?;
        let judged = bucket.is_none() && self.media == "folder";
        self.cached(&run, &server, judged, &mut report, skipped).await?;
        run.leave(&server).await?;
        report.save(self.results.as_deref())
    }

    /// How fast a file that is there is sent, beside others that send the same.
    async fn cached(
        &self,
        run: &Run<'_>,
        server: &Server,
        judged: bool,
        report: &mut Report,
        skipped: &mut Vec<String>,
    ) -> Result<()> {
        let image = run.uploaded.last().ok_or("nothing was uploaded")?;
        let folder = tempfile::tempdir().map_err(in_words)?;
        let bare = floor::actix_files(folder.path()).await?;
        let nginx = floor::Nginx::start(folder.path()).await?;
        if nginx.is_none() {
            skipped.push("nginx is not installed".to_owned());
        }
        let mut rows = Vec::new();
        for name in KEPT {
            let path = image.path(name);
            let file = run.client(server).get(&path).await?;
            file.took()?;
            std::fs::write(folder.path().join(name), file.bytes()).map_err(in_words)?;
            let copy = format!("/{name}");
            let (mut ours, mut theirs, mut nginxs) = (Vec::new(), Vec::new(), Vec::new());
            let rate = |origin: &str, path: &String| {
                reads(origin, std::slice::from_ref(path), &[], &[], self.seconds).map(|answered| answered.rate)
            };
            for _ in 0..self.rounds {
                ours.push(rate(&server.origin, &path)?);
                theirs.push(rate(&bare.origin, &copy)?);
                if let Some(nginx) = &nginx {
                    nginxs.push(rate(&nginx.origin, &copy)?);
                }
            }
            let (ours, theirs) = (median(ours), median(theirs));
            if judged {
                report.at_least(
                    &format!("{name} that is there, of actix-files"),
                    ours / theirs,
                    SHARE_OF_BARE,
                );
            }
            let nginx = match nginxs.is_empty() {
                true => "–".to_owned(),
                false => format!("{:.0}", median(nginxs)),
            };
            rows.push(vec![
                format!("{name}, {} kB", file.length() / 1_000),
                format!("{ours:.0}"),
                format!("{theirs:.0}"),
                nginx,
            ]);
        }
        report.line(&format!(
            "A file that is there: 32 connections, {} runs of {} s each, the median; answers a second. Those beside the server \
             have it in a folder.",
            self.rounds, self.seconds
        ));
        report.table(&["file", "Broadsheet", "bare actix-files", "nginx"], &rows);
        Ok(())
    }
}

impl Run<'_> {
    async fn start(&self) -> Result<Server> {
        let settings: Vec<(&str, &str)> = self
            .settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        Server::start_with(&self.target, &settings).await
    }

    fn client(&self, server: &Server) -> Client {
        server.client(self.at_once)
    }

    /// Uploads so many files that the server does not know; they are the last of `uploaded`. Returns how long each took.
    async fn upload(&mut self, server: &Server, number: usize) -> Result<Vec<f64>> {
        let client = self.client(server).signed_in().await?;
        let mut took = Vec::new();
        for photo in self.photos.iter().cycle().take(number) {
            let file = photos::marked(photo, &format!("{} {}", self.mark, self.uploaded.len()))?;
            let answer = client.upload(IMAGES, &file).await?;
            took.push(answer.took.as_secs_f64());
            let image = answer.json()?;
            let text = image.pointer("/data/hash").and_then(Value::as_str);
            let id = image.pointer("/data/id").and_then(Value::as_i64);
            self.uploaded.push(Uploaded {
                id: id.ok_or("an upload has no id")?,
                hash: text.ok_or("an upload has no hash")?.to_owned(),
            });
        }
        Ok(took)
    }

    /// The paths of a variant of the last uploads.
    fn paths(&self, number: usize, variant: &str) -> Vec<String> {
        let last = self.uploaded.iter().rev().take(number);
        last.map(|image| image.path(variant)).collect()
    }

    /// The processor time of one variant, beside that of `vipsthumbnail` for the same; by turns. Returns the server's, in
    /// seconds.
    async fn beside_vips(&mut self, server: &Server, report: &mut Report, skipped: &mut Vec<String>) -> Result<f64> {
        let before = server.cpu()?;
        let took = self.upload(server, PHOTOS).await?;
        let spent = (server.cpu()? - before).as_secs_f64() / PHOTOS as f64;
        report.item(&format!(
            "an upload: {:.2} s until it is answered (the median), {spent:.2} s of a processor (the mean)",
            median(took)
        ));
        // The last come first there.
        let mut paths = self.paths(PHOTOS, USUAL);
        paths.reverse();
        let client = self.client(server);
        let folder = tempfile::tempdir().map_err(in_words)?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let (mut our_bytes, mut their_bytes) = (Vec::new(), Vec::new());
        let mut there = true;
        for (path, photo) in paths.iter().zip(self.photos.iter().cycle()) {
            let before = server.cpu()?;
            let answer = client.get(path).await?;
            answer.took()?;
            ours.push((server.cpu()? - before).as_secs_f64());
            our_bytes.push(answer.length());
            if there {
                match vips(photo, folder.path())? {
                    Some((spent, bytes)) => {
                        theirs.push(spent.as_secs_f64());
                        their_bytes.push(bytes);
                    }
                    None => there = false,
                }
            }
        }
        let ours = median(ours);
        report.item(&format!(
            "{USUAL} of one: {:.0} ms of a processor (the median), {} kB",
            ours * 1_000.0,
            mean(our_bytes.into_iter()) / 1_000
        ));
        if there {
            let theirs = median(theirs);
            report.item(&format!(
                "the same by vipsthumbnail: {:.0} ms, {} kB",
                theirs * 1_000.0,
                mean(their_bytes.into_iter()) / 1_000
            ));
            report.at_most(
                &format!("processor time of {USUAL}"),
                ours / theirs * 100.0,
                SHARE_OF_VIPS,
                "% of vipsthumbnail's",
            );
        } else {
            skipped.push("vipsthumbnail is not installed".to_owned());
        }
        Ok(ours)
    }

    /// Many ask for the same: it is made once.
    async fn once(&mut self, server: &Server, single: f64, report: &mut Report) -> Result<()> {
        self.upload(server, 1).await?;
        let path = self.paths(1, USUAL);
        let same: Vec<String> = path.into_iter().cycle().take(self.at_once).collect();
        let (_, made) = self.all(server, &same).await?;
        let (_, sent) = self.all(server, &same).await?;
        report.at_most(
            &format!(
                "processor time of making one variant for which {} ask at once",
                self.at_once
            ),
            (made - sent) / single * 100.0,
            ONCE,
            "% of one alone",
        );
        Ok(())
    }

    /// Variants of as many photographs at once, of a server that has done nothing yet; returns that one.
    async fn many(&mut self, server: Server, single: f64, report: &mut Report) -> Result<Server> {
        let number = self.at_once;
        self.upload(&server, number).await?;
        drop(server);
        let server = self.start().await?;
        let paths = self.paths(number, USUAL);
        let (took, made) = self.all(&server, &paths).await?;
        let peak = server.peak()?;
        let (again, sent) = self.all(&server, &paths).await?;
        report.item(&format!(
            "{USUAL} of {number} photographs at once: all there after {took:.2} s; the same again {:.0} ms",
            again * 1_000.0
        ));
        report.at_most(
            "processor time of making each",
            (made - sent) / single / number as f64 * 100.0,
            ONCE,
            "% of one alone",
        );
        report.at_most("memory at most", peak.div_ceil(1 << 20) as f64, PEAK, "MB");
        Ok(server)
    }

    /// The first requests for eight photographs at once: each variant in each format.
    async fn firsts(&mut self, server: &Server, report: &mut Report) -> Result<()> {
        self.upload(server, PHOTOS).await?;
        let mut rows = Vec::new();
        let mut slowest = (0.0, String::new());
        for size in SIZES {
            for format in FORMATS {
                let name = format!("{size}.{format}");
                let paths = self.paths(PHOTOS, &name);
                let (took, spent) = self.all(server, &paths).await?;
                let client = self.client(server);
                let files = join_all(paths.iter().map(|path| client.get(path))).await;
                let files = files.into_iter().collect::<Result<Vec<_>>>()?;
                rows.push(vec![
                    name.clone(),
                    format!("{took:.2}"),
                    format!("{:.2}", spent / PHOTOS as f64),
                    (mean(files.iter().map(Answer::length)) / 1_000).to_string(),
                ]);
                if took > slowest.0 {
                    slowest = (took, name);
                }
            }
        }
        report.line(&format!(
            "First requests for {PHOTOS} photographs at once; seconds until all are answered"
        ));
        report.table(&["variant", "seconds", "of a processor, each", "kB"], &rows);
        let (took, name) = slowest;
        report.at_most(&format!("the slowest, {name}"), took, FIRST, "s");
        Ok(())
    }

    /// Asks for all of them at once: how long until the last is there, and the server's processor time, in seconds. What is
    /// no success is an error.
    async fn all(&self, server: &Server, paths: &[String]) -> Result<(f64, f64)> {
        let client = self.client(server);
        let before = server.cpu()?;
        let begun = Instant::now();
        let answers = join_all(paths.iter().map(|path| client.get(path))).await;
        let took = begun.elapsed();
        for (answer, path) in answers.into_iter().zip(paths) {
            answer?.took().map_err(|error| format!("{path}: {error}"))?;
        }
        Ok((took.as_secs_f64(), (server.cpu()? - before).as_secs_f64()))
    }

    /// Takes all that was uploaded away again.
    async fn leave(&self, server: &Server) -> Result<()> {
        let client = self.client(server).signed_in().await?;
        for image in &self.uploaded {
            client.delete(&format!("{IMAGES}/{}", image.id)).await?.took()?;
        }
        Ok(())
    }
}

/// Makes the variant with `vipsthumbnail`: its processor time, and the size of the file; `None` where there is no such
/// program.
fn vips(photo: &[u8], folder: &Path) -> Result<Option<(Duration, usize)>> {
    let (from, to) = (folder.join("photo.jpg"), folder.join("photo.webp"));
    std::fs::write(&from, photo).map_err(in_words)?;
    let before = ended_children()?;
    let status = Command::new("vipsthumbnail")
        .arg(&from)
        .args(["--size", "960x", "-o"])
        .arg(format!("{}[Q=80,strip]", to.display()))
        .stdin(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => return Err(format!("vipsthumbnail: {status}")),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("cannot run vipsthumbnail: {error}")),
    }
    let spent = ended_children()? - before;
    Ok(Some((spent, std::fs::read(&to).map_err(in_words)?.len())))
}

/// The processor time of children that have ended, in steps of 10 ms (proc(5), `cutime` and `cstime`).
fn ended_children() -> Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").map_err(in_words)?;
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after_name
        .split_whitespace()
        .skip(13)
        .take(2)
        .filter_map(|ticks| ticks.parse::<u64>().ok())
        .sum();
    Ok(Duration::from_millis(ticks * 10))
}

/// The JPEG files of a folder, the first eight by name.
fn read_folder(folder: &Path) -> Result<Vec<Vec<u8>>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let path = entry.map_err(in_words)?.path();
        let is_jpeg =
            |ending: &std::ffi::OsStr| ending.eq_ignore_ascii_case("jpg") || ending.eq_ignore_ascii_case("jpeg");
        if path.extension().is_some_and(is_jpeg) {
            files.push(path);
        }
    }
    files.sort();
    files.truncate(PHOTOS);
    if files.is_empty() {
        return Err(format!("{} has no JPEG", folder.display()));
    }
    files
        .iter()
        .map(|file| std::fs::read(file).map_err(|error| format!("{}: {error}", file.display())))
        .collect()
}

/// An empty folder there.
fn empty(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(format!("{}: {error}", folder.display())),
        _ => std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display())),
    }
}

fn mean(numbers: impl Iterator<Item = usize>) -> usize {
    let (mut sum, mut count) = (0, 0);
    for number in numbers {
        sum += number;
        count += 1;
    }
    sum / count.max(1)
}
