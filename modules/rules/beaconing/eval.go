package main

import (
	"bytes"
	"strconv"
	"time"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/keys"
	"github.com/vedette-siem/vedette/sdk/go/settings"
	"github.com/vedette-siem/vedette/sdk/go/timer"
)

// The columns of the manifest's reads.
const (
	sourceIP = iota
	destinationDomain
	destinationIP
	destinationPort
)

// chosen is what the settings say.
var chosen struct {
	calls  uint32
	lasts  time.Duration
	jitter int64 // per cent
	ignore [][]byte
}

// Init reads the settings.
func Init(b []byte) error {
	v, err := settings.Read(b)
	if err != nil {
		return err
	}
	chosen.calls, chosen.jitter = uint32(v.Int("least_calls", 12)), v.Int("jitter_percent", 15)
	chosen.lasts = time.Duration(v.Int("least_minutes", 60)) * time.Minute
	chosen.ignore = nil
	for _, name := range v["ignore"] {
		chosen.ignore = append(chosen.ignore, lower(nil, []byte(name)))
	}
	return nil
}

// work is what the rule works on. It is one variable because a module serves one call at a time and must not allocate.
type work struct {
	series series
	key    [MaxSourceBytes + MaxDestinationBytes + 16]byte
	value  [seriesBytes]byte
	title  [abi.MaxTitleBytes]byte
	reason [abi.MaxTitleBytes]byte
	fields [abi.MaxTitleBytes]byte
}

var w work

// Eval notes that a host has called a destination. The first call of a series sets the timer that looks at it.
func Eval(r *sdk.Row, _ *sdk.Findings) {
	from, to, port := r.Get(sourceIP), r.Get(destinationDomain), r.Get(destinationPort)
	if to == nil {
		to = r.Get(destinationIP)
	}
	if len(from) == 0 || len(from) > MaxSourceBytes || len(to) == 0 || len(to) > MaxDestinationBytes || len(port) > 5 {
		return
	}
	key := append(append(w.key[:0], from...), '\n')
	key = append(lower(key, to), '\n')
	if ignored(key[len(from)+1 : len(key)-1]) {
		return
	}
	key = append(key, port...)
	s := &w.series
	if b, err := keys.Get(key, w.value[:]); err == nil && s.read(b) {
		s.call(r.Time(), r.Ref())
	} else {
		s.begin(r.Time(), r.Ref())
		if timer.Set(key, r.LogTime()+int64(LookTime)) != nil {
			return // nobody would look at it
		}
	}
	_ = keys.Put(key, s.append(w.value[:0]), KeepTime)
}

// Due looks at a series: a regular one is reported, and begins anew, as does one that has become old.
func Due(t *sdk.Timer, f *sdk.Findings) {
	s := &w.series
	b, err := keys.Get(t.Key, w.value[:])
	if err != nil || !s.read(b) {
		return
	}
	quiet, last := s.last < t.Now-int64(QuietTime), s.last-s.first > int64(LongestSeries)
	if report(f, t.Key, s) || quiet || last {
		_, _ = keys.Delete(t.Key)
		return
	}
	_ = timer.Set(t.Key, t.Now+int64(LookTime))
}

// report reports a series if it is long and regular enough.
func report(f *sdk.Findings, key []byte, s *series) bool {
	lasted := time.Duration(s.last - s.first)
	if s.calls < chosen.calls || lasted < chosen.lasts {
		return false
	}
	middle, deviation := s.regular()
	if middle < LeastInterval || int64(deviation)*100 > int64(middle)*chosen.jitter {
		return false
	}
	from, to, _ := bytes.Cut(key, []byte{'\n'})
	to, port, _ := bytes.Cut(to, []byte{'\n'})
	title := append(append(append(w.title[:0], from...), " calls "...), to...)
	title = append(append(title, " every "...), middle.Round(time.Second).String()...)
	reason := append(strconv.AppendUint(w.reason[:0], uint64(s.calls), 10), " calls in "...)
	reason = append(append(reason, lasted.Round(time.Second).String()...), ", half of the intervals within "...)
	reason = append(append(reason, deviation.String()...), " of the middle one"...)
	fields := append(append(w.fields[:0], "source.ip="...), from...)
	name := "\ndestination.domain="
	if address(to) {
		name = "\ndestination.ip="
	}
	fields = append(append(fields, name...), to...)
	if len(port) > 0 {
		fields = append(append(fields, "\ndestination.port="...), port...)
	}
	f.Report(abi.Finding{Severity: abi.SeverityMedium, Title: title, Reason: reason, Key: fields, Evidence: s.refs})
	return true
}

// address reports whether a destination is an IP address and no name.
func address(to []byte) bool {
	for _, c := range to {
		if (c < '0' || c > '9') && c != '.' {
			return bytes.IndexByte(to, ':') >= 0
		}
	}
	return true
}

// ignored reports whether a destination is one that the settings name, or below such a domain.
func ignored(to []byte) bool {
	for _, name := range chosen.ignore {
		if rest, ok := bytes.CutSuffix(to, name); ok && (len(rest) == 0 || rest[len(rest)-1] == '.') {
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
