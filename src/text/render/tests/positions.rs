//! Pictures in every position.

use super::{check, html_source, markdown_source};
use crate::text::render::SourceFormat::{Html, Markdown};
use crate::text::render::{Place, fill, image_block};
use serde_json::{Value, json};

/// The blocks, each uploaded image in short.
fn blocks(stored: &str) -> Value {
    let filled = fill(stored, |place, out| {
        image_block(
            place,
            serde_json::value::to_raw_value(&place.id).unwrap(),
            None,
            None,
            out,
        );
    });
    serde_json::from_str(&filled).unwrap()
}

#[test]
fn an_image_alone_is_a_figure() {
    let rendered = check("![正面](image:42 \"图一\")", Markdown);
    assert_eq!(rendered.images, [42]);
    assert_eq!(rendered.text, "图一");
    assert_eq!(
        rendered.html,
        "\u{1}{\"id\":42,\"alt\":\"正面\",\"caption\":\"图一\",\"inline\":false}\u{2}"
    );
    assert_eq!(rendered.html, rendered.markdown);
    assert_eq!(markdown_source(&rendered.markdown), "![正面](image:42 \"图一\")");
    assert_eq!(
        blocks(&rendered.blocks),
        json!([{"type": "image", "image": 42, "alt": "正面", "caption": "图一"}])
    );
}

#[test]
fn an_image_in_a_paragraph_parts_it() {
    let rendered = check("before ![a](image:1) **after**", Markdown);
    assert_eq!(
        html_source(&rendered.html),
        "<p>before</p><figure><img src=\"image:1\" alt=\"a\" title=\"\"></figure><p><strong>after</strong></p>"
    );
    assert_eq!(rendered.text, "before\n\na\n\nafter");
    let linked = check("[![a](image:1)](https://a.example/)", Markdown);
    assert_eq!(
        html_source(&linked.html),
        "<figure><img src=\"image:1\" alt=\"a\" title=\"\"></figure>"
    );
}

#[test]
fn images_in_lists_quotes_headings_and_code_are_blocks() {
    let rendered = check(
        "- a ![](image:3)\n\n> ![](image:2) b\n\n# c ![](image:1) d\n\n![](image:2)",
        Markdown,
    );
    assert_eq!(rendered.images, [1, 2, 3]);
    let figure = |id: i64| format!("<figure><img src=\"image:{id}\" alt=\"\" title=\"\"></figure>");
    assert_eq!(
        html_source(&rendered.html),
        format!(
            "<ul><li>a{}</li></ul><blockquote>{}<p>b</p></blockquote><h1>c d</h1>{}{}",
            figure(3),
            figure(2),
            figure(1),
            figure(2)
        )
    );
    let code = check("<pre>a <img src=image:4> b</pre>", Html);
    assert_eq!(
        html_source(&code.html),
        format!("<pre><code>a  b\n</code></pre>{}", figure(4))
    );
}

#[test]
fn an_image_in_a_cell_stays_in_its_line() {
    let rendered = check(
        "| a | b |\n|---|---|\n| x ![i\\|j](image:7) y | ![](https://a.example/k.png) |",
        Markdown,
    );
    assert_eq!(
        html_source(&rendered.html),
        "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>x <img src=\"image:7\" alt=\"i|j\" title=\"\"> y</td>\
         <td><img src=\"https://a.example/k.png\" alt=\"\" loading=\"lazy\" decoding=\"async\" referrerpolicy=\"no-referrer\"></td></tr>\
         </tbody></table>"
    );
    assert_eq!(rendered.text, "a\tb\nx i|j y");
    let seen = blocks(&rendered.blocks);
    assert_eq!(seen[0]["rows"], json!([[[{"text": "x  y"}], []]]));
    assert_eq!(seen[1], json!({"type": "image", "image": 7, "alt": "i|j"}));
    assert_eq!(seen[2], json!({"type": "image", "url": "https://a.example/k.png"}));
}

#[test]
fn a_figure_gives_its_caption_to_its_image() {
    let rendered = check(
        "<figure><a href=x><img src=\"image:5\" alt=a title=t></a><figcaption>图 <b>一</b>\n说明</figcaption></figure>",
        Html,
    );
    assert_eq!(
        blocks(&rendered.blocks),
        json!([{"type": "image", "image": 5, "alt": "a", "caption": "图 一 说明"}])
    );
    let several = check(
        "<figure><img src=image:1><img src=image:2><figcaption>b</figcaption></figure>",
        Html,
    );
    assert_eq!(
        blocks(&several.blocks),
        json!([{"type": "image", "image": 1}, {"type": "image", "image": 2}, {"type": "paragraph", "runs": [{"text": "b"}]}])
    );
    let gallery = check(
        "<figure><figure><img src=image:1><figcaption>a</figcaption></figure><figcaption>b</figcaption></figure>",
        Html,
    );
    assert_eq!(blocks(&gallery.blocks)[0]["image"], 1);
    let table = check(
        "<figure><table><tr><td>a</table><figcaption>b</figcaption></figure>",
        Html,
    );
    assert_eq!(table.text, "a\n\nb");
}

#[test]
fn a_picture_from_elsewhere_is_kept_over_https_and_a_link_over_http() {
    let rendered = check("![a](https://a.example/b.png \"c\")", Markdown);
    assert_eq!(
        rendered.html,
        "<figure><img src=\"https://a.example/b.png\" alt=\"a\" loading=\"lazy\" decoding=\"async\" referrerpolicy=\"no-referrer\">\
         <figcaption>c</figcaption></figure>"
    );
    assert_eq!(rendered.markdown, "![a](https://a.example/b.png \"c\")");
    assert_eq!(
        blocks(&rendered.blocks),
        json!([{"type": "image", "url": "https://a.example/b.png", "alt": "a", "caption": "c"}])
    );
    assert!(rendered.images.is_empty());

    let link = check("x ![a](http://a.example/b.png) y", Markdown);
    assert_eq!(
        blocks(&link.blocks)[0]["runs"],
        json!([{"text": "x "}, {"text": "a", "link": "http://a.example/b.png"}, {"text": " y"}])
    );
    assert_eq!(
        check("x ![a](data:image/png;base64,AA) ![b](c.png) y", Markdown).html,
        "<p>x y</p>"
    );
    assert_eq!(
        check("<img src=\"data:image/gif;base64,R0\" data-src=\"image:9\">", Html).images,
        [9]
    );
}

#[test]
fn an_id_out_of_bounds_is_no_image() {
    for id in ["0", "-1", "9007199254740992", "1.5", "x", ""] {
        let rendered = check(&format!("a ![b](image:{id}) c"), Markdown);
        assert_eq!(
            (rendered.html.as_str(), rendered.images.len()),
            ("<p>a c</p>", 0),
            "{id}"
        );
    }
    assert_eq!(
        check("![](image:9007199254740991)", Markdown).images,
        [9_007_199_254_740_991]
    );
}

#[test]
fn the_block_of_an_image_takes_the_words_of_the_place_first() {
    let place = Place {
        id: 1,
        alt: Some("here".into()),
        caption: None,
        inline: false,
    };
    let mut out = String::new();
    image_block(
        &place,
        serde_json::value::to_raw_value(&json!({"id": 1})).unwrap(),
        Some("own"),
        Some("caption"),
        &mut out,
    );
    assert_eq!(
        out,
        "{\"type\":\"image\",\"image\":{\"id\":1},\"alt\":\"here\",\"caption\":\"caption\"}"
    );
}
