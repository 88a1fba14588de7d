//! Finds refusals at a vault, and counts them; which events it looks at is in rule.yaml.

use std::time::Duration;

use vedette::{window, Findings, Row, Rule, Severity};

#[derive(Default)]
struct Vault;

vedette::export_rule!(Vault);

// The `reads` of module.yaml, in order.
const DOOR: usize = 0;
const BADGE: usize = 1;

const MINUTE: Duration = Duration::from_secs(60);

impl Rule for Vault {
    fn eval(&self, row: &Row, findings: &mut Findings) {
        let (door, badge) = (row.get(DOOR).unwrap_or_default(), row.get(BADGE).unwrap_or_default());
        if !door.starts_with(b"vault") {
            return;
        }
        // The host remembers; this memory is restored before every call.
        let severity = match window::count(badge, 10 * MINUTE, MINUTE, 1) {
            Ok(3..) => Severity::High,
            _ => Severity::Keep,
        };
        findings.add(severity).reason(&[badge, b" was refused at ", door]).key(&[badge]);
    }
}

#[test]
fn a_refusal_at_the_vault() {
    let found = vedette::testing::eval(&Vault, &[&[Some(b"vault-2"), Some(b"mallory")], &[Some(b"north"), Some(b"ada")]]);
    assert_eq!((found.len(), found[0].reason.as_str()), (1, "mallory was refused at vault-2"));
}

#[test]
fn the_third_within_ten_minutes() {
    let refused: &[Option<&[u8]>] = &[Some(b"vault-2"), Some(b"mallory")];
    let at = |minutes: i64| vedette::testing::eval_at(&Vault, minutes * 60_000_000_000, &[refused])[0].severity;
    assert_eq!([at(0), at(1), at(2), at(30)], [Severity::Keep, Severity::Keep, Severity::High, Severity::Keep]);
}
