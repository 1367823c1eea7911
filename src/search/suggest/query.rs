//! What suggestions may be asked for.

use utoipa::IntoParams;

use crate::search::query::read_q;
use crate::web::{FromPairs, Pairs};

/// Longest `q`, in characters.
const LONGEST: usize = 50;

/// What suggestions are asked for.
#[derive(Clone, Debug)]
pub struct Begun {
    /// What is being typed; neither blank nor too long.
    pub q: String,
    /// Suggestions wanted, 1 to 20.
    pub limit: i64,
}

impl FromPairs for Begun {
    fn from_pairs(pairs: &mut Pairs) -> Self {
        Self {
            q: read_q(pairs, LONGEST),
            limit: pairs.number("limit", 1..=20).unwrap_or(10),
        }
    }
}

/// The parameters of [`Begun`], for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `Begun` reads")]
pub struct BegunParams {
    /// What is being typed: characters, pinyin without tones of which the last syllable may be unfinished, initials of
    /// pinyin, words and numbers, also mixed. Width, case and traditional or simplified characters make no difference;
    /// blanks at the ends do not count.
    #[param(example = "xiaom", min_length = 1, max_length = 50)]
    q: String,
    /// Suggestions wanted, 10 where absent.
    #[param(example = 10, minimum = 1, maximum = 20, default = 10)]
    limit: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::query::read;

    #[test]
    fn q_is_trimmed_and_bounded() {
        let begun: Begun = read("q=+xiaom%E3%80%80").unwrap();
        assert_eq!((begun.q.as_str(), begun.limit), ("xiaom", 10));
        assert_eq!(read::<Begun>("q=a&limit=20").unwrap().limit, 20);
        assert!(read::<Begun>(&format!("q={}", "海".repeat(50))).is_ok());
        for wrong in [
            "",
            "q=",
            "q=+",
            "q=a&limit=0",
            "q=a&limit=21",
            "q=a&page=1",
            &format!("q={}", "海".repeat(51)),
        ] {
            assert!(read::<Begun>(wrong).is_err(), "{wrong}");
        }
    }
}
