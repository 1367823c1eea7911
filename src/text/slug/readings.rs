//! How Han characters are read: the table of the `pinyin` crate, and the words in which that first reading is wrong.

use pinyin::{Pinyin, ToPinyin};

/// Characters whose usual reading in headlines is not the first of the table.
const READINGS: &[(char, &str)] = &[('长', "chang"), ('嗯', "en")];

/// Words in which a character of several readings has another one than alone, simplified.
pub(in crate::text) const WORDS: &[(&str, &str)] = &[
    ("重庆", "chong qing"),
    ("重新", "chong xin"),
    ("重启", "chong qi"),
    ("重复", "chong fu"),
    ("重置", "chong zhi"),
    ("重构", "chong gou"),
    ("重组", "chong zu"),
    ("重建", "chong jian"),
    ("重现", "chong xian"),
    ("重返", "chong fan"),
    ("重写", "chong xie"),
    ("重装", "chong zhuang"),
    ("双重", "shuang chong"),
    ("音乐", "yin yue"),
    ("乐器", "yue qi"),
    ("乐队", "yue dui"),
    ("乐团", "yue tuan"),
    ("乐谱", "yue pu"),
    ("银行", "yin hang"),
    ("行业", "hang ye"),
    ("行情", "hang qing"),
    ("行列", "hang lie"),
    ("央行", "yang hang"),
    ("排行", "pai hang"),
    ("同行", "tong hang"),
    ("各行各业", "ge hang ge ye"),
    ("一行代码", "yi hang dai ma"),
    ("命令行", "ming ling hang"),
    ("增长", "zeng zhang"),
    ("成长", "cheng zhang"),
    ("生长", "sheng zhang"),
    ("长大", "zhang da"),
    ("校长", "xiao zhang"),
    ("市长", "shi zhang"),
    ("部长", "bu zhang"),
    ("院长", "yuan zhang"),
    ("会长", "hui zhang"),
    ("队长", "dui zhang"),
    ("船长", "chuan zhang"),
    ("局长", "ju zhang"),
    ("董事长", "dong shi zhang"),
    ("秘书长", "mi shu zhang"),
    ("家长", "jia zhang"),
    ("首长", "shou zhang"),
    ("了解", "liao jie"),
    ("了不起", "liao bu qi"),
    ("受不了", "shou bu liao"),
    ("归还", "gui huan"),
    ("偿还", "chang huan"),
    ("还原", "huan yuan"),
    ("还款", "huan kuan"),
    ("退还", "tui huan"),
    ("调整", "tiao zheng"),
    ("调节", "tiao jie"),
    ("调试", "tiao shi"),
    ("调校", "tiao jiao"),
    ("空调", "kong tiao"),
    ("协调", "xie tiao"),
    ("微调", "wei tiao"),
    ("下调", "xia tiao"),
    ("上调", "shang tiao"),
    ("参差", "cen ci"),
    ("出差", "chu chai"),
    ("弹性", "tan xing"),
    ("弹出", "tan chu"),
    ("弹窗", "tan chuang"),
    ("弹簧", "tan huang"),
    ("率先", "shuai xian"),
    ("率领", "shuai ling"),
    ("西藏", "xi zang"),
    ("宝藏", "bao zang"),
    ("厦门", "xia men"),
    ("似乎", "si hu"),
    ("相似", "xiang si"),
    ("类似", "lei si"),
    ("湖泊", "hu bo"),
    ("首都", "shou du"),
    ("都市", "du shi"),
    ("成都", "cheng du"),
    ("京都", "jing du"),
    ("供给", "gong ji"),
    ("给予", "ji yu"),
    ("睡觉", "shui jiao"),
    ("角色", "jue se"),
    ("主角", "zhu jue"),
    ("便宜", "pian yi"),
    ("投降", "tou xiang"),
    ("会计", "kuai ji"),
    ("曾国藩", "zeng guo fan"),
    ("着陆", "zhuo lu"),
    ("着重", "zhuo zhong"),
    ("执着", "zhi zhuo"),
    ("沉没", "chen mo"),
    ("没收", "mo shou"),
    ("模样", "mu yang"),
    ("模具", "mu ju"),
    ("地壳", "di qiao"),
    ("薄弱", "bo ruo"),
    ("倔强", "jue jiang"),
    ("可恶", "ke wu"),
    ("厌恶", "yan wu"),
    ("传记", "zhuan ji"),
    ("自传", "zi zhuan"),
    ("呼吁", "hu yu"),
    ("单于", "chan yu"),
    ("万俟", "mo qi"),
    ("尉迟", "yu chi"),
    ("拓片", "ta pian"),
    ("屏息", "bing xi"),
    ("的确", "di que"),
    ("目的", "mu di"),
    ("的士", "di shi"),
    ("露面", "lou mian"),
    ("反省", "fan xing"),
    ("大夫", "dai fu"),
    ("系鞋带", "ji xie dai"),
    ("解数", "xie shu"),
    ("关卡", "guan qia"),
    ("卡住", "qia zhu"),
    ("什锦", "shi jin"),
    ("盛饭", "cheng fan"),
    ("六安", "lu an"),
    ("蚌埠", "beng bu"),
    ("番禺", "pan yu"),
    ("大埔", "da bu"),
    ("百色", "bo se"),
];

/// How a character is read when it stands alone, without tone.
pub(in crate::text) fn reading(c: char) -> Option<&'static str> {
    match READINGS.iter().find(|(special, _)| *special == c) {
        Some((_, reading)) => Some(reading),
        None => c.to_pinyin().map(Pinyin::plain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::normalise::fold;

    #[test]
    fn the_table_of_words_is_well_formed() {
        for (i, (word, syllables)) in WORDS.iter().enumerate() {
            assert_eq!(word.chars().count(), syllables.split(' ').count(), "{word}");
            assert!(
                word.chars().count() <= 4 && word.chars().all(|c| fold(c) == c),
                "{word}"
            );
            assert!(syllables.bytes().all(|b| b.is_ascii_lowercase() || b == b' '), "{word}");
            assert!(WORDS.iter().skip(i + 1).all(|(other, _)| other != word), "{word} twice");
            assert!(
                syllables
                    .split(' ')
                    .zip(word.chars())
                    .any(|(syllable, c)| reading(c) != Some(syllable)),
                "{word} needs no entry"
            );
        }
    }
}
