//! How characters may be typed in letters: the reading that slugs use, and the other everyday ones.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use crate::text::slug::readings::{WORDS, reading};

/// How many ways to type a character count, the usual one first.
const MOST: usize = 4;

/// The ways to type a character; the rest is empty.
type Readings = [&'static str; MOST];

/// Where Han of the basic plane begins and ends.
const FIRST: u32 = 0x4E00;
const LAST: u32 = 0x9FFF;

/// Everyday readings beside those that slugs know, a character and a reading each. Those of classical texts and names are
/// left out: 机 is also read wei, and who types wei would be shown every 手机.
const OTHERS: &[&str] = &[
    "阿e", "伯bai", "柏bo", "剥bao", "剥bo", "薄bao", "曝bao", "曝pu", "堡pu", "参can", "参shen", "藏cang", "曾ceng",
    "查zha", "颤zhan", "朝chao", "朝zhao", "车ju", "澄deng", "仇qiu", "畜xu", "传zhuan", "伺ci", "伺si", "大dai",
    "单dan", "单shan", "得dei", "地de", "地di", "的di", "调diao", "都dou", "囤dun", "囤tun", "佛fo", "佛fu", "盖ge",
    "蛤ge", "蛤ha", "咖ga", "咖ka", "给gei", "吓he", "巷hang", "还hai", "奇ji", "贾gu", "贾jia", "嚼jiao", "嚼jue",
    "劲jin", "劲jing", "圈juan", "壳ke", "落la", "落lao", "落luo", "勒le", "勒lei", "露lu", "埋man", "脉mo", "没mei",
    "娜na", "娜nuo", "那nei", "呢ne", "呢ni", "粘nian", "粘zhan", "刨bao", "刨pao", "泊bo", "泊po", "朴piao", "朴pu",
    "栖qi", "栖xi", "茄jia", "茄qie", "区ou", "塞sai", "塞se", "色shai", "厦sha", "折she", "什shen", "熟shou", "熟shu",
    "谁shei", "谁shui", "说shui", "似shi", "宿su", "宿xiu", "提di", "纤qian", "纤xian", "削xiao", "削xue", "校jiao",
    "血xie", "血xue", "咽yan", "咽ye", "钥yao", "钥yue", "轧ya", "轧zha", "仔zai", "仔zi", "择ze", "择zhai", "扎za",
    "扎zha", "着zhao", "着zhe", "这zhei", "爪zhao", "爪zhua", "琢zhuo", "琢zuo",
];

/// Worked out once, since every title that is looked at asks for each of its characters.
static TABLE: LazyLock<Vec<Readings>> = LazyLock::new(|| {
    let mut others: HashMap<char, Vec<&'static str>> = HashMap::new();
    for (word, syllables) in WORDS {
        for (c, syllable) in word.chars().zip(syllables.split(' ')) {
            others.entry(c).or_default().push(syllable);
        }
    }
    for other in OTHERS {
        let mut characters = other.chars();
        if let Some(c) = characters.next() {
            others.entry(c).or_default().push(characters.as_str());
        }
    }
    (FIRST..=LAST)
        .map(|code| {
            let c = char::from_u32(code).unwrap_or_default();
            work_out(c, others.get(&c).map(Vec::as_slice).unwrap_or_default())
        })
        .collect()
});

fn work_out(c: char, others: &[&'static str]) -> Readings {
    let mut readings = [""; MOST];
    let mut free = readings.iter_mut();
    let mut seen = BTreeSet::new();
    for form in reading(c)
        .into_iter()
        .chain(others.iter().copied())
        .flat_map(typed_forms)
    {
        if !form.is_empty()
            && seen.insert(form)
            && let Some(place) = free.next()
        {
            *place = form;
        }
    }
    readings
}

/// A syllable in the letters of a keyboard: ü is typed as v or as u. Empty where there is no such form.
fn typed_forms(syllable: &'static str) -> [&'static str; 2] {
    match syllable {
        "nü" => ["nv", "nu"],
        "lü" => ["lv", "lu"],
        "nüe" => ["nve", "nue"],
        "lüe" => ["lve", "lue"],
        _ if syllable.bytes().all(|byte| byte.is_ascii_lowercase()) => [syllable, ""],
        _ => ["", ""],
    }
}

/// How a folded character may be typed in letters, the usual reading first; nothing for what is not read in pinyin.
pub(super) fn readings(c: char) -> impl Iterator<Item = &'static str> {
    let place = u32::from(c)
        .checked_sub(FIRST)
        .and_then(|place| usize::try_from(place).ok());
    let found = place.and_then(|place| TABLE.get(place));
    found
        .into_iter()
        .flatten()
        .copied()
        .take_while(|reading| !reading.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(c: char) -> Vec<&'static str> {
        readings(c).collect()
    }

    #[test]
    fn characters_have_their_readings_the_usual_one_first() {
        for (c, expected) in [
            ('米', &["mi"][..]),
            ('长', &["chang", "zhang"]),
            ('重', &["zhong", "chong"]),
            ('女', &["nv", "nu"]),
            ('机', &["ji"]),
            ('行', &["xing", "hang"]),
            ('的', &["de", "di"]),
            ('绿', &["lv", "lu"]),
            ('虐', &["nve", "nue"]),
            ('儿', &["er"]),
            ('a', &[]),
            ('の', &[]),
            ('한', &[]),
        ] {
            let found = read(c);
            assert_eq!(found, expected, "{c}");
        }
    }

    #[test]
    fn whatever_slugs_read_can_be_typed() {
        for (word, syllables) in WORDS {
            for (c, syllable) in word.chars().zip(syllables.split(' ')) {
                assert!(read(c).contains(&syllable), "{c} of {word} is read {:?}", read(c));
            }
        }
        let unread: String = (FIRST..0x9FA6)
            .filter_map(char::from_u32)
            .filter(|c| reading(*c).is_some() && read(*c).is_empty())
            .collect();
        assert_eq!(unread, "");
    }
}
