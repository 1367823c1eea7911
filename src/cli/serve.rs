//! `broadsheet serve`: the server until a signal stops it.

use clap::Args;

use super::demo;
use crate::config::Config;
use crate::server;

/// Flags of `serve`.
#[derive(Args, Default)]
pub struct Serve {
    /// Fill an empty database with a few articles and pictures to look at, and say how to sign in.
    #[arg(long)]
    demo: bool,
}

impl Serve {
    /// Serves until SIGTERM or Ctrl-C, then stops in order.
    pub async fn run(self, mut config: Config) -> Result<(), String> {
        let demo = if self.demo {
            Some(demo::prepare(&mut config).await?)
        } else {
            None
        };
        let (drain, public_url) = (config.drain, config.public_url.clone());
        let running = server::start(config).await?;
        if let Some(demo) = demo {
            demo.announce(&public_url.unwrap_or_else(|| format!("http://localhost:{}", running.address.port())));
        }
        stop_signal().await?;
        log::info!("stopping");
        running.drain(drain).await;
        running.stop().await;
        Ok(())
    }
}

async fn stop_signal() -> Result<(), String> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate =
            signal(SignalKind::terminate()).map_err(|error| format!("cannot listen for signals: {error}"))?;
        tokio::select! {
            outcome = tokio::signal::ctrl_c() => outcome.map_err(|error| format!("cannot listen for signals: {error}")),
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c()
        .await
        .map_err(|error| format!("cannot listen for signals: {error}"))
}
