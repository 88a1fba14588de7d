//! Writing JSON, for the records of monitors.

/// Appends the inside of a JSON string: quotes, backslashes and control characters are escaped.
pub fn escape(to: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '"' | '\\' => to.extend(['\\', c]),
            c if c < ' ' => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                to.push_str("\\u00");
                to.extend([DIGITS[c as usize >> 4] as char, DIGITS[c as usize & 15] as char]);
            }
            c => to.push(c),
        }
    }
}

/// The JSON string of a text, quotes included.
pub fn string(text: &str) -> String {
    let mut s = String::with_capacity(text.len() + 2);
    s.push('"');
    escape(&mut s, text);
    s.push('"');
    s
}

#[cfg(test)]
mod tests {
    #[test]
    fn string() {
        assert_eq!(super::string("say \"hi\"\\\n\u{1f}é"), "\"say \\\"hi\\\"\\\\\\u000a\\u001fé\"");
    }
}
