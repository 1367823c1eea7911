//! Levels of counts: how the most read are found without sorting all.

/// The number of binary digits of a count, which stands beside it with an index: it changes with every doubling only, so
/// that counting leaves the index alone. Whatever has a higher level has a higher count; only what shares a level has to
/// be sorted.
pub fn level(count: i64) -> i32 {
    let digits = i64::BITS - count.max(0).leading_zeros();
    i32::try_from(digits).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_the_number_of_binary_digits() {
        for (count, expected) in [(-1, 0), (0, 0), (1, 1), (2, 2), (3, 2), (4, 3), (1023, 10), (1024, 11)] {
            assert_eq!(level(count), expected, "{count}");
        }
        assert_eq!(level(i64::MAX), 63);
    }
}
