//! Reads what an author wrote, in its three formats, into the clean tree.
//!
//! HTML is read token by token, as the WHATWG standard has it, without the tree that a browser would build: nesting, misnested
//! tags and formatting that is opened again in each paragraph can then cost neither depth nor memory. What a browser would make
//! of the same source does not matter, since nothing of the source itself is ever sent on.

use super::address::{self, Picture};
use super::build::{Builder, Kind};
use super::embed::{Framed, framed};
use super::line::words;
use super::tree::{Image, Node, Source, Style};
use comrak::Options;
use html5gum::{DefaultEmitter, HtmlString, Spanned, State, Token, Tokenizer};
use std::collections::BTreeMap;

/// Largest number that begins a list, from CommonMark 5.2.
const MAX_START: u32 = 999_999_999;

pub(super) fn markdown(source: &str) -> Vec<Node> {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.cjk_friendly_emphasis = true;
    // HTML in Markdown goes the way of all HTML afterwards.
    options.render.r#unsafe = true;
    tokens(&comrak::markdown_to_html(source, &options), Builder::new(true))
}

pub(super) fn html(source: &str) -> Vec<Node> {
    tokens(source, Builder::new(false))
}

/// A blank line parts paragraphs, a line end is a line break, all else is what it looks like.
pub(super) fn text(source: &str) -> Vec<Node> {
    let mut builder = Builder::new(false);
    for line in source.lines() {
        if line.trim().is_empty() {
            builder.boundary();
        } else {
            builder.text(line);
            builder.line_break();
        }
    }
    builder.finish()
}

type Attributes = BTreeMap<HtmlString, Spanned<HtmlString, ()>>;

fn tokens(source: &str, builder: Builder) -> Vec<Node> {
    let mut reader = Reader {
        builder,
        hidden: None,
        shown: false,
        in_head: false,
        in_footnote: false,
    };
    let mut tokenizer = Tokenizer::new_with_emitter(source, DefaultEmitter::default());
    while let Some(token) = tokenizer.next() {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name);
                // What is within these is no HTML, so that a tag in it must not end them early.
                let raw = match name.as_ref() {
                    "script" => Some(State::ScriptData),
                    "style" => Some(State::RawText),
                    "iframe" if !tag.self_closing => Some(State::RawText),
                    _ => None,
                };
                reader.start(&name, &tag.attributes);
                if let Some(state) = raw {
                    tokenizer.set_state(state);
                    reader.hidden.get_or_insert(match name.as_ref() {
                        "script" => "script",
                        "style" => "style",
                        _ => "iframe",
                    });
                }
            }
            Token::EndTag(tag) => reader.end(&String::from_utf8_lossy(&tag.name)),
            Token::String(text) if reader.hidden.is_none() => reader.builder.text(&String::from_utf8_lossy(&text)),
            Token::String(_) | Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
    }
    reader.builder.finish()
}

struct Reader {
    builder: Builder,
    /// The element whose content is not shown, up to its end tag.
    hidden: Option<&'static str>,
    /// Whether the film or sound at hand is in the tree: it may be there in several formats.
    shown: bool,
    in_head: bool,
    /// Whether the link at hand is the number of a footnote.
    in_footnote: bool,
}

impl Reader {
    fn start(&mut self, name: &str, attributes: &Attributes) {
        if self.hidden.is_some() {
            if name == "source" && matches!(self.hidden, Some("video" | "audio")) {
                self.sound_or_film(attributes);
            }
            return;
        }
        if let Some(mark) = mark(name) {
            return self.builder.mark(mark, true);
        }
        match name {
            "br" => self.builder.line_break(),
            "a" => self.anchor(attributes),
            "code" => self.builder.code_mark(true, language(attributes)),
            "img" => self.image(attributes),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let level = name.bytes().next_back().map(|digit| digit.saturating_sub(b'0'));
                self.builder.heading(level);
            }
            "hr" => self.builder.divider(),
            "pre" => self.builder.open_code(language(attributes)),
            "blockquote" => self.builder.open_quote(),
            "ul" | "menu" => self.builder.open_list(false, 1),
            "ol" => {
                let start = attribute(attributes, "start")
                    .and_then(|start| start.trim().parse().ok())
                    .filter(|start| *start <= MAX_START);
                self.builder.open_list(true, start.unwrap_or(1));
            }
            "li" => self.builder.open_item(),
            "figure" => self.builder.open_figure(),
            "figcaption" => self.builder.caption(true),
            "table" => self.builder.open_table(),
            "thead" => self.builder.table_part(true),
            "tbody" | "tfoot" => self.builder.table_part(false),
            "tr" => self.builder.row(true),
            "td" | "th" => {
                self.builder
                    .open_cell(name == "th", span(attributes, "colspan"), span(attributes, "rowspan"));
            }
            "caption" => {
                self.builder.close_cell();
            }
            "iframe" | "embed" => self.frame(attributes),
            "video" => self.media("video", attributes),
            "audio" => self.media("audio", attributes),
            // A task list. Checkboxes are the one part of a form that means something to a reader.
            "input" if attribute(attributes, "type").is_some_and(|kind| kind.eq_ignore_ascii_case("checkbox")) => {
                self.builder.text(if attribute(attributes, "checked").is_some() {
                    "☑ "
                } else {
                    "☐ "
                });
            }
            "head" => self.in_head = true,
            "title" if self.in_head => self.hidden = Some("title"),
            "rp" => self.hidden = Some("rp"),
            "rt" => self.builder.text("("),
            _ if is_block(name) => {
                self.in_head = false;
                self.builder.boundary();
            }
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        if let Some(hidden) = self.hidden {
            if hidden == name || (hidden == "rp" && matches!(name, "rt" | "ruby")) {
                self.hidden = None;
            }
            return;
        }
        if let Some(mark) = mark(name) {
            return self.builder.mark(mark, false);
        }
        match name {
            "a" => {
                if std::mem::take(&mut self.in_footnote) {
                    self.builder.text("]");
                }
                self.builder.link(None);
            }
            "code" => self.builder.code_mark(false, None),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.builder.heading(None),
            "pre" => self.builder.close_code(),
            "blockquote" => self.builder.close(Kind::Quote),
            "ul" | "menu" | "ol" => self.builder.close(Kind::List),
            "li" => {
                self.builder.close_item();
            }
            "figure" => self.builder.close(Kind::Figure),
            "figcaption" => self.builder.caption(false),
            "table" => self.builder.close(Kind::Table),
            "thead" | "tbody" | "tfoot" => self.builder.table_part(false),
            "tr" => self.builder.row(false),
            "td" | "th" | "caption" => {
                self.builder.close_cell();
            }
            "br" => self.builder.line_break(),
            "rt" => self.builder.text(")"),
            _ if is_block(name) => self.builder.boundary(),
            _ => {}
        }
    }

