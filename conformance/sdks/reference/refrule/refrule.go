// Package refrule is the reference rule of the Go SDK: refused logins of powerful accounts, and logins of nobody. It reads
// event.action, user.name and source.ip, in this order. The same rule in Rust and C gives the same bytes.
package refrule

import (
	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
)

// Rule is the module.
var Rule = sdk.Rule{Eval: eval}

// The manifest's reads, in order.
const (
	action = iota
	user
	source
)

// reason is one for all, because a module serves one call at a time and must not allocate.
var reason [2 * abi.MaxTitleBytes]byte

func eval(r *sdk.Row, f *sdk.Findings) {
	who, from := r.Get(user), r.Get(source)
	switch string(r.Get(action)) {
	case "login_refused":
		if s := string(who); s != "root" && s != "admin" {
			return
		}
		where := from
		if where == nil {
			where = []byte("an unknown address")
		}
		f.Add(abi.SeverityHigh, []byte("Refused login of a powerful account"), join(who, " was refused from ", where), from)
	case "login":
		if who == nil { // the rule document says the rest
			f.Add(abi.SeverityKeep, nil, nil, nil)
		} else if len(who) > 64 {
			f.Add(abi.SeverityLow, join(who, " logged in", nil), nil, from)
		}
	}
}

// join puts a sentence together; what is longer than a text of a finding is cut.
func join(subject []byte, predicate string, object []byte) []byte {
	b := append(reason[:0], subject[:min(len(subject), abi.MaxTitleBytes)]...)
	b = append(b, predicate...)
	return append(b, object[:min(len(object), abi.MaxTitleBytes-len(predicate))]...)
}
