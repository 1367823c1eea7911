//! Each kind of block in its four forms.

use super::check;
use crate::text::render::SourceFormat::{self, Html, Markdown, Text};
use serde_json::{Value, json};

fn html(source: &str, format: SourceFormat) -> String {
    check(source, format).html
}

fn blocks(source: &str, format: SourceFormat) -> Value {
    serde_json::from_str(&check(source, format).blocks).unwrap()
}

#[test]
fn emphasis_beside_chinese_marks_is_read() {
    assert_eq!(
        html("**续航。**真的，*“好”*吗", Markdown),
        "<p><strong>续航。</strong>真的，<em>“好”</em>吗</p>"
    );
    assert_eq!(
        blocks("**续航。**真的", Markdown),
        json!([{"type": "paragraph", "runs": [{"text": "续航。", "bold": true}, {"text": "真的"}]}])
    );
}

#[test]
fn a_line_end_of_markdown_is_a_space_but_not_between_han() {
    assert_eq!(
        html("续航\n真的\nvery\ngood。\n**好**\n吗", Markdown),
        "<p>续航真的 very good。<strong>好</strong>吗</p>"
    );
    assert_eq!(html("续航  \n真的\\\n好", Markdown), "<p>续航<br>真的<br>好</p>");
}

#[test]
fn text_is_what_it_looks_like() {
    let rendered = check("\u{3000}\u{3000}*一* <b>&amp;\n  [x](y)\n\n\n# 二\r\n- 三\r\r四", Text);
    assert_eq!(
        rendered.html,
        "<p>*一* &lt;b&gt;&amp;amp;<br>[x](y)</p><p># 二<br>- 三</p><p>四</p>"
    );
    assert_eq!(rendered.text, "*一* <b>&amp;\n[x](y)\n\n# 二\n- 三\n\n四");
    assert_eq!(
        rendered.markdown,
        "\\*一\\* \\<b\\>&amp;amp;\\\n\\[x\\](y)\n\n\\# 二\\\n\\- 三\n\n四"
    );
}

#[test]
fn marks_overlap_as_their_author_meant() {
    assert_eq!(
        html("<b>a<i>b</b>c</i>", Html),
        "<p><strong>a<em>b</em></strong><em>c</em></p>"
    );
    assert_eq!(
        html("<b><p>a</p><p>b</p></b>", Html),
        "<p><strong>a</strong></p><p><strong>b</strong></p>"
    );
    assert_eq!(
        html(
            "H<sub>2</sub>O <u>u</u> <mark>m</mark> <kbd>k</kbd> x<sup>2</sup>",
            Html
        ),
        "<p>H<sub>2</sub>O <u>u</u> <mark>m</mark> <code>k</code> x<sup>2</sup></p>"
    );
    assert_eq!(
        blocks("H<sub>2</sub>O", Html),
        json!([{"type": "paragraph", "runs": [{"text": "H2O"}]}])
    );
}

#[test]
fn markdown_is_written_so_that_every_renderer_reads_it() {
    for (source, markdown) in [
        ("a<b>b</b>c", "a**b**c"),
        ("<b>a</b> <i>b</i> <s>c</s> <b><i>d</i></b>", "**a** *b* ~~c~~ ***d***"),
        ("<b>续航。</b>真的", "<strong>续航。</strong>真的"),
        ("<b>a</b><i>b</i>", "**a**<em>b</em>"),
        (
            "<a href=/a(b)>[c]</a>!<a href=/d>e</a>",
            "[\\[c\\]](/a\\(b\\))\\![e](/d)",
        ),
        (
            "1. a<br>- b<br># c<br>&gt; d<br>+ e<br>===",
            "1\\. a\\\n\\- b\\\n\\# c\\\n\\> d\\\n\\+ e\\\n\\===",
        ),
        (
            "https://a.example www.a.example a@b.example",
            "https\\://a.example www\\.a.example a<!-- -->@b.example",
        ),
        (
            "<a href=https://a.example/b>https://a.example/b</a>",
            "<https://a.example/b>",
        ),
        (
            "snake_case _a_ 3*4*5 `c` &amp;copy; &amp; AT&amp;T ~d~",
            "snake_case \\_a\\_ 3\\*4\\*5 \\`c\\` &amp;copy; & AT&T \\~d\\~",
        ),
        ("<code>a`b</code> <code>`</code>", "``a`b`` `` ` ``"),
        ("<h2>a #</h2><hr>", "## a \\#\n\n___"),
    ] {
        assert_eq!(check(source, Html).markdown, markdown, "{source}");
    }
}

