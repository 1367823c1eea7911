//! The largest sources that are taken, nested and repeated to do harm: no overflow of the stack that a worker thread has, no
//! time or memory beyond what their length asks for.

use super::FORMATS;
use crate::text::render::{SourceFormat, fill, render};
use std::time::{Duration, Instant};

/// The largest source; a quarter of it in builds for tests, which are several times slower than the one that is shipped.
const LARGEST: usize = if cfg!(debug_assertions) { 1 << 18 } else { 1 << 20 };

/// How long one may take, however busy the machine is. What grows with the square of the length takes far longer.
const LIMIT: Duration = Duration::from_secs(120);

fn survives(source: &str, format: SourceFormat, name: &str) {
    let begin = Instant::now();
    let rendered = render(source, format);
    let took = begin.elapsed();
    assert!(took < LIMIT, "{name:?} as {format:?} took {took:?}");
    for form in [&rendered.html, &rendered.markdown, &rendered.text, &rendered.blocks] {
        assert!(
            form.len() <= 32 * source.len(),
            "{name:?} as {format:?} grew to {} bytes",
            form.len()
        );
    }
    let blocks = fill(&rendered.blocks, |_, out| out.push_str("{}"));
    serde_json::from_str::<serde_json::Value>(&blocks).unwrap_or_else(|error| panic!("{name:?}: {error}"));
}

fn repeated(fragments: &[&str], formats: &[SourceFormat]) {
    std::thread::scope(|scope| {
        // Two megabytes is what a thread gets where nothing is said.
        let worker = std::thread::Builder::new().stack_size(2 << 20).spawn_scoped(scope, || {
            for fragment in fragments {
                for &format in formats {
                    survives(&fragment.repeat(LARGEST / fragment.len()), format, fragment);
                }
            }
        });
        worker.unwrap().join().unwrap();
    });
}

#[test]
fn nesting_without_end_is_flattened() {
    repeated(
        &[
            ">",
            "> - ",
            "[",
            "![",
            "*a ",
            "**a *b ",
            "- ",
            "1. ",
            "~~a",
            "<div>",
            "<b>",
            "<p>",
            "<a href=/a>",
        ],
        &[SourceFormat::Markdown, SourceFormat::Html],
    );
    repeated(
        &[
            "<ul><li>",
            "<ol>",
            "<li>",
            "<blockquote>",
            "<table>",
            "<table><tr><td>",
            "<td>",
            "<figure>",
            "<figcaption>",
            "<pre>",
            "<code>",
            "<h1>",
            "<svg>",
            "<template>",
            "<select>",
            "<video>",
            "<ruby><rt>",
            "<head>",
        ],
        &[SourceFormat::Html],
    );
}

#[test]
fn repetition_without_end_takes_time_by_length_alone() {
    repeated(
        &[
            "\u{1}", "\u{0}", "a", "续航\n", "\n", " ", "a\n\n", "<", "&", "\u{3000}", "\u{200b}",
        ],
        &FORMATS,
    );
    repeated(
        &[
            "`a",
            "``` ",
            "[a](",
            "[^1]",
            "| a |\n|-|\n",
            "\\",
            "www.",
            "a@b.c ",
            "a@",
            "](",
            "\n\t- ",
            "[[[a]]] ",
            "<!--a\n\n",
            "_a",
            "&copy;",
            "1",
            "#",
            "![",
        ],
        &[SourceFormat::Markdown],
    );
    repeated(
        &[
            "<br>",
            "<img src=image:1>",
            "<hr>",
            "</b>",
            "<b x=1>a<p>",
            "<p>x<b><i><u>",
            "<td colspan=1000>",
            "<tr><td rowspan=9999 colspan=99>",
            "<tr><td>a",
            "<script>",
            "<!--",
            "<![CDATA[",
            "</",
            "<a b='",
            "&nbsp;",
            "<iframe src=//a.b/>",
            "<li>a</li>",
            "<s>a</s> ",
            "<figure><img src=image:1><figcaption>a",
        ],
        &[SourceFormat::Html],
    );
}

