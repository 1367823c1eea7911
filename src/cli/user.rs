//! `broadsheet user add`: an account without the API, beside a running server or before the first start.

use std::io::{BufRead, IsTerminal};

use clap::{Args, Subcommand};

use crate::auth::password::Passwords;
use crate::auth::secret;
use crate::auth::viewer::Role;
use crate::config::Config;
use crate::db::Db;
use crate::error::{Code, Error};
use crate::users::model::NewUser;
use crate::users::store;

/// Longest line that is read as a password, in bytes; what is longer is no password anyway.
const LONGEST_LINE: u64 = 64 * 1024;

/// Commands for accounts.
#[derive(Args)]
pub struct User {
    #[command(subcommand)]
    command: UserCommand,
}

#[derive(Subcommand)]
enum UserCommand {
    /// Make an account.
    ///
    /// Without --password, the password is the line on standard input; on a terminal, or where there is no line, one is
    /// made and printed.
    Add(Add),
}

#[derive(Args)]
struct Add {
    /// What the account signs in with.
    #[arg(long)]
    email: String,
    /// Whose account it is; what stands before the @ if absent.
    #[arg(long)]
    name: Option<String>,
    /// What the account may do: admin, editor or contributor.
    #[arg(long, default_value = "contributor", value_parser = role)]
    role: Role,
    /// Its password, of 10 to 200 characters. Others on this machine may see it while the command runs.
    #[arg(long)]
    password: Option<String>,
}

fn role(text: &str) -> Result<Role, String> {
    let known: Vec<_> = Role::ALL.iter().map(|role| role.as_str()).collect();
    Role::parse(text).ok_or_else(|| format!("known are {}", known.join(", ")))
}

impl User {
    /// Runs the command.
    pub async fn run(self, config: Config) -> Result<(), String> {
        let UserCommand::Add(add) = self.command;
        // The server holds no lock that this would need: each write is a transaction of its own, here as there.
        let db = Db::open(&config)?;
        let outcome = add.run(&db).await;
        db.close().await;
        outcome
    }
}

impl Add {
    async fn run(self, db: &Db) -> Result<(), String> {
        let (password, made) = match self.password {
            Some(password) => (password, false),
            None => match line_of_input()? {
                Some(password) => (password, false),
                None => (secret::random().map_err(|error| error.to_string())?, true),
            },
        };
        let name = self.name.unwrap_or_else(|| store::name_from_email(&self.email));
        let new = NewUser {
            email: self.email,
            name,
            password: password.clone(),
            role: self.role,
        };
        new.check().map_err(|error| in_words(&error))?;
        let hash = Passwords::new().hash(password.clone()).await;
        let hash = hash.map_err(|error| in_words(&error))?;
        let user = db
            .write(move |tx| store::insert_user(tx, &new, &hash))
            .await
            .map_err(|error| in_words(&error))?;
        println!("made {} {} (id {})", user.role.as_str(), user.email, user.id);
        if made {
            println!("its password: {password}");
        }
        Ok(())
    }
}

/// The first line of standard input without its end; nothing on a terminal, or where there is none.
fn line_of_input() -> Result<Option<String>, String> {
    use std::io::Read;
    let input = std::io::stdin();
    if input.is_terminal() {
        return Ok(None);
    }
    let mut line = String::new();
    input
        .lock()
        .take(LONGEST_LINE)
        .read_line(&mut line)
        .map_err(|error| format!("cannot read the password from standard input: {error}"))?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    Ok((!line.is_empty()).then(|| line.to_owned()))
}

/// One line: what was wrong with which flag.
fn in_words(error: &Error) -> String {
    if error.code == Code::EmailTaken {
        return "another account has this e-mail address".to_owned();
    }
    let wrong = error.errors.iter().map(|field| {
        let place = field.pointer.as_deref().unwrap_or_default();
        format!("--{} {}", place.trim_start_matches("#/"), field.message)
    });
    let wrong: Vec<_> = wrong.collect();
    if wrong.is_empty() {
        error.to_string()
    } else {
        wrong.join("; ")
    }
}
