//! Figures: percentiles, tables on the screen, and their section in a Markdown file.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use broadsheet::db::Db;

use crate::target::Target;
use crate::{Result, in_words};

/// What begins a section.
const SECTION: &str = "## ";

/// Times of the same thing.
#[derive(Clone, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    /// One more.
    pub fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// All of another series too.
    pub fn add_all(&mut self, other: &Times) {
        self.0.extend(&other.0);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// How many are longer.
    pub fn longer_than(&self, time: Duration) -> usize {
        self.0.iter().filter(|&&one| one > time).count()
    }

    /// The time, in milliseconds, that this share of them (0 to 1) do not exceed: the nearest rank.
    pub fn percentile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (share * sorted.len() as f64).ceil() as usize;
        sorted
            .get(rank.saturating_sub(1))
            .map_or(f64::NAN, |time| time.as_secs_f64() * 1_000.0)
    }

    /// Number, p50, p95, p99 and the longest, as cells of a table.
    pub fn cells(&self) -> [String; 5] {
        let [p50, p95, p99, most] = [0.5, 0.95, 0.99, 1.0].map(|share| format!("{:.1}", self.percentile(share)));
        [self.count().to_string(), p50, p95, p99, most]
    }
}

/// What a measurement found, as Markdown.
pub struct Report {
    title: String,
    text: String,
    /// Whether figures are held against what they are to be.
    is_judged: bool,
}

impl Report {
    /// Begins with what was measured on what.
    pub async fn new(what: &str, target: &Target) -> Result<Self> {
        let mixed = if target.mix.is_some() {
            ", Markdown files mixed in"
        } else {
            ""
        };
        let title = format!(
            "{what}: {}, {} articles{}{mixed}",
            target.database_name(),
            thousands(target.articles),
            target.length_in_words()
        );
        Self::titled(title, target).await
    }

    /// The same under a title that says on what.
    pub async fn titled(title: String, target: &Target) -> Result<Self> {
        let db = Db::open(&target.config()?)?;
        let database = db.describe().await.map_err(in_words)?;
        db.close().await;
        let text = format!(
            "{}, Broadsheet {}, {database}, {}.\n\n",
            chrono::Utc::now().format("%Y-%m-%d"),
            env!("CARGO_PKG_VERSION"),
            machine()
        );
        println!("\n{SECTION}{title}\n\n{text}");
        Ok(Self {
            title,
            text,
            is_judged: true,
        })
    }

    /// Shows figures beside what they are to be at 100,000 articles, and judges them only if there are as many.
    pub fn judge_by_size(&mut self, target: &Target) {
        self.is_judged = target.articles >= 100_000;
    }

    /// A paragraph.
    pub fn line(&mut self, text: &str) {
        if !self.text.ends_with("\n\n") {
            println!();
            self.text.push('\n');
        }
        println!("{text}\n");
        self.text.push_str(text);
        self.text.push_str("\n\n");
    }

    /// An item of a list.
    pub fn item(&mut self, text: &str) {
        println!("- {text}");
        self.text.push_str("- ");
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// A figure against what it must not exceed.
    pub fn at_most(&mut self, what: &str, found: f64, most: f64, unit: &str) {
        let verdict = self.verdict(found <= most);
        self.item(&format!("{what}: {found:.1} {unit}, to be at most {most}{verdict}"));
    }

    /// A figure against what it must reach.
    pub fn at_least(&mut self, what: &str, found: f64, least: f64) {
        let verdict = self.verdict(found >= least);
        self.item(&format!("{what}: {found:.3}, to be at least {least}{verdict}"));
    }

    fn verdict(&self, is_met: bool) -> &'static str {
        match (self.is_judged, is_met) {
            (false, _) => " at 100,000 articles",
            (true, true) => ": ok",
            (true, false) => ": MISSED",
        }
    }

    /// A table.
    pub fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        let mut table = String::new();
        let rule = head.iter().map(|_| "---".to_owned()).collect();
        let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
        for row in [&head, &rule].into_iter().chain(rows) {
            // Writing into a string does not fail.
            let _written = writeln!(table, "| {} |", row.join(" | "));
        }
        self.line(table.trim_end());
    }

    /// A plot of shares: a bar each, whose full length is the largest of them, or 1.
    pub fn bars(&mut self, what: &str, bars: &[(String, f64)]) {
        const WIDTH: f64 = 40.0;
        let most = bars.iter().map(|(_, share)| *share).fold(1.0, f64::max);
        let longest = bars.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let mut plot = format!("```text\n{what}\n");
        for (name, share) in bars {
            let filled = (share / most * WIDTH).round() as usize;
            let blank = " ".repeat(longest - name.chars().count());
            // Writing into a string does not fail.
            let _written = writeln!(plot, "{name}{blank} {} {share:.2}", "█".repeat(filled));
        }
        plot.push_str("```");
        self.line(&plot);
    }

    /// Puts it in place of the section of the same title, or at the end.
    pub fn save(&self, file: Option<&Path>) -> Result<()> {
        let Some(file) = file else { return Ok(()) };
        let old = match std::fs::read_to_string(file) {
            Ok(old) => old,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => "# Results\n\n".to_owned(),
            Err(error) => return Err(format!("cannot read {}: {error}", file.display())),
        };
        let own = format!("{SECTION}{}\n\n{}", self.title, self.text);
        let mut new = String::new();
        let mut found = false;
        for (number, section) in old.split(&format!("\n{SECTION}")).enumerate() {
            if number == 0 {
                new.push_str(section.trim_end());
                continue;
            }
            new.push_str("\n\n");
            if section.lines().next() == Some(&self.title) {
                found = true;
                new.push_str(own.trim_end());
            } else {
                new.push_str(SECTION);
                new.push_str(section.trim_end());
            }
        }
        if !found {
            new.push_str("\n\n");
            new.push_str(own.trim_end());
        }
        new.push('\n');
        std::fs::write(file, new).map_err(|error| format!("cannot write {}: {error}", file.display()))
    }
}

/// 100,000 for 100000.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The machine, as far as Linux tells it.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let first = |file: &str, name: &str| {
        let text = std::fs::read_to_string(file).ok()?;
        let line = text.lines().find(|line| line.starts_with(name))?;
        line.split_once(':').map(|(_, value)| value.trim().to_owned())
    };
    let cpu = first("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let memory = first("/proc/meminfo", "MemTotal").unwrap_or_else(|| "? kB".to_owned());
    format!("{cores} cores ({cpu}), {memory} of memory, {}", std::env::consts::OS)
}
