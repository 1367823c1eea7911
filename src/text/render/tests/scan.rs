//! A strict reader of the output, written apart from the writer: it knows one spelling of each thing and refuses all else, so that
//! what it accepts every HTML parser reads in the same way.

use serde_json::Value;

const VOID: [&str; 3] = ["br", "hr", "img"];
const LINE: [&str; 9] = ["a", "strong", "em", "s", "u", "mark", "sub", "sup", "code"];
const BLOCK: [&str; 21] = [
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "figure",
    "figcaption",
    "ul",
    "ol",
    "li",
    "blockquote",
    "pre",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "hr",
];

/// Whether HTML is well-formed and holds allow-listed elements, attributes and schemes alone.
pub(super) fn html(html: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some((text, tag)) = rest.split_once('<') {
        self::text(text)?;
        let (tag, after) = tag.split_once('>').ok_or("an open tag")?;
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name) {
                return Err(format!("</{name}> closes another element"));
            }
            continue;
        }
        let (name, attributes) = tag.split_once(' ').map_or((tag, ""), |(name, rest)| (name, rest));
        if !VOID.contains(&name) && !LINE.contains(&name) && !BLOCK.contains(&name) {
            return Err(format!("<{name}> is not allowed"));
        }
        if BLOCK.contains(&name)
            && open
                .iter()
                .any(|outer| matches!(*outer, "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6") || LINE.contains(outer))
        {
            return Err(format!("<{name}> within a line"));
        }
        self::attributes(name, attributes)?;
        if !VOID.contains(&name) {
            open.push(name);
        }
    }
    text(rest)?;
    if open.is_empty() {
        Ok(())
    } else {
        Err(format!("{open:?} stay open"))
    }
}

fn text(text: &str) -> Result<(), String> {
    if text.contains('>') {
        return Err(format!("a bracket in {text:?}"));
    }
    for after in text.split('&').skip(1) {
        if !["amp;", "lt;", "gt;", "quot;", "nbsp;"]
            .iter()
            .any(|entity| after.starts_with(entity))
        {
            return Err(format!("a bare ampersand in {text:?}"));
        }
    }
    Ok(())
}

fn attributes(name: &str, mut rest: &str) -> Result<(), String> {
    let mut seen = Vec::new();
    while !rest.is_empty() {
        let (attribute, after) = rest.split_once("=\"").ok_or("an attribute without a value")?;
        let (value, after) = after.split_once('"').ok_or("a value without an end")?;
        text(value)?;
        let allowed = match (name, attribute) {
            ("a", "href") => {
                ["http://", "https://", "mailto:", "tel:", "#", "?"]
                    .iter()
                    .any(|start| value.starts_with(start))
                    || (value.starts_with('/') && !value.starts_with("//") && !value.starts_with("/\\"))
            }
            ("a", "rel") => value == "noopener noreferrer nofollow",
            ("img", "src") => {
                value.starts_with("https://")
                    || value
                        .strip_prefix("image:")
                        .is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_digit()))
            }
            ("img", "alt" | "title") => true,
            ("img", "loading") => value == "lazy",
            ("img", "decoding") => value == "async",
            ("img", "referrerpolicy") => value == "no-referrer",
            ("ol", "start") => value.parse::<u32>().is_ok(),
            ("code", "class") => value.starts_with("language-") && !value.contains(' '),
            _ => false,
        };
        if !allowed {
            return Err(format!("{attribute}={value:?} on <{name}>"));
        }
        if seen.contains(&attribute) || value.contains(|c: char| c.is_control()) {
            return Err(format!("{attribute} twice, or a control character in it"));
        }
        seen.push(attribute);
        rest = after.strip_prefix(' ').unwrap_or(after);
    }
    Ok(())
}

/// Whether blocks have the fields of their type and no others.
pub(super) fn blocks(value: &Value) -> Result<(), String> {
    for block in value.as_array().ok_or("no array")? {
        let fields: Vec<&str> = block
            .as_object()
            .ok_or("no object")?
            .keys()
            .map(String::as_str)
            .collect();
        let (needed, optional): (&[&str], &[&str]) = match block["type"].as_str().ok_or("no type")? {
            "paragraph" => (&["runs"], &[]),
            "heading" => (&["level", "runs"], &[]),
            "image" => (&[], &["image", "url", "alt", "caption"]),
            "list" => (&["ordered", "items"], &[]),
            "quote" => (&["blocks"], &[]),
            "code" => (&["code"], &["language"]),
            "table" => (&["rows"], &["header"]),
            "divider" => (&[], &[]),
            "embed" => (&["url"], &["provider"]),
            other => return Err(format!("a block of type {other}")),
        };
        let known = |field: &&str| *field == "type" || needed.contains(field) || optional.contains(field);
        if !fields.iter().all(known) || !needed.iter().all(|field| fields.contains(field)) {
            return Err(format!("{} has {fields:?}", block["type"]));
        }
        if block["type"] == "image" && block.get("image").is_some() == block.get("url").is_some() {
            return Err("an image is uploaded or elsewhere".into());
        }
        runs(&block["runs"])?;
        for item in block["items"].as_array().into_iter().flatten() {
            blocks(item)?;
        }
        if block.get("blocks").is_some() {
            blocks(&block["blocks"])?;
        }
        for row in block["rows"]
            .as_array()
            .into_iter()
            .flatten()
            .chain(block.get("header"))
        {
            for cell in row.as_array().ok_or("a row that is no array")? {
                runs(cell)?;
            }
        }
    }
    Ok(())
}

fn runs(value: &Value) -> Result<(), String> {
    for run in value.as_array().into_iter().flatten() {
        for (field, value) in run.as_object().ok_or("no run")? {
            let right = match field.as_str() {
                "text" | "link" => value.as_str().is_some_and(|text| !text.is_empty()),
                "bold" | "italic" | "strike" | "code" => value == true,
                _ => false,
            };
            if !right {
                return Err(format!("{field}: {value} in a run"));
            }
        }
    }
    Ok(())
}

#[test]
fn the_scan_refuses_what_is_not_allowed() {
    for bad in [
        "<script>",
        "<p onclick=\"a\">a</p>",
        "<p>a",
        "<p><hr></p>",
        "a > b",
        "a & b",
        "<a href=\"javascript:a\">b</a>",
        "<IMG src=\"x\">",
        "<img src=\"http://a/b\">",
        "<a href=\"//a\">b</a>",
        "<p><p>a</p></p>",
        "<a href='/a'>b</a>",
        "<a href=\"/\" href=\"/\">b</a>",
    ] {
        assert!(html(bad).is_err(), "{bad}");
    }
    html("<p>a &amp; <strong>b</strong><br></p><hr>").unwrap();
}
