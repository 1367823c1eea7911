//! Places: where an uploaded image stands in a stored form. Its address, sizes and words may change later without the article
//! being rendered anew, so they are written when the article is read.
//!
//! A place is U+0001, a small JSON object, U+0002. Nothing that is rendered of an author's text holds either character.

use super::html::escape;
use super::inline::{escape_address, escape_alt, escape_title};
use serde::{Deserialize, Serialize};

/// First character of a place.
pub(super) const OPEN: char = '\u{1}';
/// Last character of a place.
pub(super) const CLOSE: char = '\u{2}';

/// An uploaded image at a place of an article.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The image.
    pub id: i64,
    /// What the author wrote as the alternative text here; where there is none, the image's own stands.
    pub alt: Option<String>,
    /// What the author wrote as the caption here; where there is none, the image's own stands.
    pub caption: Option<String>,
    /// Whether it stands within a line, as in a table cell, and not as a figure of its own.
    pub inline: bool,
}

impl Place {
    /// Appends the place. What HTML or Markdown would read as markup is written as `\u…`, so that the place passes them unchanged.
    pub(super) fn write(&self, out: &mut String) {
        // A struct of numbers and strings always has a JSON form.
        let json = serde_json::to_string(self).unwrap_or_default();
        out.push(OPEN);
        for c in json.chars() {
            match c {
                '<' => out.push_str("\\u003c"),
                '>' => out.push_str("\\u003e"),
                '&' => out.push_str("\\u0026"),
                '|' => out.push_str("\\u007c"),
                '\u{a0}' => out.push_str("\\u00a0"),
                _ => out.push(c),
            }
        }
        out.push(CLOSE);
    }
}

/// The places of a stored `html`, `markdown` or `blocks`.
pub fn places(stored: &str) -> impl Iterator<Item = Place> {
    let of = |place: &str| serde_json::from_str(place.split_once(CLOSE)?.0).ok();
    stored.split(OPEN).skip(1).filter_map(of)
}