#[test]
fn a_tag_with_all_the_attributes_that_fit_is_read_in_time() {
    let mut source = String::from("<img");
    for number in 0..LARGEST / 10 {
        source.push_str(&format!(" a{number}=b"));
    }
    source.push_str(" src=image:1>");
    survives(&source, SourceFormat::Html, "attributes");
    assert_eq!(render(&source, SourceFormat::Html).images, [1]);
}

#[test]
fn formatting_left_open_does_not_multiply() {
    let marks: String = (0..2_000)
        .map(|number| format!("<b class=x{number}><font size={number}>"))
        .collect();
    survives(
        &format!("<p>{marks}{}", "<p>a".repeat(200_000)),
        SourceFormat::Html,
        "formatting",
    );
}

#[test]
fn a_wide_table_with_short_rows_is_not_filled_up_without_bound() {
    let wide = format!(
        "<table><tr>{}{}</table>",
        "<td rowspan=60000>a".repeat(20_000),
        "<tr><td>b".repeat(60_000)
    );
    survives(&wide, SourceFormat::Html, "wide table");
    let markdown = format!(
        "{}|\n{}|\n{}",
        "|a".repeat(5_000),
        "|-".repeat(5_000),
        "|b\n".repeat(100_000)
    );
    survives(&markdown, SourceFormat::Markdown, "wide table");
}

#[test]
fn references_do_not_multiply() {
    let long = format!(
        "[a]: https://a.example/{}\n\n{}",
        "x".repeat(LARGEST / 2),
        "[a]".repeat(LARGEST / 6)
    );
    survives(&long, SourceFormat::Markdown, "references");
    let notes = format!("[^a]: x\n\n{}", "[^a]".repeat(LARGEST / 6));
    survives(&notes, SourceFormat::Markdown, "footnotes");
}

#[test]
fn a_link_left_open_does_not_multiply() {
    let link = format!("<a href=\"https://a.example/{}\">", "x".repeat(LARGEST / 2));
    for text in ["<p>a", "<b>a</b>b", "a<td>", "<li>a"] {
        survives(
            &format!("{link}{}", text.repeat(LARGEST / 2 / text.len())),
            SourceFormat::Html,
            text,
        );
    }
    let rendered = render("<a href=/a><p>b</p><p>c</p></a>", SourceFormat::Html);
    assert_eq!(rendered.html.matches("href=\"/a\"").count(), 2);
}

#[test]
fn lines_in_many_containers_do_not_multiply() {
    for open in ["<blockquote>", "<ol start=999999999><li>", "<blockquote><ul><li>"] {
        for lines in ["<pre>", "<p>"] {
            for line in [
                "\n",
                "a\n",
                "a<br>",
                "<p>a",
                "<hr>",
                "<img src=image:1>",
                "<table><tr><td>a<tr><td>b</table>",
            ] {
                let head = format!("{}{lines}", open.repeat(40));
                let source = format!("{head}{}", line.repeat((LARGEST - head.len()) / line.len()));
                survives(&source, SourceFormat::Html, &format!("{open}{lines}{line}"));
            }
        }
    }
    let flat = format!("{}{}<p>end", "<blockquote>".repeat(20), "<p>a".repeat(100_000));
    let rendered = render(&flat, SourceFormat::Html);
    assert!(rendered.html.starts_with("<blockquote><blockquote>"));
    assert!(rendered.html.contains("</blockquote><p>a</p>") && rendered.html.ends_with("<p>a</p><p>end</p>"));
}

#[test]
fn what_nests_too_deep_keeps_its_words_and_what_follows() {
    let deep = format!(
        "{}inside{}<p>after</p>",
        "<blockquote><ul><li>".repeat(200),
        "</li></ul></blockquote>".repeat(200)
    );
    let rendered = render(&deep, SourceFormat::Html);
    assert_eq!(rendered.text, "inside\n\nafter");
    assert!(
        rendered.html.ends_with("</blockquote><p>after</p>"),
        "{}",
        rendered.html
    );
    assert_eq!(
        rendered.html.matches("<blockquote>").count() + rendered.html.matches("<ul>").count(),
        super::super::build::MAX_DEPTH
    );
}