#[test]
fn headings_keep_their_level() {
    assert_eq!(
        html("# a\n\nb\n=\n\n###### c", Markdown),
        "<h1>a</h1><h1>b</h1><h6>c</h6>"
    );
    assert_eq!(
        blocks("<h3>a<br>b</h3>", Html),
        json!([{"type": "heading", "level": 3, "runs": [{"text": "a\nb"}]}])
    );
}

#[test]
fn lists_nest_and_count() {
    let rendered = check("3. a\n4. b\n   - c\n\n     d\n\n- e\n\n* f", Markdown);
    assert_eq!(
        rendered.html,
        "<ol start=\"3\"><li>a</li><li>b<ul><li><p>c</p><p>d</p></li></ul></li></ol><ul><li>e</li></ul><ul><li>f</li></ul>"
    );
    assert_eq!(rendered.markdown, "3. a\n4. b\n   - c\n\n     d\n\n- e\n\n* f");
    assert_eq!(rendered.text, "a\nb\nc\nd\n\ne\n\nf");
    assert_eq!(
        blocks("- a\n  1. b", Markdown),
        json!([{"type": "list", "ordered": false, "items": [[
            {"type": "paragraph", "runs": [{"text": "a"}]},
            {"type": "list", "ordered": true, "items": [[{"type": "paragraph", "runs": [{"text": "b"}]}]]}
        ]]}])
    );
}

#[test]
fn tasks_are_boxes() {
    assert_eq!(check("- [x] a\n- [ ] b", Markdown).text, "☑ a\n☐ b");
    assert_eq!(html("- [x] a\n- [ ] b", Markdown), "<ul><li>☑ a</li><li>☐ b</li></ul>");
}

#[test]
fn quotes_hold_blocks() {
    let rendered = check("> # a\n>\n> b\n>> c", Markdown);
    assert_eq!(
        rendered.html,
        "<blockquote><h1>a</h1><p>b</p><blockquote><p>c</p></blockquote></blockquote>"
    );
    assert_eq!(rendered.markdown, "> # a\n>\n> b\n>\n> > c");
    assert_eq!(rendered.text, "a\n\nb\n\nc");
    assert_eq!(
        blocks("> a", Markdown),
        json!([{"type": "quote", "blocks": [{"type": "paragraph", "runs": [{"text": "a"}]}]}])
    );
}

#[test]
fn code_keeps_its_lines_and_its_language() {
    let rendered = check("```rust\nlet a = \"<b>\";\n\n  // ```\n```` x\n```\n", Markdown);
    assert_eq!(
        rendered.html,
        "<pre><code class=\"language-rust\">let a = \"&lt;b&gt;\";\n\n  // ```\n```` x\n</code></pre>"
    );
    assert_eq!(
        rendered.markdown,
        "`````rust\nlet a = \"<b>\";\n\n  // ```\n```` x\n`````"
    );
    assert_eq!(rendered.text, "let a = \"<b>\";\n\n  // ```\n```` x");
    assert_eq!(
        blocks("<pre class='lang-c++'>a<br>b</pre>", Html),
        json!([{"type": "code", "language": "c++", "code": "a\nb"}])
    );
    assert_eq!(blocks("    a\n", Markdown), json!([{"type": "code", "code": "a"}]));
}

#[test]
fn tables_have_a_header_or_none() {
    let rendered = check("| a | **b** |\n|:-:|---|\n| c\\|d | `e\\|f` |\n| g |", Markdown);
    assert_eq!(
        rendered.html,
        "<table><thead><tr><th>a</th><th><strong>b</strong></th></tr></thead><tbody><tr><td>c|d</td><td><code>e|f</code></td></tr>\
         <tr><td>g</td><td></td></tr></tbody></table>"
    );
    assert_eq!(
        rendered.markdown,
        "| a | **b** |\n| --- | --- |\n| c\\|d | `e\\|f` |\n| g |  |"
    );
    assert_eq!(rendered.text, "a\tb\nc|d\te|f\ng");
    assert_eq!(
        blocks("<table><tr><td>a<td>b</table>", Html),
        json!([{"type": "table", "rows": [[[{"text": "a"}], [{"text": "b"}]]]}])
    );
    assert_eq!(
        blocks("<table><tr><th>a<tbody><tr><td><p>b</p><ul><li>c</ul></table>", Html),
        json!([{"type": "table", "header": [[{"text": "a"}]], "rows": [[[{"text": "b\nc"}]]]}])
    );
}