/// A stored `html`, `markdown` or `blocks`, each place replaced by what `write` appends. A malformed place is dropped.
pub fn fill(stored: impl Into<String>, mut write: impl FnMut(&Place, &mut String)) -> String {
    let stored = stored.into();
    if !stored.contains(OPEN) {
        return stored;
    }
    let mut out = String::with_capacity(stored.len());
    let mut rest = stored.as_str();
    while let Some((before, place)) = rest.split_once(OPEN) {
        out.push_str(before);
        let Some((json, after)) = place.split_once(CLOSE) else {
            return out;
        };
        if let Ok(place) = serde_json::from_str::<Place>(json) {
            write(&place, &mut out);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// What a figure needs to know about its picture.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    /// Address of the variant for those who do not read `srcset`.
    pub src: &'a str,
    /// Addresses with widths as HTML has them; empty where there is one size alone.
    pub srcset: &'a str,
    /// Width on the page as HTML has it, for `srcset`.
    pub sizes: &'a str,
    /// Width of the original in pixels.
    pub width: u32,
    /// Height of the original in pixels.
    pub height: u32,
    /// The image's own alternative text.
    pub alt: Option<&'a str>,
    /// The image's own caption.
    pub caption: Option<&'a str>,
    /// Who made the picture.
    pub credit: Option<&'a str>,
}

impl Picture<'_> {
    fn alt<'p>(&'p self, place: &'p Place) -> &'p str {
        place.alt.as_deref().or(self.alt).unwrap_or_default()
    }

    fn caption<'p>(&'p self, place: &'p Place) -> &'p str {
        place.caption.as_deref().or(self.caption).unwrap_or_default()
    }
}

/// Appends the HTML of an uploaded image: a figure with caption and credit, or an `<img>` alone where the place is inline.
pub fn figure_html(place: &Place, picture: &Picture<'_>, out: &mut String) {
    if !place.inline {
        out.push_str("<figure>");
    }
    out.push_str("<img src=\"");
    escape(picture.src, out);
    if !picture.srcset.is_empty() {
        out.push_str("\" srcset=\"");
        escape(picture.srcset, out);
        out.push_str("\" sizes=\"");
        escape(picture.sizes, out);
    }
    out.push_str(&format!(
        "\" width=\"{}\" height=\"{}\" alt=\"",
        picture.width, picture.height
    ));
    escape(picture.alt(place), out);
    out.push_str("\" loading=\"lazy\" decoding=\"async\">");
    if place.inline {
        return;
    }
    let (caption, credit) = (picture.caption(place), picture.credit.unwrap_or_default());
    if !caption.is_empty() || !credit.is_empty() {
        out.push_str("<figcaption>");
        escape(caption, out);
        if !credit.is_empty() {
            out.push_str(if caption.is_empty() { "<cite>" } else { " <cite>" });
            escape(credit, out);
            out.push_str("</cite>");
        }
        out.push_str("</figcaption>");
    }
    out.push_str("</figure>");
}

/// Appends the Markdown of an uploaded image: `![alt](src "caption")`.
pub fn image_markdown(place: &Place, picture: &Picture<'_>, out: &mut String) {
    write_image(picture.src, picture.alt(place), picture.caption(place), out);
}

/// Appends `![alt](address "caption")`. The address is encoded so that no character of it ends the link.
pub(super) fn write_image(address: &str, alt: &str, caption: &str, out: &mut String) {
    out.push_str("![");
    escape_alt(alt, out);
    out.push_str("](");
    escape_address(address, out);
    if !caption.is_empty() {
        out.push_str(" \"");
        escape_title(caption, out);
        out.push('"');
    }
    out.push(')');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> Picture<'static> {
        Picture {
            src: "https://a.example/w640.webp?a=1&b=2",
            srcset: "https://a.example/w320.webp 320w, https://a.example/w640.webp 640w",
            sizes: "100vw",
            width: 640,
            height: 480,
            alt: Some("a \"quoted\" <alt>"),
            caption: Some("own"),
            credit: Some("Li & Wang"),
        }
    }

    fn place(caption: Option<&str>, inline: bool) -> Place {
        Place {
            id: 42,
            alt: None,
            caption: caption.map(str::to_owned),
            inline,
        }
    }

    #[test]
    fn a_place_survives_its_way_through_a_stored_form() {
        let written = Place {
            id: 7,
            alt: Some("<b>&\u{a0}|\"\\\u{1}\n".into()),
            caption: Some("图".into()),
            inline: true,
        };
        let mut stored = String::from("<p>a</p>");
        written.write(&mut stored);
        assert!(!stored.contains("<b>") && !stored.contains('&') && !stored.contains('|'));
        let mut read = Vec::new();
        let filled = fill(&stored, |place, out| {
            read.push(place.clone());
            out.push('!');
        });
        assert_eq!((filled.as_str(), read), ("<p>a</p>!", vec![written]));
    }

    #[test]
    fn a_malformed_place_is_dropped() {
        for (stored, filled) in [
            ("a\u{1}b\u{2}c", "ac"),
            ("a\u{1}{\"id\":1}\u{2}c", "ac"),
            ("a\u{1}{\"id\":1,\"alt\":null", "a"),
            ("a\u{2}c", "a\u{2}c"),
        ] {
            assert_eq!(fill(stored, |_, out| out.push('!')), filled, "{stored:?}");
        }
    }

    #[test]
    fn a_figure_is_escaped_and_the_place_speaks_first() {
        let mut html = String::new();
        figure_html(&place(Some("<here>"), false), &picture(), &mut html);
        assert_eq!(
            html,
            "<figure><img src=\"https://a.example/w640.webp?a=1&amp;b=2\" srcset=\"https://a.example/w320.webp 320w, \
             https://a.example/w640.webp 640w\" sizes=\"100vw\" width=\"640\" height=\"480\" alt=\"a &quot;quoted&quot; &lt;alt&gt;\" \
             loading=\"lazy\" decoding=\"async\"><figcaption>&lt;here&gt; <cite>Li &amp; Wang</cite></figcaption></figure>"
        );
        let mut markdown = String::new();
        image_markdown(&place(None, false), &picture(), &mut markdown);
        assert_eq!(
            markdown,
            "![a \"quoted\" \\<alt\\>](https://a.example/w640.webp?a=1&b=2 \"own\")"
        );
    }

    #[test]
    fn an_inline_place_is_the_image_alone() {
        let mut html = String::new();
        figure_html(
            &place(None, true),
            &Picture {
                srcset: "",
                ..picture()
            },
            &mut html,
        );
        assert!(
            html.starts_with("<img src=") && html.ends_with("decoding=\"async\">"),
            "{html}"
        );
        assert!(!html.contains("srcset") && !html.contains("figure"));
    }
}
