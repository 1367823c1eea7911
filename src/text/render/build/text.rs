//! Text and what stands in or between its lines.

use super::{Builder, Code};
use crate::text::render::embed::Framed;
use crate::text::render::line::is_forbidden;
use crate::text::render::tree::{Image, Node, Style};
use std::rc::Rc;

impl Builder {
    pub(in super::super) fn text(&mut self, text: &str) {
        if let Some(code) = &mut self.code {
            code.code.extend(
                text.chars()
                    .filter(|&c| !is_forbidden(c))
                    .map(|c| if c == '\u{a0}' { ' ' } else { c }),
            );
            return;
        }
        if text.contains(is_forbidden) {
            let clean: String = text.chars().filter(|&c| !is_forbidden(c)).collect();
            self.clean_text(&clean);
        } else {
            self.clean_text(text);
        }
    }

    fn clean_text(&mut self, text: &str) {
        if self.code_in_cell == 0 {
            return self.line.text(text, self.style, self.marks.link.as_ref(), self.han);
        }
        for (at, part) in text.split('\n').enumerate() {
            if at > 0 {
                self.line.part();
            }
            self.line.text(part, self.style, self.marks.link.as_ref(), self.han);
        }
    }

    pub(in super::super) fn line_break(&mut self) {
        match &mut self.code {
            Some(code) => code.code.push('\n'),
            None => self.line.line_break(self.style, self.marks.link.as_ref()),
        }
    }

    /// The begin or end of something that stands on lines of its own.
    pub(in super::super) fn boundary(&mut self) {
        if let Some(code) = &mut self.code {
            if !code.code.is_empty() && !code.code.ends_with('\n') {
                code.code.push('\n');
            }
        } else if self.in_cell() {
            self.line.part();
        } else {
            self.flush();
        }
    }

    pub(in super::super) fn mark(&mut self, mark: Style, open: bool) {
        for (count, each) in self.marks.open.iter_mut().zip(Style::NESTING) {
            if each == mark {
                *count = if open { *count + 1 } else { count.saturating_sub(1) };
                self.style = if *count > 0 {
                    self.style.with(mark)
                } else {
                    self.style.without(mark)
                };
            }
        }
    }

    pub(in super::super) fn link(&mut self, address: Option<String>) {
        self.marks.link = address.map(Rc::from);
    }

    pub(in super::super) fn heading(&mut self, level: Option<u8>) {
        self.boundary();
        if self.code.is_none() && !self.in_cell() {
            self.heading = level;
        }
    }

    pub(in super::super) fn divider(&mut self) {
        self.boundary();
        if self.code.is_none() && !self.in_cell() {
            self.put(Node::Divider);
        }
    }

    /// A picture: a block of its own between the text before and the text after it, but in a cell a part of the line.
    pub(in super::super) fn image(&mut self, image: Image) {
        if self.code.is_some() || (self.heading.is_some() && !self.in_cell()) {
            self.after.push(Node::Image(image));
        } else if self.in_cell() {
            self.line.image(image);
        } else {
            self.flush();
            self.put(Node::Image(image));
        }
    }

    pub(in super::super) fn embed(&mut self, framed: Framed) {
        if self.in_cell() {
            return self.linked(&framed.url.clone(), framed.url);
        }
        let embed = Node::Embed {
            url: framed.url,
            provider: framed.provider,
        };
        if self.code.is_some() {
            self.after.push(embed);
        } else {
            self.flush();
            self.put(embed);
        }
    }

    /// Text that leads somewhere, in the place of something that cannot be shown.
    pub(in super::super) fn linked(&mut self, text: &str, address: String) {
        let outer = self.marks.link.replace(Rc::from(address));
        self.text(text);
        self.marks.link = outer;
    }

    pub(in super::super) fn open_code(&mut self, language: Option<String>) {
        self.boundary();
        if self.in_cell() {
            self.code_in_cell += 1;
            self.mark(Style::CODE, true);
        } else if self.code.is_none() {
            self.code = Some(Code {
                language,
                code: String::new(),
            });
        }
    }

    /// `<code class="language-…">`: in a block of code it tells the language, elsewhere it is a mark.
    pub(in super::super) fn code_mark(&mut self, open: bool, language: Option<String>) {
        match &mut self.code {
            Some(code) => code.language = code.language.take().or(language),
            None => self.mark(Style::CODE, open),
        }
    }

    pub(in super::super) fn close_code(&mut self) {
        if self.code_in_cell > 0 {
            self.code_in_cell -= 1;
            self.mark(Style::CODE, false);
        }
        if let Some(Code { language, mut code }) = self.code.take() {
            if code.ends_with('\n') {
                code.pop();
            }
            if !code.trim().is_empty() {
                self.put(Node::Code { language, code });
            }
            self.add_after();
        }
        self.boundary();
    }
}
