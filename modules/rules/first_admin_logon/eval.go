package main

import (
	"encoding/binary"
	"strconv"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/keys"
	"github.com/vedette-siem/vedette/sdk/go/window"
)

// The columns of the manifest's reads.
const (
	userName = iota
	userDomain
	hostName
	hostHostname
)

// work is what Eval works on. It is one variable because a module serves one call at a time and must not allocate.
type work struct {
	host    [MaxNameBytes]byte
	account [2*MaxNameBytes + 1]byte
	pair    [3*MaxNameBytes + 2]byte
	known   [8]byte
	title   [abi.MaxTitleBytes]byte
	reason  [abi.MaxTitleBytes]byte
}

var w work

// Eval reports an account that has not used administrator rights on a host within ForgetTime, once the host has been
// known for LearnTime. Where the host's quota is full nothing is reported: what cannot be remembered is not new.
func Eval(r *sdk.Row, f *sdk.Findings) {
	user, domain, name := r.Get(userName), r.Get(userDomain), r.Get(hostName)
	if name == nil {
		name = r.Get(hostHostname)
	}
	if user == nil || name == nil {
		return
	}
	host := lower(w.host[:0], name)
	account := w.account[:0]
	if domain != nil {
		account = append(lower(account, domain), '\\')
	}
	account = lower(account, user)
	pair := append(append(append(w.pair[:0], account...), 0), host...)

	learnt := w.learnt(host, r.LogTime())
	admins, _ := window.Distinct(host, account, CountTime)
	if first, err := window.FirstSeen(pair, ForgetTime); err != nil || !first || !learnt {
		return
	}
	title := w.title[:0]
	if domain != nil {
		title = append(append(title, cut(domain)...), '\\')
	}
	title = append(append(title, cut(user)...), " used administrator rights on "...)
	title = append(append(title, cut(name)...), " for the first time in 90 days"...)
	reason := strconv.AppendInt(w.reason[:0], admins, 10)
	if reason = append(reason, " accounts have used"...); admins == 1 {
		reason = append(w.reason[:0], "no other account has used"...)
	}
	f.Add(0, title, append(reason, " administrator rights on it within 30 days"...), host)
}

// learnt reports whether a host has been known for LearnTime, and notes that it is there.
func (w *work) learnt(host []byte, now int64) bool {
	since := now
	if v, err := keys.Get(host, w.known[:]); err == nil && len(v) == 8 {
		since = int64(binary.LittleEndian.Uint64(v))
	}
	binary.LittleEndian.PutUint64(w.known[:], uint64(since))
	if err := keys.Put(host, w.known[:], ForgetTime); err != nil {
		return false
	}
	return now-since >= int64(LearnTime)
}

func cut(name []byte) []byte { return name[:min(len(name), MaxNameBytes)] }

// lower appends a name in small letters, as Windows compares names.
func lower(dst, name []byte) []byte {
	for _, c := range cut(name) {
		if c-'A' < 26 {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}
