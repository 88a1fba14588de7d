//! The reference rule of the Rust SDK that remembers: logins from where an account was not seen before, and refused ones
//! that are many, from one place for many accounts, or followed by success. The same rule in Go and C gives the same bytes.

use std::time::Duration;

use vedette::{kv, window, Findings, Row, Rule, Severity};

/// The rule.
#[derive(Default)]
pub struct RefSeen;

vedette::export_rule!(RefSeen);

// The manifest's reads, in order.
const ACTION: usize = 0;
const USER: usize = 1;
const SOURCE: usize = 2;

const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);
const RECENT: Duration = Duration::from_secs(600);
const MINUTE: Duration = Duration::from_secs(60);

// The steps of a guessed password.
const REFUSED: u16 = 1;
const LET: u16 = 2;

impl Rule for RefSeen {
    fn eval(&self, row: &Row, findings: &mut Findings) {
        let (who, from) = (row.get(USER).unwrap_or_default(), row.get(SOURCE).unwrap_or_default());
        let mut both = [0; 512];
        let n = who.len() + 1 + from.len();
        if who.is_empty() || from.is_empty() || n > both.len() {
            return;
        }
        both[..who.len()].copy_from_slice(who);
        both[who.len()] = b' ';
        both[who.len() + 1..n].copy_from_slice(from);
        match row.get(ACTION) {
            Some(b"login") => login(findings, &both[..n], who, from),
            Some(b"login_refused") => refusal(findings, &both[..n], who, from),
            _ => {}
        }
    }
}

fn login(findings: &mut Findings, key: &[u8], who: &[u8], from: &[u8]) {
    if window::step(key, LET, RECENT) == Ok(REFUSED) {
        findings.add(Severity::High).title(&[b"Let in after a refusal"]).key(&[key]);
    }
    if window::first_seen(key, MONTH) == Ok(true) {
        let n = kv::add(who, 1, kv::FOREVER).unwrap_or_default();
        said(findings, Severity::Low, b"New place", [from, b" is place "], n as u64, who);
    }
}

fn refusal(findings: &mut Findings, key: &[u8], who: &[u8], from: &[u8]) {
    let _ = window::step(key, REFUSED, RECENT); // when it does not fit, one step is missed
    if let Ok(n @ 5) = window::count(from, RECENT, MINUTE, 1) {
        said(findings, Severity::Medium, b"Refused again and again", [from, b" was refused "], n, from);
    }
    if let Ok(n @ 3) = window::distinct(from, who, RECENT) {
        said(findings, Severity::Keep, b"Many accounts", [from, b" tried "], n, from);
    }
}

fn said(
    findings: &mut Findings,
    severity: Severity,
    title: &[u8],
    [subject, predicate]: [&[u8]; 2],
    n: u64,
    key: &[u8],
) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = n;
    while at == digits.len() || rest > 0 {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let subject = &subject[..subject.len().min(400)];
    findings.add(severity).title(&[title]).reason(&[subject, predicate, &digits[at..]]).key(&[key]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use vedette::testing;

    fn titles(after: Duration, rows: &[[&str; 3]]) -> Vec<String> {
        let rows: Vec<Vec<Option<&[u8]>>> =
            rows.iter().map(|r| r.iter().map(|c| Some(c.as_bytes())).collect()).collect();
        let rows: Vec<&[Option<&[u8]>]> = rows.iter().map(|r| &r[..]).collect();
        testing::eval_at(&RefSeen, after.as_nanos() as i64, &rows).into_iter().map(|f| f.title).collect()
    }

    #[test]
    fn places() {
        let login = ["login", "ada", "192.0.2.1"];
        assert_eq!(titles(MINUTE, &[login, login]), ["New place"]);
        assert_eq!(titles(MONTH, &[login]), [""; 0]);
        assert_eq!(titles(3 * MONTH, &[login]), ["New place"]);
    }

    #[test]
    fn a_guessed_password() {
        let refused = |who| ["login_refused", who, "192.0.2.9"];
        assert_eq!(titles(MINUTE, &[refused("ada"); 4]), [""; 0]);
        assert_eq!(titles(2 * MINUTE, &[refused("bob"), refused("eve")]), ["Refused again and again", "Many accounts"]);
        let login = ["login", "ada", "192.0.2.9"];
        assert_eq!(titles(3 * MINUTE, &[login, login]), ["Let in after a refusal", "New place"]);
    }
}
