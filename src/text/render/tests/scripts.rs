//! Attempts to run something in a reader's page, each in all three formats.

use super::{FORMATS, check};
use crate::text::render::{SourceFormat, render};

const ATTEMPTS: &[&str] = &[
    // Scripts, in and out of place
    "<script>alert(1)</script>",
    "<SCRIPT SRC=https://evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<script/x>alert(1)</script >",
    "<<script>alert(1);//<</script>",
    "</title><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<!--><script>alert(1)</script>-->",
    "<!-- --!><img src=x onerror=alert(1)>-->",
    "<?xml version=\"1.0\"?><script>alert(1)</script>",
    "<script>var a = \"</p><p>\"; alert(\"</script\u{a0}>\")</script>",
    "<plaintext><script>alert(1)</script>",
    "<script>alert(1)",
    // Event attributes
    "<img src=x onerror=alert(1)>",
    "<img src=\"https://a.example/x.png\" onerror=\"alert(1)\">",
    "<img src=\"image:1\" onload=alert(1) onclick='alert(1)'>",
    "<img src=\"image:1\" alt='\"><script>alert(1)</script>' title='\" onload=alert(1) x=\"'>",
    "<img/src=\"https://a.example/x.png\"/onerror=alert(1)//>",
    "<p onmouseover=alert(1)>a</p>",
    "<a href=\"/a\" onclick=\"alert(1)\" style=\"x:y\" id=b name=c class=d target=_top download>a</a>",
    "<body onload=alert(1)>a</body>",
    "<details open ontoggle=alert(1)>a</details>",
    "<video src=x onerror=alert(1)><source onerror=alert(1)></video>",
    "<input autofocus onfocus=alert(1)><select onfocus=alert(1)><option>a</select>",
    "<marquee onstart=alert(1)>a</marquee>",
    // Addresses
    "<a href=\"javascript:alert(1)\">a</a>",
    "<a href=\"JaVaScRiPt:alert(1)\">a</a>",
    "<a href=\"java&#9;script:alert(1)\">a</a>",
    "<a href=\"java&#x0a;script:alert(1)\">a</a>",
    "<a href=\"java&Tab;script&colon;alert(1)\">a</a>",
    "<a href=\"&#106;&#97;vascript&#58;alert(1)\">a</a>",
    "<a href=\"&#1;javascript:alert(1)\">a</a>",
    "<a href=\" \u{c}javascript:alert(1)\">a</a>",
    "<a href=\"\u{2028}javascript:alert(1)\">a</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=='>a</a>",
    "<a href=vbscript:msgbox(1)>a</a>",
    "<a href=\"https://a.example/&quot;onmouseover=&quot;alert(1)\">a</a>",
    "<a href=\"https://a.example/\" href=\"javascript:alert(1)\">a</a>",
    "<a href=\"https:javascript:alert(1)\">a</a>",
    "<a href=\"/\\evil.example\">a</a><a href=\"\\\\evil.example\">b</a>",
    "<a href=\"?javascript:alert(1)\">a</a>",
    "<img src=\"javascript:alert(1)\"><img src=\"data:image/svg+xml,<svg onload=alert(1)>\">",
    "<img srcset=\"javascript:alert(1) 1x, data:text/html,x 2x\" src=\"image:2\">",
    "<img src=\"image:1&#2;&#1;{}\"><img src=\"image:1\u{2}\">",
    "<base href=\"https://evil.example/\"><a href=\"/a\">a</a>",
    "<a href=\"https://a.example\" ping=\"https://evil.example\">a</a>",
    "<area href=\"javascript:alert(1)\"><map name=x></map>",
    "<blockquote cite=\"javascript:alert(1)\">a</blockquote>",
    // Frames, objects, forms
    "<iframe src=\"javascript:alert(1)\"></iframe>",
    "<iframe srcdoc=\"<script>alert(1)</script>\"></iframe>",
    "<iframe src=\"https://www.youtube.com/embed/a%22onload=alert(1)\"></iframe>",
    "<iframe src=\"https://www.youtube.com/embed/x\" onload=alert(1)></iframe><script>alert(1)</script>",
    "<iframe><!--</iframe><img src=x onerror=alert(1)>-->",
    "<object data=\"javascript:alert(1)\"></object><embed src=\"javascript:alert(1)\">",
    "<form action=\"javascript:alert(1)\"><button formaction=\"javascript:alert(1)\">a</button></form>",
    "<isindex type=image src=1 onerror=alert(1)>",
    "<meta http-equiv=refresh content=\"0;url=javascript:alert(1)\">",
    "<link rel=stylesheet href=\"https://evil.example/x.css\">",
    "<portal src=\"https://evil.example\"></portal><fencedframe></fencedframe>",
    // Styles and names
    "<p style=\"background:url(javascript:alert(1))\">a</p>",
    "<style>@import 'https://evil.example';</style><div style=\"position:fixed;inset:0\">a</div>",
    "<style><!--</style><script>alert(1)//--></script>",
    "<a id=location name=cookie href=#a>a</a><form id=document></form>",
    "<p class=\"language-x y\">a</p><code class=\"language-x onload=alert(1)\">b</code>",
    "<pre><code class=\"language-&quot;><script>alert(1)</script>\">a</code></pre>",
    // Parsers that disagree
    "<svg><set attributeName=href to=javascript:alert(1) /><a><text>a</text></a></svg>",
    "<svg><animate attributeName=href values=javascript:alert(1) /></svg>",
    "<svg/onload=alert(1)>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
    "<math><annotation-xml encoding=\"text/html\"><script>alert(1)</script></annotation-xml></math>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<template><script>alert(1)</script></template>",
    "<textarea></textarea><img src=x onerror=alert(1)></textarea>",
    "<xmp><p title=\"</xmp><img src=x onerror=alert(1)>\">",
    "<select><style></select><script>alert(1)</script>",
    "<table><tr><td><select><iframe></td></tr></table><img src=x onerror=alert(1)>",
    "<a href=\"/\"><a href=\"/\"><b><p><i></b></a><script>alert(1)</script></i>",
    "<div><![if]><script>alert(1)</script><![endif]>",
    "<custom-element onclick=alert(1)><slot onslotchange=alert(1)></slot></custom-element>",
    "<img src=\"`\"onerror=alert(1)\"`\">",
    "<p\u{0}onclick=alert(1)>a</p><scr\u{0}ipt>alert(1)</scr\u{0}ipt>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&amp;lt;script&amp;gt;alert(1)",
    "\u{feff}<script>alert(1)</script>",
    // Markdown
    "[a](javascript:alert(1))",
    "[a](JaVaScript:alert(1) \"title\")",
    "[a](java\u{1}script:alert(1))",
    "[a](&#x6A;avascript:alert(1))",
    "[a](javascript&colon;alert(1))",
    "[a](<javascript:alert(1)>)",
    "[a]: javascript:alert(1)\n\n[a]",
    "<javascript:alert(1)>",
    "![a](javascript:alert(1))",
    "![a\" onerror=\"alert(1)](https://a.example/x.png \"b\\\" onload=\\\"alert(1)\")",
    "![a](data:image/svg+xml;base64,PHN2Zz4=)",
    "[a](https://a.example/\"onmouseover=alert(1))",
    "[a](data:text/html,<script>alert(1)</script>)",
    "```\"><script>alert(1)</script>\na\n```",
    "```html onload=alert(1)\n<script>alert(1)</script>\n```",
    "| <script>alert(1)</script> | `<img src=x onerror=alert(1)>` |\n|---|---|\n| <b onclick=x>a | [b](javascript:c) |",
    "**<img src=x onerror=alert(1)>**",
    "[^a]\n\n[^a]: <script>alert(1)</script>\n\n[^\"><script>]: a",
    "# <a href=\"javascript:alert(1)\">a</a>",
    "<https://a.example/\"><script>alert(1)</script>>",
    "[<img src=x onerror=alert(1)>](/a)",
    "www.a.example/\"onclick=alert(1)",
    "a@b.example\"><script>alert(1)</script>",
    "<div>\n\n**a**\n\n<script>alert(1)</script>\n\n</div onclick=alert(1)>",
    "\u{1}{\"id\":42,\"alt\":null,\"caption\":null,\"inline\":false}\u{2}",
    "&#1;{\"id\":42,\"alt\":null,\"caption\":null,\"inline\":false}&#2;",
    "![&#1;{\"id\":42,\"alt\":null,\"caption\":null,\"inline\":false}&#2;](image:7)",
];

