//! The allow-list once more, in a sanitiser by other hands that reads HTML as browsers do.

use ammonia::Builder;
use std::collections::HashMap;
use std::sync::LazyLock;

static ALLOWED: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut allowed = Builder::default();
    allowed
        .tags(
            [
                "p",
                "h1",
                "h2",
                "h3",
                "h4",
                "h5",
                "h6",
                "figure",
                "figcaption",
                "img",
                "ul",
                "ol",
                "li",
                "blockquote",
                "pre",
                "code",
                "table",
                "thead",
                "tbody",
                "tr",
                "th",
                "td",
                "hr",
                "br",
                "a",
                "strong",
                "em",
                "s",
                "u",
                "mark",
                "sub",
                "sup",
            ]
            .into(),
        )
        .tag_attributes(HashMap::from([
            ("a", ["href"].into()),
            ("img", ["src", "alt", "loading", "decoding", "referrerpolicy"].into()),
            ("ol", ["start"].into()),
            ("code", ["class"].into()),
        ]))
        .generic_attributes(Default::default())
        .url_schemes(["http", "https", "mailto", "tel"].into())
        .link_rel(Some("noopener noreferrer nofollow"))
        .attribute_filter(|tag, attribute, value| match (tag, attribute) {
            ("img", "src") if !value.starts_with("https://") => None,
            ("code", "class") if !value.starts_with("language-") => None,
            _ => Some(value.into()),
        });
    allowed
});

/// HTML with all taken out that the allow-list does not name.
pub(super) fn clean(html: &str) -> String {
    ALLOWED.clean(html).to_string()
}

#[test]
fn the_sanitiser_takes_out_what_is_not_allowed() {
    assert_eq!(
        clean("<p onclick=x>a<script>b</script><img src=\"http://a/b\"></p><svg>c</svg>"),
        "<p>a<img></p>c"
    );
}
