//! E-mail addresses: what passes for one, and when two are the same.

use crate::text::normalise::{fold_name, is_invisible};
use crate::web::body::Checks;

/// Longest e-mail address, in characters (RFC 5321, 4.5.3.1.3, less the brackets).
pub const LONGEST: usize = 254;

/// As it is kept: without white space around it.
pub fn trimmed(email: &str) -> &str {
    email.trim()
}

/// What accounts are told apart by: letters of either case and width are the same, on both databases. Look-alikes of
/// other scripts are not.
pub fn key_of(email: &str) -> String {
    fold_name(email)
}

/// Whether it looks like an address: something on either side of the one `@`, and nothing that cannot be seen.
/// Only a message that arrives tells more.
pub fn is_plausible(email: &str) -> bool {
    let email = trimmed(email);
    let invisible = |c: char| c.is_whitespace() || c.is_control() || is_invisible(c);
    // Before the key is made, so that what is far too long costs nothing.
    if email.len() > 4 * LONGEST || email.chars().count() > LONGEST || email.contains(invisible) {
        return false;
    }
    let key = key_of(email);
    matches!(key.split_once('@'), Some((name, host)) if !name.is_empty() && !host.is_empty() && !host.contains('@'))
}

/// Notes what is wrong with an address.
pub fn check(checks: &mut Checks, pointer: &str, email: &str) {
    if !is_plausible(email) {
        checks.wrong(
            pointer,
            format!("must be an e-mail address of at most {LONGEST} characters, with one @ and no white space"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_width_make_no_other_account() {
        for same in [
            "admin@example.com",
            " ADMIN@Example.COM\n",
            "ａｄｍｉｎ＠ｅｘａｍｐｌｅ．ｃｏｍ",
            "ＡＤＭＩＮ@example.com",
        ] {
            assert_eq!(key_of(same), "admin@example.com", "{same}");
            assert!(is_plausible(same), "{same}");
        }
        assert_ne!(key_of("admın@example.com"), "admin@example.com");
        assert_eq!(key_of("İ@x"), key_of("İ@X"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(250));
        let endless = "a@b".repeat(1_000_000);
        for wrong in [
            "",
            " ",
            "@",
            "a@",
            "@b",
            "a@b@c",
            "ab",
            "a b@c",
            "a@b\0",
            "a@\u{200b}b",
            "a@b＠c",
            &long,
            &endless,
        ] {
            assert!(!is_plausible(wrong), "{:?}", wrong.get(..40));
        }
        assert!(is_plausible("编辑@例子.中国"));
    }
}