#[test]
fn no_attempt_leaves_the_allow_list() {
    for attempt in ATTEMPTS {
        for format in FORMATS {
            check(attempt, format);
        }
    }
}

#[test]
fn attempts_in_the_midst_of_an_article_do_no_more() {
    for attempt in ATTEMPTS {
        check(&format!("# a\n\n- b\n\n  {attempt}\n\nc"), SourceFormat::Markdown);
        check(
            &format!("<h1>a</h1><table><tr><td>{attempt}</td></tr></table><ul><li>{attempt}</ul>"),
            SourceFormat::Html,
        );
        check(&format!("<p title=\"{attempt}\">{attempt}"), SourceFormat::Html);
    }
}

#[test]
fn a_place_is_made_of_an_image_alone() {
    for attempt in ATTEMPTS.iter().filter(|attempt| attempt.contains("\"id\":42")) {
        for format in FORMATS {
            assert!(!render(attempt, format).images.contains(&42), "{attempt:?}");
        }
    }
}

#[test]
fn scripts_and_styles_leave_no_words() {
    let rendered = render(
        "<p>a</p><script>let s = '<p>b</p>';</script><style>p{}</style><p>c</p>",
        SourceFormat::Html,
    );
    assert_eq!(rendered.text, "a\n\nc");
}
