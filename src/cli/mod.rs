//! The command line. Without a command it serves.

pub mod demo;
pub mod import;
mod media;
mod search;
mod serve;
mod user;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, LogFormat, Settings};
use crate::db::migrate;
use crate::openapi;

/// A headless JSON content API for Chinese-language news and review sites.
#[derive(Parser)]
#[command(version, about, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API (what happens without a command).
    Serve(serve::Serve),
    /// Bring articles in from elsewhere.
    Import(import::Import),
    /// Check the files of images.
    Media(media::Media),
    /// Bring the schema up to date, and end.
    Migrate,
    /// Make the search index anew, or check it.
    Search(search::Search),
    /// Manage accounts.
    User(user::User),
    /// Print the OpenAPI document.
    Openapi,
    /// Ask a running server on this machine whether it is ready; exit 0 if so.
    Health,
}

/// Runs the command that the arguments name. Every failure is one line on standard error, and exit code 1.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Libraries break their messages into lines.
            let line: Vec<&str> = error.split_whitespace().collect();
            eprintln!("broadsheet: {}", line.join(" "));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), String> {
    let config = cli.settings.check()?;
    start_log(config.log);
    match cli.command.unwrap_or_else(|| Command::Serve(serve::Serve::default())) {
        Command::Serve(serve) => block_on(serve.run(config)),
        Command::Import(import) => block_on(import.run(config)),
        Command::Media(media) => block_on(media.run(config)),
        Command::Migrate => migrate::run(&config.database),
        Command::Search(search) => block_on(search.run(config)),
        Command::User(user) => block_on(user.run(config)),
        Command::Openapi => {
            let document = openapi::document(&openapi::origin(&config))
                .to_pretty_json()
                .map_err(|error| error.to_string())?;
            println!("{document}");
            Ok(())
        }
        Command::Health => health(&config),
    }
}

fn block_on(work: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    actix_web::rt::System::new().block_on(work)
}

/// `RUST_LOG` decides what is logged; one JSON object a line, or text.
fn start_log(format: LogFormat) {
    let mut builder =
        env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info,actix_server=warn"));
    if format == LogFormat::Json {
        builder.format(|out, record| {
            use std::io::Write;
            let line = serde_json::json!({
                "time": chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
                "level": record.level().as_str(),
                "target": record.target(),
                "message": record.args().to_string(),
            });
            writeln!(out, "{line}")
        });
    }
    builder.init();
}

/// One request by hand: a client library would be a lot for it.
fn health(config: &Config) -> Result<(), String> {
    use std::io::{Read, Write};
    let mut address = config.bind;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            std::net::Ipv4Addr::LOCALHOST.into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    let time_out = std::time::Duration::from_secs(5);
    let ask = || -> std::io::Result<String> {
        let mut stream = std::net::TcpStream::connect_timeout(&address, time_out)?;
        stream.set_read_timeout(Some(time_out))?;
        write!(
            stream,
            "GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.take(64 * 1024).read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = ask().map_err(|error| format!("no answer from {address}: {error}"))?;
    let status = answer.lines().next().unwrap_or_default();
    if status.contains(" 200 ") {
        Ok(())
    } else {
        Err(format!("not ready: {status}"))
    }
}
