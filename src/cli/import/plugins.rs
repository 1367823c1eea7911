//! Tag plugins of Hexo: `{% name arguments %}`.

use std::ops::Range;

use super::body::Edits;

/// Puts what Markdown or HTML can say in the place of tags; the others stay as they are, with a note for each name.
pub fn replace(source: &str, code: &[Range<usize>], edits: &mut Edits, notes: &mut Vec<String>) {
    let mut code = code.to_vec();
    code.sort_by_key(|range| range.start);
    let mut code = code.into_iter().peekable();
    let mut raw = false;
    let mut from = 0;
    while let Some(start) = find(source, from, "{%") {
        while code.next_if(|range| range.end <= start).is_some() {}
        if let Some(range) = code.peek().filter(|range| range.contains(&start)) {
            from = range.end;
            continue;
        }
        let inner = source.get(start + 2..).unwrap_or_default();
        let length = length_in_line(inner);
        from = start + 2 + length;
        if !source.get(from..).is_some_and(|rest| rest.starts_with("%}")) {
            continue;
        }
        from += 2;
        let mut words = words(inner.get(..length).unwrap_or_default());
        let name = if words.is_empty() {
            String::new()
        } else {
            words.remove(0)
        };
        match name.as_str() {
            "endraw" if raw => raw = false,
            _ if raw => continue,
            "raw" => raw = true,
            _ => match said_otherwise(&name, &words) {
                Some(text) => {
                    edits.add(start..from, text);
                    continue;
                }
                None => {
                    let note = format!("the tag {{% {name} %}} stays as text");
                    if !name.is_empty() && !name.starts_with("end") && !notes.contains(&note) {
                        notes.push(note);
                    }
                    continue;
                }
            },
        }
        edits.add(start..from, "");
    }
}

fn find(source: &str, from: usize, text: &str) -> Option<usize> {
    source.get(from..)?.find(text).map(|at| from + at)
}

/// How far a tag's inside reaches: to its end or to that of its line, whichever comes first.
fn length_in_line(inner: &str) -> usize {
    let mut last = b' ';
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            b'\n' => return at,
            b'}' if last == b'%' => return at - 1,
            _ => last = byte,
        }
    }
    inner.len()
}

/// The tag in the words of HTML and Markdown.
fn said_otherwise(name: &str, words: &[String]) -> Option<String> {
    let id = || {
        let id = words.first()?;
        id.chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
            .then_some(id)
    };
    match name {
        "youtube" => Some(format!(
            "<iframe src=\"https://www.youtube.com/embed/{}\"></iframe>",
            id()?
        )),
        "vimeo" => Some(format!(
            "<iframe src=\"https://player.vimeo.com/video/{}\"></iframe>",
            id()?
        )),
        "asset_img" => {
            // Class names, the file, width and height, and what the picture shows.
            let at = words.iter().position(|word| word.contains('.'))?;
            let file = words.get(at).filter(|file| !file.contains(['<', '>']))?;
            let alt: Vec<&str> = words
                .iter()
                .skip(at + 1)
                .map(String::as_str)
                .skip_while(|word| word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'%'))
                .collect();
            let alt = alt
                .join(" ")
                .replace('\\', "\\\\")
                .replace('[', "\\[")
                .replace(']', "\\]");
            Some(format!("![{alt}](<{file}>)"))
        }
        _ => None,
    }
}

/// The words of a tag; what stands in quotes is one.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let quoted = matches!(first, '"' | '\'')
            .then(|| rest.get(1..)?.split_once(first))
            .flatten();
        let (word, after) = match quoted {
            Some(parts) => parts,
            None => rest
                .split_at_checked(rest.find(char::is_whitespace).unwrap_or(rest.len()))
                .unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::super::body::prepare;

    fn said(text: &str) -> (String, usize) {
        let body = prepare(text, false);
        (body.source, body.notes.len())
    }

    #[test]
    fn videos_and_pictures_are_said_in_html_and_markdown() {
        assert_eq!(
            said("{% youtube TIbZDRXM-Tg %}\n\n{%vimeo 82090131%}"),
            (
                "<iframe src=\"https://www.youtube.com/embed/TIbZDRXM-Tg\"></iframe>\n\n<iframe src=\"https://player.vimeo.com/video/82090131\"></iframe>".to_owned(),
                0
            )
        );
        assert_eq!(
            said("{% asset_img full a.jpg 300 200 \"海啸 [1]\" %}").0,
            "![海啸 \\[1\\]](<a.jpg>)"
        );
        assert_eq!(said("{% asset_img 'my pic.png' %}").0, "![](<my pic.png>)");
    }

    #[test]
    fn other_tags_stay_with_one_note_a_name() {
        let text = "{% gist 1 %} {% gist 2 %}\n{% blockquote a %}\nx\n{% endblockquote %}\n{% youtube a\"b %}\n{%";
        assert_eq!(said(text), (text.to_owned(), 3));
    }

    #[test]
    fn code_and_raw_parts_are_left_alone() {
        let code = "`{% youtube a %}`\n\n```\n{% vimeo 1 %}\n```";
        assert_eq!(said(code), (code.to_owned(), 0));
        assert_eq!(
            said("{% raw %}{% youtube a %} {{ b }}{% endraw %} {% vimeo 1 %}").0,
            "{% youtube a %} {{ b }} <iframe src=\"https://player.vimeo.com/video/1\"></iframe>"
        );
    }
}
