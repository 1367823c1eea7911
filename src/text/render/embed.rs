//! Frames of films and sound, and the pages that show the same to people.

use super::address::web;
use url::Url;

/// A film or sound that the author framed: the page where it is shown, and who shows it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Framed {
    pub(super) url: String,
    pub(super) provider: Option<&'static str>,
}

/// Reads the address of a frame. Players of known providers become the page for people; any other https address stays as it is.
pub(super) fn framed(raw: &str) -> Option<Framed> {
    let address = web(raw)?;
    let url = Url::parse(&address).ok()?;
    if let Some((provider, page)) = watch_page(&url) {
        return Some(Framed {
            url: page,
            provider: Some(provider),
        });
    }
    (url.scheme() == "https").then_some(Framed {
        url: address,
        provider: None,
    })
}

fn watch_page(url: &Url) -> Option<(&'static str, String)> {
    let host = url.host_str()?;
    let path: Vec<&str> = url.path_segments()?.collect();
    let query = |name: &str| {
        url.query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
            .filter(|value| is_token(value))
    };
    match (host.strip_prefix("www.").unwrap_or(host), path.as_slice()) {
        ("youtube.com" | "youtube-nocookie.com", ["embed", "videoseries"]) => Some((
            "youtube",
            format!("https://www.youtube.com/playlist?list={}", query("list")?),
        )),
        ("youtube.com" | "youtube-nocookie.com", ["embed", id, ..]) if is_token(id) => {
            Some(("youtube", format!("https://www.youtube.com/watch?v={id}")))
        }
        ("player.vimeo.com", ["video", id, ..]) if is_token(id) => Some((
            "vimeo",
            // A film that is not listed is found by this second part alone.
            match query("h") {
                Some(hash) => format!("https://vimeo.com/{id}/{hash}"),
                None => format!("https://vimeo.com/{id}"),
            },
        )),
        ("player.bilibili.com", ["player.html"]) | ("bilibili.com", ["blackboard", ..]) => {
            let id = match (query("bvid"), query("aid")) {
                (Some(bvid), _) => bvid.into_owned(),
                (None, Some(aid)) => format!("av{aid}"),
                (None, None) => return None,
            };
            let part = query("p").or_else(|| query("page")).filter(|part| part != "1");
            Some((
                "bilibili",
                match part {
                    Some(part) => format!("https://www.bilibili.com/video/{id}/?p={part}"),
                    None => format!("https://www.bilibili.com/video/{id}/"),
                },
            ))
        }
        ("player.youku.com", ["embed", id] | ["player.php", "sid", id, ..]) if is_token(id) => {
            Some(("youku", format!("https://v.youku.com/v_show/id_{id}.html")))
        }
        ("v.qq.com", ["txp", "iframe", "player.html"] | ["iframe", "player.html"]) => {
            Some(("tencent", format!("https://v.qq.com/x/page/{}.html", query("vid")?)))
        }
        _ => None,
    }
}

/// An id as video sites give them; anything else could smuggle a path or a query into the page's address.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 100
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_leads_to_the_page_for_people() {
        for (frame, page, provider) in [
            (
                "https://www.youtube.com/embed/dQw4w9WgXcQ?rel=0",
                "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
                Some("youtube"),
            ),
            (
                "//www.youtube-nocookie.com/embed/abc",
                "https://www.youtube.com/watch?v=abc",
                Some("youtube"),
            ),
            (
                "https://www.youtube.com/embed/videoseries?list=PL1",
                "https://www.youtube.com/playlist?list=PL1",
                Some("youtube"),
            ),
            (
                "https://player.vimeo.com/video/76979871?h=8272103f6e",
                "https://vimeo.com/76979871/8272103f6e",
                Some("vimeo"),
            ),
            (
                "//player.bilibili.com/player.html?aid=1&bvid=BV1xx411c7mD&p=2",
                "https://www.bilibili.com/video/BV1xx411c7mD/?p=2",
                Some("bilibili"),
            ),
            (
                "http://player.bilibili.com/player.html?aid=170001&page=1",
                "https://www.bilibili.com/video/av170001/",
                Some("bilibili"),
            ),
            (
                "https://player.youku.com/embed/XMzg2==",
                "https://v.youku.com/v_show/id_XMzg2==.html",
                Some("youku"),
            ),
            (
                "https://v.qq.com/txp/iframe/player.html?vid=m0912",
                "https://v.qq.com/x/page/m0912.html",
                Some("tencent"),
            ),
            ("https://maps.example/embed?q=a", "https://maps.example/embed?q=a", None),
        ] {
            assert_eq!(
                framed(frame),
                Some(Framed {
                    url: page.into(),
                    provider
                }),
                "{frame}"
            );
        }
        for bad in [
            "http://maps.example/embed",
            "javascript:alert(1)",
            "data:text/html,x",
            "about:blank",
            "",
        ] {
            assert_eq!(framed(bad), None, "{bad}");
        }
    }
}