    fn anchor(&mut self, attributes: &Attributes) {
        // The two ends of a footnote: their targets have no id in the stored form. The way back is not shown at all.
        if attribute(attributes, "data-footnote-backref").is_some() {
            self.hidden = Some("a");
        } else if attribute(attributes, "data-footnote-ref").is_some() {
            self.in_footnote = true;
            self.builder.text("[");
        } else {
            self.builder
                .link(attribute(attributes, "href").and_then(|href| address::link(&href)));
        }
    }

    fn image(&mut self, attributes: &Attributes) {
        let alt = attribute(attributes, "alt").and_then(|alt| words(&alt));
        let caption = attribute(attributes, "title").and_then(|title| words(&title));
        // Pages that load their pictures late keep the address in one of the others.
        let picture = ["src", "data-src", "data-original"]
            .into_iter()
            .find_map(|name| attribute(attributes, name).and_then(|source| address::picture(&source)));
        let source = match picture {
            Some(Picture::Uploaded(id)) => Source::Uploaded(id),
            Some(Picture::Https(address)) => Source::Elsewhere(address),
            Some(Picture::Http(address)) => {
                let text = alt.or(caption).unwrap_or_else(|| address.clone());
                return self.builder.linked(&text, address);
            }
            None => return,
        };
        self.builder.image(Image { source, alt, caption });
    }

    fn frame(&mut self, attributes: &Attributes) {
        let Some(source) = attribute(attributes, "src").or_else(|| attribute(attributes, "data-src")) else {
            return;
        };
        if let Some(framed) = framed(&source) {
            self.builder.embed(framed);
        } else if let Some(address) = address::web(&source) {
            self.builder.boundary();
            self.builder.linked(&address.clone(), address);
            self.builder.boundary();
        }
    }

    fn media(&mut self, name: &'static str, attributes: &Attributes) {
        self.hidden = Some(name);
        self.shown = false;
        self.sound_or_film(attributes);
    }

    fn sound_or_film(&mut self, attributes: &Attributes) {
        if self.shown {
            return;
        }
        let address = attribute(attributes, "src")
            .and_then(|source| address::web(&source))
            .filter(|url| url.starts_with("https:"));
        if let Some(url) = address {
            self.builder.embed(Framed { url, provider: None });
            self.shown = true;
        }
    }
}

fn attribute(attributes: &Attributes, name: &str) -> Option<String> {
    attributes
        .get(name.as_bytes())
        .map(|value| String::from_utf8_lossy(value).into_owned())
}

fn span(attributes: &Attributes, name: &str) -> usize {
    attribute(attributes, name)
        .and_then(|count| count.trim().parse().ok())
        .unwrap_or(1)
}

/// The language of code, from a class `language-…` or `lang-…`.
fn language(attributes: &Attributes) -> Option<String> {
    let class = attribute(attributes, "class")?;
    let name = class
        .split_ascii_whitespace()
        .find_map(|name| name.strip_prefix("language-").or_else(|| name.strip_prefix("lang-")))?;
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'#' | b'-' | b'_' | b'.');
    (!name.is_empty() && name.len() <= 32 && name.bytes().all(known)).then(|| name.to_owned())
}

fn mark(name: &str) -> Option<Style> {
    Some(match name {
        "b" | "strong" => Style::BOLD,
        "i" | "em" | "cite" | "dfn" | "var" => Style::ITALIC,
        "s" | "del" | "strike" => Style::STRIKE,
        "u" | "ins" => Style::UNDERLINE,
        "mark" => Style::MARK,
        "sub" => Style::SUB,
        "sup" => Style::SUP,
        "kbd" | "samp" | "tt" => Style::CODE,
        _ => return None,
    })
}

/// Elements that begin on a new line and say no more than that.
fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "section"
            | "article"
            | "header"
            | "footer"
            | "main"
            | "aside"
            | "nav"
            | "address"
            | "center"
            | "body"
            | "html"
            | "details"
            | "summary"
            | "dl"
            | "dt"
            | "dd"
            | "form"
            | "fieldset"
            | "legend"
            | "hgroup"
            | "dialog"
            | "search"
            | "option"
            | "optgroup"
            | "colgroup"
            | "dir"
            | "xmp"
            | "listing"
            | "plaintext"
            | "title"
            | "textarea"
            | "noscript"
    )
}
