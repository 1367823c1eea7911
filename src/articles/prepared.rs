//! What takes long and needs no transaction, done before one begins: a body rendered and analysed, so that no other writer
//! waits for it.

use super::input::ArticleFields;
use super::model::BodySource;
use crate::text::analyse::BodyLexemes;
use crate::text::render::{Rendered, places, render};
use crate::text::summary::{summary, word_count};

/// A body that is written, rendered and analysed.
pub struct Prepared {
    /// What the author wrote.
    pub(super) source: String,
    /// In which language.
    pub(super) format: BodySource,
    /// The same in every form.
    pub(super) rendered: Rendered,
    /// Derived from the beginning.
    pub(super) summary: String,
    /// How many words it has.
    pub(super) words: i64,
    lexemes: BodyLexemes,
}

impl Prepared {
    /// Renders a source. Takes up to a second for the largest; not to be done where others wait.
    pub fn new(source: String, format: BodySource) -> Self {
        let rendered = render(&source, format.into());
        Self {
            summary: summary(without_captions(&rendered)),
            words: word_count(&rendered.text),
            lexemes: BodyLexemes::new(&rendered.text),
            source,
            format,
            rendered,
        }
    }

    pub(super) fn said(&self) -> Said<'_> {
        Said {
            text: &self.rendered.text,
            lexemes: &self.lexemes,
        }
    }

    /// Renders the body of a new article; an empty one if none was given.
    pub fn for_new(fields: &mut ArticleFields) -> Self {
        let source = std::mem::take(&mut fields.body).value().unwrap_or_default();
        Self::new(
            source,
            std::mem::take(&mut fields.body_format)
                .value()
                .unwrap_or(BodySource::Markdown),
        )
    }
}

/// A body that stays as it is, analysed, since what search knows of an article is written whole.
pub struct Analysed {
    /// The version of the article that has this body.
    version: i64,
    text: String,
    lexemes: BodyLexemes,
}

/// What search reads of a body.
#[derive(Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) text: &'a str,
    pub(super) lexemes: &'a BodyLexemes,
}

impl Analysed {
    /// Analyses the text of the article's body, as that version has it.
    pub fn new(version: i64, text: String) -> Self {
        Self {
            version,
            lexemes: BodyLexemes::new(&text),
            text,
        }
    }

    /// What it says, if the article is still of that version: else another body may stand there.
    pub(super) fn said(&self, version: i64) -> Option<Said<'_>> {
        (self.version == version).then_some(Said {
            text: &self.text,
            lexemes: &self.lexemes,
        })
    }
}

/// Whether these fields change what search reads beside the body.
pub(super) fn says_else(fields: &ArticleFields) -> bool {
    fields.title.is_given() || fields.summary.is_given() || fields.tags.is_given()
}

/// The text from where it begins to be prose: an article that opens with a picture is not summed up by the caption.
fn without_captions(rendered: &Rendered) -> &str {
    let captions: Vec<String> = places(&rendered.blocks)
        .filter_map(|place| place.caption.or(place.alt))
        .collect();
    let mut text = rendered.text.as_str();
    while let Some((first, rest)) = text.split_once("\n\n")
        && captions.iter().any(|caption| caption == first)
    {
        text = rest;
    }
    text
}
