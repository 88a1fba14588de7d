//! Finding bytes eight at a time, and reading numbers. In a sandbox the former is several times as fast as one by one.

const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = 0x8080_8080_8080_8080;

/// Has the top bit of the lowest zero byte of `x` set and none below it; bits above it may be set as well.
fn zeros(x: u64) -> u64 {
    x.wrapping_sub(ONES) & !x & TOPS
}

fn find(b: &[u8], in_word: impl Fn(u64) -> u64, one: impl Fn(u8) -> bool) -> Option<usize> {
    let mut words = b.chunks_exact(8);
    for (i, word) in (&mut words).enumerate() {
        let found = in_word(u64::from_le_bytes(word.try_into().unwrap()));
        if found != 0 {
            return Some(8 * i + found.trailing_zeros() as usize / 8);
        }
    }
    let rest = words.remainder();
    rest.iter().position(|&c| one(c)).map(|i| b.len() - rest.len() + i)
}

/// The index of the first `c` in `b`.
pub fn byte(b: &[u8], c: u8) -> Option<usize> {
    let each = ONES * u64::from(c);
    find(b, |x| zeros(x ^ each), |x| x == c)
}

/// The index of the first `c` or `d` in `b`.
pub fn either(b: &[u8], c: u8, d: u8) -> Option<usize> {
    let (each_c, each_d) = (ONES * u64::from(c), ONES * u64::from(d));
    find(b, |x| zeros(x ^ each_c) | zeros(x ^ each_d), |x| x == c || x == d)
}

/// Reads a whole number of nothing but digits.
pub fn uint(b: &[u8]) -> Option<u64> {
    if b.is_empty() {
        return None;
    }
    b.iter().try_fold(0u64, |n, c| {
        let digit = c.wrapping_sub(b'0');
        if digit > 9 || n > u64::MAX / 10 {
            return None; // checked_mul would multiply 128 bits in a sandbox
        }
        (10 * n).checked_add(digit.into())
    })
}

/// Reads a whole number that may have a minus in front of it.
pub fn int(b: &[u8]) -> Option<i64> {
    match b.strip_prefix(b"-") {
        Some(digits) => 0i64.checked_sub_unsigned(uint(digits)?),
        None => uint(b)?.try_into().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_a_loop_finds() {
        for len in 0..40 {
            for at in 0..=len {
                let mut b = vec![b'x'; len];
                b.push(0x80); // a byte of which arithmetic on words may think too much
                if at < len {
                    b[at] = b'"';
                    b[len - 1] = b'\\';
                }
                assert_eq!(byte(&b, b'"'), b.iter().position(|&c| c == b'"'));
                assert_eq!(either(&b, b'\\', b'"'), b.iter().position(|&c| c == b'"' || c == b'\\'));
            }
        }
    }

    #[test]
    fn numbers() {
        for (text, want) in [
            ("0", Some(0)),
            ("007", Some(7)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("", None),
            ("+1", None),
            ("1 ", None),
            ("-1", None),
        ] {
            assert_eq!(uint(text.as_bytes()), want, "{text}");
        }
        for (text, want) in [
            ("-0", Some(0)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("-9223372036854775809", None),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("-", None),
            ("--1", None),
        ] {
            assert_eq!(int(text.as_bytes()), want, "{text}");
        }
    }
}
