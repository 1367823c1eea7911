//! A client that makes, changes, publishes, withdraws and deletes articles until the server is gone.

use fastrand::Rng;
use serde_json::{Value, json};

use crate::Result;
use crate::http::{Answer, Client};
use crate::search::unique_word;

/// An article, and what is known of it.
pub struct Piece {
    id: Option<i64>,
    /// Its id here.
    pub external_id: String,
    /// Every word that it ever had, each of which stands nowhere else.
    pub words: Vec<String>,
    /// The word that finds it by what the server acknowledged; none if nothing may find it.
    pub acknowledged: Option<String>,
    /// The same by what the server had not answered, if there is such a write.
    pub unanswered: Option<Option<String>>,
    /// The word that stands in it, seen or not.
    word: String,
    deleted: bool,
}

/// What a client did.
pub struct Written {
    /// Its articles.
    pub pieces: Vec<Piece>,
    /// How many writes the server acknowledged.
    pub acknowledged: u64,
}

/// A client.
pub struct Writer {
    client: Client,
    rng: Rng,
    round: u64,
    number: u64,
    words: u64,
    written: Written,
}

impl Writer {
    /// The client of that number in that round.
    pub fn new(client: Client, round: u64, number: u64) -> Self {
        Self {
            client,
            rng: Rng::with_seed(round * 1_000 + number),
            round,
            number,
            words: 0,
            written: Written {
                pieces: Vec::new(),
                acknowledged: 0,
            },
        }
    }

    /// Writes until a request is not answered.
    ///
    /// # Errors
    /// If the server refuses one: none of them is wrong.
    pub async fn run(mut self) -> Result<Written> {
        loop {
            let alive: Vec<usize> = (self.written.pieces.iter().enumerate())
                .filter(|(_, piece)| !piece.deleted)
                .map(|(place, _)| place)
                .collect();
            let goes_on = match (self.rng.u32(0..10), self.rng.choice(alive)) {
                (0..4, _) | (_, None) => self.create().await?,
                (deed, Some(place)) => self.change(deed, place).await?,
            };
            if !goes_on {
                return Ok(self.written);
            }
        }
    }

    fn new_word(&mut self) -> String {
        self.words += 1;
        unique_word("c", (self.round * 100 + self.number) * 10_000 + self.words)
    }

    async fn create(&mut self) -> Result<bool> {
        let word = self.new_word();
        let published = self.rng.u32(0..5) > 0;
        let external_id = format!("crash-{}-{}-{}", self.round, self.number, self.words);
        let body = json!({
            "title": format!("写入时断电的第{}篇", self.words), "body": format!("正文里有一个词：{word}。"),
            "status": if published { "published" } else { "draft" }, "external_id": external_id,
        });
        self.written.pieces.push(Piece {
            id: None,
            external_id,
            words: vec![word.clone()],
            acknowledged: None,
            unanswered: Some(published.then(|| word.clone())),
            word,
            deleted: false,
        });
        let answer = self.client.post("/api/v1/articles", &body).await;
        self.settle(self.written.pieces.len() - 1, answer)
    }

    async fn change(&mut self, deed: u32, place: usize) -> Result<bool> {
        let word = self.new_word();
        let Some(piece) = self.written.pieces.get_mut(place) else {
            return Ok(true);
        };
        let path = format!("/api/v1/articles/{}", piece.id.unwrap_or_default());
        let answer = match deed {
            4..7 => {
                let body = json!({"body": format!("改过的正文里有另一个词：{word}。")});
                piece.unanswered = Some(piece.acknowledged.as_ref().map(|_| word.clone()));
                piece.words.push(word.clone());
                piece.word = word;
                self.client.patch(&path, &body).await
            }
            7 => {
                piece.unanswered = Some(Some(piece.word.clone()));
                self.client.patch(&path, &json!({"status": "published"})).await
            }
            8 => {
                piece.unanswered = Some(None);
                self.client.patch(&path, &json!({"status": "archived"})).await
            }
            _ => {
                piece.unanswered = Some(None);
                piece.deleted = true;
                self.client.delete(&path).await
            }
        };
        self.settle(place, answer)
    }

    /// Notes what the server said; whether it is still there.
    fn settle(&mut self, place: usize, answer: Result<Answer>) -> Result<bool> {
        let Ok(answer) = answer else { return Ok(false) };
        answer.took()?;
        self.written.acknowledged += 1;
        if let Some(piece) = self.written.pieces.get_mut(place) {
            if piece.id.is_none() {
                piece.id = answer.json()?.pointer("/data/id").and_then(Value::as_i64);
            }
            if let Some(state) = piece.unanswered.take() {
                piece.acknowledged = state;
            }
        }
        Ok(true)
    }
}
