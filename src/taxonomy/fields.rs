//! Checks of the fields that categories, tags and authors share.

use crate::text::normalise::fold_name;
use crate::text::slug::check_slug;
use crate::web::Patch;
use crate::web::body::Checks;

/// Longest name, in characters.
const NAME: usize = 100;

/// A name as it is stored: without white space around it.
pub fn name(checks: &mut Checks, pointer: &str, given: &str) -> String {
    let name = given.trim();
    if fold_name(name).is_empty() {
        checks.wrong(pointer, "must have a character that can be seen");
    } else {
        checks.line(pointer, name, NAME);
    }
    name.to_owned()
}

/// A slug as it is stored.
pub fn slug(checks: &mut Checks, given: &str) -> String {
    check_slug(given).unwrap_or_else(|error| {
        checks.wrong("/slug", error.to_string());
        String::new()
    })
}

/// The value of a field that cannot be cleared, or nothing where it is to stay.
pub fn needed<T>(checks: &mut Checks, pointer: &str, field: Patch<T>) -> Option<T> {
    if matches!(field, Patch::Null) {
        checks.wrong(pointer, "must not be null");
    }
    field.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_is_right(given: &str) -> bool {
        let mut checks = Checks::default();
        name(&mut checks, "/name", given);
        checks.finish().is_ok()
    }

    #[test]
    fn names_lose_the_space_around_them() {
        assert_eq!(name(&mut Checks::default(), "/name", "\u{3000}小米 14 "), "小米 14");
    }

    #[test]
    fn names_that_nobody_can_read_are_refused() {
        for given in ["", " ", "\u{200B}\u{FEFF}", "a\nb", "a\0", &"字".repeat(101)] {
            assert!(!name_is_right(given), "{given:?}");
        }
        assert!(name_is_right(&"字".repeat(100)));
    }
}
