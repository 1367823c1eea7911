//! Crawlers and link previews, by what they say of themselves.

/// What stands in their user agents, in lower case. Words that end in `bot` are told apart below.
const NAMES: &[&str] = &[
    "spider",
    "crawl",
    "slurp",
    "bot/",
    "bot;",
    "bot-",
    "archiver",
    "bingpreview",
    "web preview",
    "imageproxy",
    "imgproxy",
    "feedly",
    "uptime-kuma",
    "pinger",
    "apis-google",
    "facebookexternalhit",
    "facebookcatalog",
    "meta-external",
    "whatsapp/",
    "skypeuripreview",
    "urlpreview",
    "url preview",
    "linkpreview",
    "link preview",
    "google-inspectiontool",
    "googleother",
    "google-read-aloud",
    "mediapartners-google",
    "feedfetcher",
    "lighthouse",
    "pingdom",
    "statuscake",
    "embedly",
    "iframely",
    "quora link",
    "outbrain",
    "vkshare",
    "w3c_validator",
    "chatgpt-user",
    "perplexity-user",
    "anthropic-ai",
    "cohere-ai",
    "snapchat ads",
];

/// Phones whose names end in `bot`.
const PHONES: &[&str] = &["cubot"];

/// Whether a user agent names a crawler, a monitor or a link preview. Libraries and no user agent at all are none: apps
/// and servers that render pages for people have those.
pub fn is_crawler(agent: &str) -> bool {
    if agent.is_empty() {
        return false;
    }
    let agent = agent.to_ascii_lowercase();
    let mut words = agent.split(|c: char| !c.is_ascii_alphanumeric());
    let is_bot = |word: &str| (word.ends_with("bot") || word.ends_with("bots")) && !PHONES.contains(&word);
    if words.any(is_bot) {
        return true;
    }
    // What is written together with a phone's name was no word of its own.
    let rest = PHONES.iter().fold(agent, |rest, phone| rest.replace(phone, ""));
    // Crawlers say where to read about them; a program that renders pages may give an address as well.
    let explains = rest.contains("compatible;") && rest.contains("+http");
    explains || NAMES.iter().any(|name| rest.contains(name))
}

#[cfg(test)]
mod tests {
    use super::is_crawler;

    #[test]
    fn crawlers_and_previews_are_told_by_their_names() {
        for agent in [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
            "Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 (compatible; Bytespider)",
            "Sogou web spider/4.0",
            "Mozilla/5.0 (compatible; YisouSpider/5.0)",
            "Mozilla/5.0 (compatible; 360Spider)",
            "Mozilla/5.0 (compatible; PetalBot;+https://webmaster.petalsearch.com/site/petalbot)",
            "Mozilla/5.0 (compatible; Yahoo! Slurp)",
            "facebookexternalhit/1.1",
            "Twitterbot/1.0",
            "TelegramBot (like TwitterBot)",
            "WhatsApp/2.23.20.0 A",
            "Slackbot-LinkExpanding 1.0",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2)",
            "ia_archiver",
            "SkypeUriPreview Preview/0.5",
            "UptimeRobot",
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/103.0 Safari/537.36 BingPreview/1.0b",
            "Mozilla/5.0 (compatible; Reader; +https://example.com/reader)",
            "Uptime-Kuma/1.23.1",
        ] {
            assert!(is_crawler(agent), "{agent}");
        }
    }

    #[test]
    fn people_and_their_programs_are_not() {
        for agent in [
            "",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36",
            "Mozilla/5.0 (Linux; Android 10; CUBOT_NOTE_20) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Linux; Android 13; CUBOT KINGKONG 9) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Linux; Android 11; CUBOT/P50) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 MicroMessenger/8.0.42",
            "Pages/1.0 (+https://example.com/contact)",
            "okhttp/4.12.0",
            "Reader/1 CFNetwork/1490.0.4 Darwin/23.2.0",
            "node",
            "undici",
            "curl/8.5.0",
            "python-requests/2.31.0",
            "axios/1.6.0",
            "Dart/3.2 (dart:io)",
        ] {
            assert!(!is_crawler(agent), "{agent}");
        }
    }
}
