//! Sentences, paragraphs and titles out of words: what a search engine takes for an article.

use fastrand::Rng;

use super::words::Vocabulary;

/// Names and abbreviations that such a site is full of, the most frequent first.
const NAMES: &[&str] = &[
    "AI",
    "5G",
    "iPhone 16",
    "App",
    "GitHub",
    "Node.js",
    "C++",
    "Android 15",
    "Wi-Fi 7",
    "USB-C",
    "ChatGPT",
    "Windows 11",
    "CPU",
    "GPU",
    "iPad Pro",
    "MacBook Air",
    "Python 3.13",
    "JavaScript",
    "OLED",
    "M.2",
    "PCIe 5.0",
    "Type-C",
    "HDR10+",
    "LPDDR5X",
    "C#",
    "RTX 5090",
    "Snapdragon 8",
    "A18 Pro",
    "iOS 18",
    "Kubernetes",
    "Rust",
    "machine learning",
    "open source",
    "8K",
    "4K",
    "OpenAI",
    "Linux",
    "Mate 70",
    "P70 Ultra",
    "Model 3",
    "SU7 Max",
    "AT&T",
    "Disney+",
    "3D NAND",
    "SSD",
    "NVMe",
    "LLM",
];

const UNITS: &[&str] = &[
    "%", "元", "小时", "毫米", "克", "GB", "mAh", "英寸", "万", "年", "倍", "nm", "Hz",
];

const ENDS: &[&str] = &["。", "。", "。", "。", "。", "。", "！", "？", "；", "……"];

/// Where an article's words come from.
pub struct Voice<'a> {
    /// Words that every article has.
    pub common: &'a Vocabulary,
    /// Words of its topic.
    pub topic: &'a Vocabulary,
    /// The names that it speaks of.
    pub names: &'a [&'a str],
}

/// The names by their frequency.
pub fn names() -> Vocabulary {
    Vocabulary::by_rank(0, NAMES.iter().map(|name| (*name).to_owned()).collect())
}

impl Voice<'_> {
    /// A word, and now and then a name or a number, added to `out`.
    fn word(&self, rng: &mut Rng, out: &mut String) {
        match rng.u32(0..1_000) {
            0..30 => {
                // Half of the writers put blanks around Latin words.
                let blank = if rng.bool() { " " } else { "" };
                out.push_str(blank);
                out.push_str(choose(self.names, rng));
                out.push_str(blank);
            }
            30..45 => {
                let number = match rng.u32(0..3) {
                    0 => format!("{}.{}", rng.u32(0..30), rng.u32(0..10)),
                    1 => (rng.u32(1..200) * 50).to_string(),
                    _ => rng.u32(1..100).to_string(),
                };
                out.push_str(&number);
                out.push_str(choose(UNITS, rng));
            }
            45..300 => out.push_str(self.topic.draw(rng)),
            _ => out.push_str(self.common.draw(rng)),
        }
    }

    fn sentence(&self, rng: &mut Rng, out: &mut String) {
        let clauses = rng.u32(1..=4);
        let quoted = rng.u32(0..20) == 0;
        for clause in 0..clauses {
            if clause > 0 {
                out.push_str(if rng.u32(0..12) == 0 { "、" } else { "，" });
            }
            if quoted && clause == 0 {
                out.push('“');
            }
            for _ in 0..rng.u32(3..=9) {
                self.word(rng, out);
            }
            if quoted && clause == 0 {
                out.push('”');
            }
        }
        out.push_str(choose(ENDS, rng));
    }

    /// Markdown of about so many characters.
    pub fn body(&self, characters: usize, rng: &mut Rng) -> String {
        let mut body = String::with_capacity(characters * 3);
        let mut length = 0;
        while length < characters {
            if length > 300 && rng.u32(0..6) == 0 {
                body.push_str("## ");
                for _ in 0..rng.u32(2..=4) {
                    body.push_str(self.topic.draw(rng));
                }
                body.push_str("\n\n");
            }
            for _ in 0..rng.u32(2..=5) {
                let begin = body.len();
                self.sentence(rng, &mut body);
                length += body.get(begin..).map_or(0, |sentence| sentence.chars().count());
                if length >= characters {
                    break;
                }
            }
            body.push_str("\n\n");
        }
        body
    }

    /// A title of 8 to 30 characters, of which most words stand in the body.
    pub fn title(&self, body: &str, rng: &mut Rng) -> String {
        let mut title = String::new();
        let (wanted, part) = (rng.usize(8..=24), rng.usize(3..12));
        let mut parted = false;
        let mut length = 0;
        while length < wanted {
            if !parted && length >= part && length + 4 < wanted {
                title.push_str(choose(&["：", "，", "：", "与", "的"], rng));
                parted = true;
            }
            let word = match rng.u32(0..20) {
                0 => choose(self.names, rng),
                1..5 => self.common.draw(rng),
                _ => self.topic.draw(rng),
            };
            let kept = !title.contains(word) && (rng.u32(0..8) == 0 || body.contains(word));
            if kept && length + word.chars().count() < 30 {
                title.push_str(word);
            }
            length = title.chars().count();
        }
        title
    }
}

/// The length of an article in characters: log-normal with a median of 1,420 and a mean of about 1,620.
pub fn length(rng: &mut Rng) -> usize {
    // Box and Muller, A Note on the Generation of Random Normal Deviates (1958).
    let (u, v) = (1.0 - rng.f64(), rng.f64());
    let normal = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
    (1_400.0 * (0.514 * normal).exp()).clamp(120.0, 30_000.0) as usize
}

/// One of them.
pub fn choose<'a>(from: &[&'a str], rng: &mut Rng) -> &'a str {
    rng.choice(from.iter()).copied().unwrap_or_default()
}

/// Puts a word into the middle of a body, after a sentence.
pub fn plant(body: &mut String, word: &str) {
    let middle = body.len() / 2;
    let mut ends = body.match_indices('。').map(|(at, end)| at + end.len());
    let place = ends.find(|at| *at >= middle).unwrap_or(body.len());
    body.insert_str(place, word);
}
