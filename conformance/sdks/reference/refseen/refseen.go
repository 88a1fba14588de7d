// Package refseen is the reference rule of the Go SDK that remembers: logins from where an account was not seen before, and
// refused ones that are many, from one place for many accounts, or followed by success. It reads event.action, user.name and
// source.ip, in this order. The same rule in Rust and C gives the same bytes.
package refseen

import (
	"strconv"
	"time"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/keys"
	"github.com/vedette-siem/vedette/sdk/go/window"
)

// Rule is the module.
var Rule = sdk.Rule{Eval: eval}

// The manifest's reads, in order.
const (
	action = iota
	user
	source
)

const (
	month  = 30 * 24 * time.Hour
	recent = 10 * time.Minute
)

// The steps of a guessed password.
const (
	refused = 1
	let     = 2
)

// A module serves one call at a time and must not allocate.
var (
	both   [512]byte
	reason [abi.MaxTitleBytes]byte
)

func eval(r *sdk.Row, f *sdk.Findings) {
	who, from := r.Get(user), r.Get(source)
	if len(who) == 0 || len(from) == 0 || len(who)+len(from) >= len(both) {
		return
	}
	key := append(append(append(both[:0], who...), ' '), from...)
	switch string(r.Get(action)) {
	case "login":
		login(f, key, who, from)
	case "login_refused":
		refusal(f, key, who, from)
	}
}

func login(f *sdk.Findings, key, who, from []byte) {
	if was, err := window.Step(key, let, recent); err == nil && was == refused {
		f.Add(abi.SeverityHigh, []byte("Let in after a refusal"), nil, key)
	}
	if isNew, err := window.FirstSeen(key, month); err == nil && isNew {
		n, _ := keys.Add(who, 1, keys.Forever)
		f.Add(abi.SeverityLow, []byte("New place"), said(from, " is place ", n), who)
	}
}

func refusal(f *sdk.Findings, key, who, from []byte) {
	_, _ = window.Step(key, refused, recent) // when it does not fit, one step is missed
	if n, err := window.Count(from, recent, time.Minute, 1); err == nil && n == 5 {
		f.Add(abi.SeverityMedium, []byte("Refused again and again"), said(from, " was refused ", n), from)
	}
	if n, err := window.Distinct(from, who, recent); err == nil && n == 3 {
		f.Add(abi.SeverityKeep, []byte("Many accounts"), said(from, " tried ", n), from)
	}
}

// said puts a sentence together; what is longer than a text of a finding is cut.
func said(subject []byte, predicate string, n int64) []byte {
	b := append(append(reason[:0], subject[:min(len(subject), 400)]...), predicate...)
	return strconv.AppendInt(b, n, 10)
}
