//! A file as an article that can be written: its fields settled, its pictures known.

use std::collections::HashMap;

use chrono_tz::Tz;

use super::pictures::{self, Reference};
use super::post::{Post, Remarks, is_known, read_post};
use super::{body, front};

/// What a file says, before its pictures are uploaded.
pub struct Article {
    /// Its fields.
    pub post: Post,
    /// What was found beside them.
    pub remarks: Remarks,
    source: String,
    references: Vec<Reference>,
}

/// An article that can be written.
#[derive(Clone, Debug)]
pub struct Ready {
    /// Its fields.
    pub post: Post,
    /// Its title.
    pub title: String,
    /// Its Markdown, with its pictures as `image:ID`.
    pub source: String,
    /// The image that is its cover.
    pub cover: Option<i64>,
}

impl Article {
    /// Reads a file. The title is that of the front matter, else the first heading, which then leaves the body, else
    /// `name`, the file's.
    ///
    /// # Errors
    /// Front matter that cannot be read; the text says why.
    pub fn read(text: &str, name: &str, zone: Tz) -> Result<Self, String> {
        let (fields, text) = front::split(text, is_known)?;
        let (mut post, mut remarks) = read_post(fields, zone)?;
        let body = body::prepare(text, post.title.is_none());
        remarks.notes.extend(body.notes);
        post.title = post.title.or(body.title).or_else(|| Some(name.to_owned()));
        let mut source = String::new();
        for photo in post.photos.iter().filter(|photo| !photo.contains(['<', '>', '\\'])) {
            source.push_str(&format!("![](<{photo}>)\n\n"));
        }
        source.push_str(&body.source);
        let references = pictures::references(&source);
        Ok(Self {
            post,
            remarks,
            source,
            references,
        })
    }

    /// Where its pictures are: the cover, and what its body shows.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        let shown = self.references.iter().map(|reference| reference.address.as_str());
        self.post.cover.as_deref().into_iter().chain(shown)
    }

    /// The article with these images in the place of the addresses.
    pub fn with_images(self, images: &HashMap<String, i64>) -> Ready {
        let numbered: Vec<_> = self
            .references
            .into_iter()
            .map(|reference| {
                let id = images.get(&reference.address).copied();
                (reference, id)
            })
            .collect();
        Ready {
            title: self.post.title.clone().unwrap_or_default(),
            source: pictures::replace(&self.source, &numbered),
            cover: self
                .post
                .cover
                .as_ref()
                .and_then(|address| images.get(address).copied()),
            post: self.post,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_comes_from_the_first_place_that_has_one() {
        let title = |text| {
            Article::read(text, "file", chrono_tz::UTC)
                .unwrap()
                .with_images(&HashMap::new())
                .title
        };
        assert_eq!(title("---\ntitle: 甲\n---\n# 乙"), "甲");
        assert_eq!(title("---\ndate: 2026-01-13\n---\n# 乙"), "乙");
        assert_eq!(title("正文"), "file");
    }

    #[test]
    fn pictures_stand_in_the_body_and_as_cover() {
        let text = "---\ntitle: 甲\ncover: a.jpg\nphotos: [b 1.jpg, https://example.org/c.jpg]\n---\n![图](a.jpg)\n";
        let article = Article::read(text, "file", chrono_tz::UTC).unwrap();
        assert_eq!(
            article.addresses().collect::<Vec<_>>(),
            ["a.jpg", "b 1.jpg", "https://example.org/c.jpg", "a.jpg"]
        );
        let ready = article.with_images(&HashMap::from([("a.jpg".to_owned(), 7), ("b 1.jpg".to_owned(), 8)]));
        assert_eq!(
            ready.source,
            "![](image:8)\n\n![](<https://example.org/c.jpg>)\n\n![图](image:7)"
        );
        assert_eq!(ready.cover, Some(7));
    }
}
