//! Finds refusals at a vault; which events it looks at is in rule.yaml.

use vedette::{Findings, Row, Rule, Severity};

#[derive(Default)]
struct Vault;

vedette::export_rule!(Vault);

// The `reads` of module.yaml, in order.
const DOOR: usize = 0;
const BADGE: usize = 1;

impl Rule for Vault {
    fn eval(&self, row: &Row, findings: &mut Findings) {
        let (door, badge) = (row.get(DOOR).unwrap_or_default(), row.get(BADGE).unwrap_or_default());
        if door.starts_with(b"vault") {
            findings.add(Severity::High).reason(&[badge, b" was refused at ", door]).key(&[badge]);
        }
    }
}

#[test]
fn a_refusal_at_the_vault() {
    let found = vedette::testing::eval(&Vault, &[&[Some(b"vault-2"), Some(b"mallory")], &[Some(b"north"), Some(b"ada")]]);
    assert_eq!((found.len(), found[0].reason.as_str()), (1, "mallory was refused at vault-2"));
}
