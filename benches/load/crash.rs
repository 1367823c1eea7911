//! Whether a server that is killed in the middle of writing has lost anything, or finds what is not there.

mod writer;

use std::time::Duration;

use fastrand::Rng;
use futures_util::future::join_all;
use serde_json::Value;

use crate::fill;
use crate::http::{Client, address};
use crate::process::{self, Server};
use crate::queries::SEARCH;
use crate::report::Report;
use crate::search::total;
use crate::target::Target;
use crate::{Result, in_words};
use writer::{Piece, Writer};

/// Kills a server again and again.
#[derive(clap::Args, Clone)]
pub struct Crash {
    #[command(flatten)]
    target: Target,
    /// How often.
    #[arg(long, default_value_t = 20)]
    times: u64,
    /// How many clients write at once.
    #[arg(long, default_value_t = 8)]
    writers: u64,
}

/// What a round found.
#[derive(Default)]
struct Round {
    /// Writes that the server acknowledged.
    acknowledged: u64,
    /// Writes that it had not answered when it was killed.
    unanswered: usize,
    /// Articles that are not found as they should be.
    wrong: Vec<String>,
    /// What `search check` says against the index; none if all is well or the command is not there.
    check: Option<String>,
}

impl Crash {
    /// Fills a database of its own, and kills.
    pub async fn run(&self, skipped: &mut Vec<String>) -> Result<()> {
        let mut target = self.target.clone();
        target.data = target.data.join("crash");
        fill::ensure(&target).await?;
        let mut report = Report::new("crash", &target).await?;
        let mut rng = Rng::with_seed(target.seed);
        let (mut good, mut acknowledged, mut unanswered) = (0, 0, 0);
        for number in 0..self.times {
            let pause = Duration::from_millis(rng.u64(300..2_500));
            let round = self.round(&target, number, pause, skipped).await?;
            acknowledged += round.acknowledged;
            unanswered += round.unanswered;
            good += u64::from(round.wrong.is_empty() && round.check.is_none());
            for line in round.wrong.iter().take(5).chain(&round.check) {
                report.item(&format!("round {}: {line}", number + 1));
            }
        }
        report.line(&format!(
            "Killed {} times among {} writers ({acknowledged} writes acknowledged, {unanswered} unanswered): \
             {good} of {} times everything was in order.",
            self.times, self.writers, self.times
        ));
        report.save(target.results.as_deref())?;
        if good == self.times {
            return Ok(());
        }
        Err(format!(
            "{} of {} times something was not in order",
            self.times - good,
            self.times
        ))
    }

    async fn round(&self, target: &Target, number: u64, pause: Duration, skipped: &mut Vec<String>) -> Result<Round> {
        let mut server = Server::start(target).await?;
        let client = server
            .client(usize::try_from(self.writers).unwrap_or(8))
            .signed_in()
            .await?;
        let writers = (0..self.writers).map(|writer| {
            let writer = Writer::new(client.clone(), number, writer);
            actix_web::rt::spawn(writer.run())
        });
        let writers: Vec<_> = writers.collect();
        actix_web::rt::time::sleep(pause).await;
        server.kill()?;
        let mut round = Round::default();
        let mut pieces = Vec::new();
        for outcome in join_all(writers).await {
            let written = outcome.map_err(in_words)??;
            round.acknowledged += written.acknowledged;
            pieces.extend(written.pieces);
        }
        round.unanswered = pieces.iter().filter(|piece| piece.unanswered.is_some()).count();

        let check = process::run(target, &["search", "check"])?;
        if check.is_unknown() {
            let line =
                "`broadsheet search check` is not there: the index was not compared with the articles".to_owned();
            if !skipped.contains(&line) {
                skipped.push(line);
            }
        } else if check.code != Some(0) {
            round.check = Some(format!("search check: {}", check.last_line()));
        }
        let server = Server::start(target).await?;
        let (anonymous, client) = (server.client(1), server.client(1).signed_in().await?);
        for piece in &pieces {
            round.wrong.extend(judge(&anonymous, piece).await?);
        }
        for piece in &pieces {
            remove(&client, piece).await?;
        }
        Ok(round)
    }
}

/// What is wrong with an article: of all words that it ever had, only the last may find it, and only if readers see it.
async fn judge(client: &Client, piece: &Piece) -> Result<Option<String>> {
    let mut found = Vec::new();
    for word in &piece.words {
        let answer = client.get(&address(SEARCH, &[("q", word)])).await?.json()?;
        if total(&answer)? > 0 {
            found.push(word);
        }
    }
    let allowed = |state: &Option<String>| found.iter().copied().eq(state.iter());
    if allowed(&piece.acknowledged) || piece.unanswered.as_ref().is_some_and(allowed) {
        return Ok(None);
    }
    Ok(Some(format!(
        "{} is found by {found:?}, acknowledged was {:?}, unanswered {:?}",
        piece.external_id, piece.acknowledged, piece.unanswered
    )))
}

/// Takes an article away again.
async fn remove(client: &Client, piece: &Piece) -> Result<()> {
    let all = [
        ("external_id", piece.external_id.as_str()),
        ("status", "draft,published,archived"),
    ];
    let answer = client.get(&address("/api/v1/articles", &all)).await?.json()?;
    let hits = answer.get("data").and_then(Value::as_array).into_iter().flatten();
    for id in hits.filter_map(|hit| hit.get("id").and_then(Value::as_i64)) {
        client.delete(&format!("/api/v1/articles/{id}")).await?.took()?;
    }
    Ok(())
}
