//! Random sources of fragments that are hard to read; the seeds are fixed, so each run is the same.

use super::{FORMATS, check};
use crate::text::render::{SourceFormat, render};

/// `SplitMix64`, from Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

const WORDS: &[&str] = &[
    "a",
    "b",
    "续航",
    "真的。",
    "“好”",
    "（一）",
    "1",
    "12. ",
    "x_y",
    "C++",
    "www.a.example",
    "https://a.example/b_c(d)",
    "a@b.example",
    "AT&T",
    "&copy;",
    "\u{a0}",
    "\u{3000}",
    "\u{200b}",
    "é",
    "🇨🇳",
    "한국",
    "'",
    "\"",
    "$x$",
    "100%",
];
const MARKS: &[&str] = &[
    "*",
    "**",
    "***",
    "_",
    "__",
    "~~",
    "~",
    "`",
    "``",
    "```",
    "[",
    "]",
    "(",
    ")",
    "![",
    "](",
    "<",
    ">",
    "&",
    "&#1;",
    "&#2;",
    "\\",
    "|",
    "#",
    "## ",
    "> ",
    "- ",
    "+ ",
    "* ",
    "1. ",
    "3) ",
    "---",
    "===",
    ":",
    "://",
    "!",
    "^",
    "[^1]",
    "[^1]: ",
    "[x] ",
    "[ ] ",
    "\t",
    "    ",
    "=",
    "@",
    "|---|---|",
    "| a | b |",
    "| --- |",
    "\u{1}",
    "\u{2}",
    "\r",
    "\u{0}",
    "\u{feff}",
    "\u{2028}",
    "<!-- -->",
    "<!--",
];
const BREAKS: &[&str] = &["\n", "\n\n", "  \n", "\\\n", "\n    ", "\n> ", "\n- ", "\n  ", " "];
const TAGS: &[&str] = &[
    "p",
    "div",
    "b",
    "strong",
    "i",
    "em",
    "s",
    "u",
    "mark",
    "sub",
    "sup",
    "code",
    "kbd",
    "a",
    "ul",
    "ol",
    "li",
    "blockquote",
    "pre",
    "table",
    "thead",
    "tbody",
    "tr",
    "td",
    "th",
    "caption",
    "figure",
    "figcaption",
    "h1",
    "h2",
    "h6",
    "hr",
    "br",
    "img",
    "iframe",
    "video",
    "source",
    "script",
    "style",
    "svg",
    "math",
    "title",
    "textarea",
    "head",
    "body",
    "ruby",
    "rt",
    "rp",
    "input",
    "details",
    "noscript",
    "template",
];
const ATTRIBUTES: &[&str] = &[
    "href=\"https://a.example/?b=1&c=2\"",
    "href='/a_b*c*'",
    "href=javascript:alert(1)",
    "src=\"image:42\"",
    "src=\"image:7\" alt=\"a|b*c*\"",
    "src=image:1 title=\"图 \\ 一\"",
    "src=\"https://a.example/b.png\"",
    "src=http://a.example/b.png",
    "src=\"//player.bilibili.com/player.html?bvid=B\"",
    "onclick=alert(1)",
    "style=\"x\"",
    "id=a",
    "class=\"language-rust\"",
    "rowspan=3",
    "colspan=2",
    "start=5",
    "type=checkbox checked",
    "alt='\"'",
    "title=\"<b>\"",
    "srcset=x",
    "\"",
    "'",
    "=",
    "/",
];
const PIECES: &[&str] = &[
    "![a](image:42 \"b\")",
    "![](image:7)",
    "![a*b*](https://a.example/c.png)",
    "![a](http://a.example/c.png)",
    "[a](https://a.example/ \"b\")",
    "[![a](image:1)](/b)",
    "`a|b`",
    "`` ` ``",
    "**续航。**",
    "**a *b* c**",
    "<https://a.example/>",
    "| a | b |\n|---|---|\n| c | d |\n",
    "```rust\na\n\n  b\n```\n",
    "    code\n",
    "> a\n> b\n",
    "- a\n  - b\n    1. c\n",
    "1. a\n\n   b\n",
    "# a\n",
    "***\n",
    "<b>a",
    "a<br>b",
    "<br><br>",
];

fn source(random: &mut Random) -> String {
    let mut source = String::new();
    for _ in 0..1 + random.below(14) {
        match random.below(12) {
            0..=2 => source.push_str(random.pick(WORDS)),
            3 | 4 => source.push_str(random.pick(MARKS)),
            5 => source.push_str(random.pick(BREAKS)),
            6 => source.push_str(random.pick(PIECES)),
            7 => source.push_str(&format!("</{}>", random.pick(TAGS))),
            8 => source.push(char::from_u32(random.below(0x11_0000) as u32).unwrap_or(' ')),
            _ => {
                source.push_str(&format!("<{}", random.pick(TAGS)));
                for _ in 0..random.below(3) {
                    source.push(' ');
                    source.push_str(random.pick(ATTRIBUTES));
                }
                source.push('>');
            }
        }
    }
    source
}

#[test]
fn any_source_keeps_the_rules() {
    let mut random = Random(1);
    for _ in 0..super::ROUNDS {
        let source = source(&mut random);
        for format in FORMATS {
            check(&source, format);
        }
    }
}

#[test]
fn any_text_keeps_its_letters() {
    let mut random = Random(2);
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    for _ in 0..super::ROUNDS {
        let source = source(&mut random);
        assert_eq!(
            letters(&render(&source, SourceFormat::Text).text),
            letters(&source),
            "{source:?}"
        );
    }
}

#[test]
fn any_emphasis_is_read_again_as_it_was() {
    const MARKED: &[&str] = &["b", "i", "s", "u", "code", "sup", "a href=/a", "a href=/b"];
    const TEXT: &[&str] = &[
        "a", "续", "。", "(", ")", "“", "!", "*", "_", "~", "`", "&", " ", "\u{a0}", "\u{3000}", "<br>", "1.", "|",
        "\\", "é", "☑", "[", "#",
    ];
    let mut random = Random(3);
    for _ in 0..super::ROUNDS {
        let mut source = String::new();
        for _ in 0..1 + random.below(12) {
            match random.below(4) {
                0 | 1 => source.push_str(random.pick(TEXT)),
                2 => source.push_str(&format!("<{}>", random.pick(MARKED))),
                _ => source.push_str(&format!("</{}>", random.pick(MARKED).split(' ').next().unwrap())),
            }
        }
        for source in [
            source.clone(),
            format!("<table><tr><td>{source}<td>{source}</table>"),
            format!("<h2>{source}</h2>"),
        ] {
            check(&source, SourceFormat::Html);
        }
    }
}
