//! The reference rule of the Rust SDK: refused logins of powerful accounts, and logins of nobody. The same rule in Go and C
//! gives the same bytes.

use vedette::{Findings, Row, Rule, Severity};

/// The rule.
#[derive(Default)]
pub struct RefRule;

vedette::export_rule!(RefRule);

// The manifest's reads, in order.
const ACTION: usize = 0;
const USER: usize = 1;
const SOURCE: usize = 2;

impl Rule for RefRule {
    fn eval(&self, row: &Row, findings: &mut Findings) {
        let (who, from) = (row.get(USER), row.get(SOURCE));
        let key = from.unwrap_or_default();
        match (row.get(ACTION), who) {
            (Some(b"login_refused"), Some(who @ (b"root" | b"admin"))) => {
                findings
                    .add(Severity::High)
                    .title(&[b"Refused login of a powerful account"])
                    .reason(&[who, b" was refused from ", from.unwrap_or(b"an unknown address")])
                    .key(&[key]);
            }
            (Some(b"login"), Some(who)) if who.len() > 64 => {
                findings.add(Severity::Low).title(&[who, b" logged in"]).key(&[key]);
            }
            (Some(b"login"), None) => {
                findings.add(Severity::Keep); // the rule document says the rest
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vedette::testing;

    #[test]
    fn findings() {
        let found = testing::eval(
            &RefRule,
            &[
                &[Some(b"login_refused"), Some(b"ann"), Some(b"192.0.2.1")],
                &[Some(b"login_refused"), Some(b"root"), Some(b"192.0.2.1")],
                &[Some(b"login"), None, None],
            ],
        );
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].row, found[0].severity), (1, Severity::High));
        assert_eq!(found[0].reason, "root was refused from 192.0.2.1");
        assert_eq!(found[0].key, "192.0.2.1");
        assert_eq!((found[1].row, found[1].severity, found[1].title.as_str()), (2, Severity::Keep, ""));
    }
}
