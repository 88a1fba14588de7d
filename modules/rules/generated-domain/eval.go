package main

import (
	"bytes"
	"strconv"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/settings"
	"github.com/vedette-siem/vedette/sdk/go/window"
)

// The columns of the manifest's reads.
const (
	sourceIP = iota
	hostName
	questionName
	responseCode
)

// chosen is what the settings say.
var chosen struct {
	least, many int64 // names
	allowed     [][]byte
}

// Init reads the settings.
func Init(b []byte) error {
	v, err := settings.Read(b)
	if err != nil {
		return err
	}
	chosen.least, chosen.many, chosen.allowed = v.Int("least_names", 5), v.Int("many_names", 20), nil
	for _, name := range v["allowed"] {
		chosen.allowed = append(chosen.allowed, bytes.ToLower([]byte(name)))
	}
	return nil
}

// work is what Eval works on. It is one variable because a module serves one call at a time and must not allocate.
type work struct {
	key    [MaxHostBytes + 2]byte
	name   [abi.MaxTitleBytes]byte
	title  [abi.MaxTitleBytes]byte
	reason [abi.MaxTitleBytes]byte
}

var w work

// Eval counts a question of a host, and reports the host when it has asked for enough different names that look made up:
// once in the time over which is counted.
func Eval(r *sdk.Row, f *sdk.Findings) {
	host, name := r.Get(sourceIP), r.Get(questionName)
	if host == nil {
		host = r.Get(hostName)
	}
	if len(host) == 0 || len(host) > MaxHostBytes || len(name) == 0 || len(name) > len(w.name) {
		return
	}
	failed := int64(0)
	if fails(r.Get(responseCode)) {
		failed = 1
	}
	key := append(append(w.key[:0], host...), 0, 'a')
	kind := &key[len(key)-1]
	all, err := window.Count(key, CountTime, CountStep, 1)
	if err != nil {
		return
	}
	*kind = 'f'
	fails, err := window.Count(key, CountTime, CountStep, failed)
	label := chosenPart(lower(w.name[:0], name))
	if err != nil || len(label) < LeastLabel || len(label) > MostLabel || random(label) < Random || allowed(w.name[:len(name)]) {
		return
	}
	*kind = 'n'
	names, err := window.Distinct(key, label, CountTime)
	if err != nil || names < chosen.many && (names < chosen.least || fails*100 < all*LeastFailed) {
		return
	}
	*kind = 'r'
	if first, err := window.FirstSeen(key, CountTime); err != nil || !first {
		return
	}
	title := append(append(w.title[:0], host...), " asks for names that look generated, such as "...)
	title = append(title, name[:min(len(name), cap(title)-len(title))]...)
	reason := append(strconv.AppendInt(w.reason[:0], names, 10), " different names within 10 minutes; of "...)
	reason = append(strconv.AppendInt(reason, all, 10), " questions "...)
	reason = append(strconv.AppendInt(reason, fails, 10), " were for names that do not exist"...)
	f.Add(0, title, reason, nil)
}

// fails reports whether an answer says that there is no such name: as text, as DNS numbers it, or as Windows does.
func fails(code []byte) bool {
	switch string(code) {
	case "NXDOMAIN", "nxdomain", "NXDomain", "3", "9003":
		return true
	}
	return false
}

// allowed reports whether a name is one of the domains that the settings name, or below one.
func allowed(name []byte) bool {
	name = bytes.TrimSuffix(name, []byte{'.'})
	for _, a := range chosen.allowed {
		if rest, ok := bytes.CutSuffix(name, a); ok && (len(rest) == 0 || rest[len(rest)-1] == '.') {
			return true
		}
	}
	return false
}

// lower appends a name in small letters.
func lower(dst, name []byte) []byte {
	for _, c := range name {
		if c-'A' < 26 {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}