#[test]
fn cells_that_span_leave_the_grid_whole() {
    assert_eq!(
        html(
            "<table><tr><td rowspan=2>a<td colspan=2>b<tr><td>c<td>d<tr><td>e</table>",
            Html
        ),
        "<table><tbody><tr><td>a</td><td>b</td><td></td></tr><tr><td></td><td>c</td><td>d</td></tr>\
         <tr><td>e</td><td></td><td></td></tr></tbody></table>"
    );
}

#[test]
fn a_frame_is_an_embed_and_a_link() {
    let rendered = check(
        "a\n\n<iframe src=\"//player.bilibili.com/player.html?bvid=BV1x\" allowfullscreen>b</iframe>\n\nc",
        Markdown,
    );
    let page = "https://www.bilibili.com/video/BV1x/";
    assert_eq!(
        rendered.html,
        format!("<p>a</p><p><a href=\"{page}\" rel=\"noopener noreferrer nofollow\">{page}</a></p><p>c</p>")
    );
    assert_eq!(rendered.markdown, format!("a\n\n<{page}>\n\nc"));
    assert_eq!(rendered.text, "a\n\nc");
    assert_eq!(
        blocks(
            "<iframe src=\"https://maps.example/a\"></iframe><video><source src=\"https://a.example/b.mp4\"><source src=\"https://a.example/b.webm\">c</video>",
            Html
        ),
        json!([{"type": "embed", "url": "https://maps.example/a"}, {"type": "embed", "url": "https://a.example/b.mp4"}])
    );
    assert_eq!(
        blocks("<iframe src=\"https://www.youtube.com/embed/abc\" />d", Html),
        json!([
            {"type": "embed", "url": "https://www.youtube.com/watch?v=abc", "provider": "youtube"},
            {"type": "paragraph", "runs": [{"text": "d"}]}
        ])
    );
}

#[test]
fn dividers_are_kept() {
    assert_eq!(blocks("a\n\n---\n\n***", Markdown)[1], json!({"type": "divider"}));
    assert_eq!(html("a<hr/>b", Html), "<p>a</p><hr><p>b</p>");
}

#[test]
fn footnotes_stand_at_the_end() {
    let rendered = check("续航[^a]\n\n[^a]: 说明", Markdown);
    assert_eq!(rendered.html, "<p>续航<sup>[1]</sup></p><ol><li>说明</li></ol>");
}

#[test]
fn what_is_empty_is_left_out_and_two_breaks_part_paragraphs() {
    assert_eq!(
        html(
            "<p></p><p>&nbsp;</p><p>a&nbsp;&nbsp;b <b> </b></p><ul><li></li></ul><blockquote></blockquote><h2> </h2>",
            Html
        ),
        "<p>a b</p>"
    );
    assert_eq!(html("一<br><br>　　二<br>三<br>", Html), "<p>一</p><p>二<br>三</p>");
    for format in super::FORMATS {
        let rendered = check(" \n\u{a0}\n", format);
        assert_eq!((rendered.html.as_str(), rendered.blocks.as_str()), ("", "[]"));
    }
}

#[test]
fn links_have_safe_schemes_alone() {
    assert_eq!(
        blocks(
            "[a](https://a.example) [b](mailto:c@d.example) [e](#f) [g](javascript:h)",
            Markdown
        )[0]["runs"],
        json!([{"text": "a", "link": "https://a.example"}, {"text": " "}, {"text": "b", "link": "mailto:c@d.example"}, {"text": " "},
            {"text": "e", "link": "#f"}, {"text": " g"}])
    );
}

#[test]
fn a_whole_page_gives_its_body_alone() {
    let page = "<!DOCTYPE html><html><head><title>t</title><style>s</style><script>x</script></head><body><p>a</p></body></html>";
    assert_eq!(check(page, Html).text, "a");
    assert_eq!(
        check("<ruby>汉<rp>(</rp><rt>hàn</rt><rp>)</rp></ruby>", Html).text,
        "汉(hàn)"
    );
}

#[test]
fn the_schema_has_every_field_of_a_block_and_refers_to_the_image() {
    use crate::text::render::{Block, Run};
    use utoipa::PartialSchema;
    let schema = serde_json::to_value(Block::schema()).unwrap();
    let fields: Vec<&str> = schema["properties"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    for field in [
        "type", "runs", "level", "ordered", "items", "blocks", "image", "url", "alt", "caption", "language", "code",
        "header", "rows", "provider",
    ] {
        assert!(fields.contains(&field), "{field}");
    }
    assert_eq!(fields.len(), 15);
    assert_eq!(schema["required"], json!(["type"]));
    assert_eq!(schema["properties"]["image"]["$ref"], "#/components/schemas/Image");
    assert_eq!(
        serde_json::to_value(Run::schema()).unwrap()["required"],
        json!(["text"])
    );
}
