//! Simplified characters in their traditional form, one for one: the way back of what fast2s does. Where several
//! traditional characters became one, the first by code point is taken; a reader would now and then write another.

use std::collections::HashMap;

/// Traditional forms by simplified characters.
pub struct Traditional(HashMap<char, char>);

impl Traditional {
    /// Asks fast2s for every character.
    pub fn new() -> Self {
        let mut forms = HashMap::new();
        for character in '\u{4E00}'..='\u{9FFF}' {
            let simplified = fast2s::convert(character.encode_utf8(&mut [0; 4]));
            let mut alone = simplified.chars();
            if let (Some(simplified), None) = (alone.next(), alone.next())
                && simplified != character
            {
                forms.entry(simplified).or_insert(character);
            }
        }
        Self(forms)
    }

    /// The text in traditional characters.
    pub fn write(&self, text: &str) -> String {
        text.chars().map(|c| self.0.get(&c).copied().unwrap_or(c)).collect()
    }
}
