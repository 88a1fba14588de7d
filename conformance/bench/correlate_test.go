package bench

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host"
	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
)

const (
	sshdLines  = 1_000_000
	sshdPerSec = 100 // of event time
	sshdBatch  = 256 // records that are read at once, as in the pipeline
	sshdRounds = 3   // of the parsed events; the fastest counts
)

// The two rules: five failures from one address within a minute, and five of a user that one success follows.
var sshdRules = []string{
	`{"kind":"pattern","id":"failures","name":"failures","version":"1.0.0","severity":"low","window":"60s",
"subs":{"fail":{"where":{"event.action":"ssh_login","event.outcome":"failure"},"by":["source.ip"],"having":"count() >= 5"}},
"incident":{"title":"{count} failures from {source.ip}"}}`,
	`{"kind":"pattern","id":"success","name":"success","version":"1.0.0","severity":"low","window":"60s",
"subs":{"fail":{"where":{"event.action":"ssh_login","event.outcome":"failure"},"by":["user.name"]},
"ok":{"where":{"event.action":"ssh_login","event.outcome":"success"},"by":["user.name"]}},
"expr":"fail -> ok within 60s","incident":{"title":"{user.name} logged in after a failure"}}`,
}

// The same for SEC (https://simple-evcorr.github.io), in the time at which it reads.
const (
	secFailures = `type=SingleWithThreshold
ptype=RegExp
pattern=sshd\[\d+\]: Failed password for (?:invalid user )?\S+ from (\S+) port
desc=failures from $1
action=write - failures $1
window=60
thresh=5
`
	secSuccess = `
type=Single
ptype=RegExp
pattern=sshd\[\d+\]: Failed password for (?:invalid user )?(\S+) from
desc=failure of $1
action=create FAILED_$1 60

type=Single
ptype=RegExp
pattern=sshd\[\d+\]: Accepted password for (\S+) from
context=FAILED_$1
desc=success of $1
action=write - success $1; delete FAILED_$1
`
)

// TestBenchCorrelation: one million lines of sshd, from raw lines and from parsed events, in event time, beside SEC.
func TestBenchCorrelation(t *testing.T) {
	b := newTable(t, "ONE MILLION LINES OF SSHD, TWO RULES, CPU OF ONE CORE")
	lines, times := sshdLog()
	var rules []*rule.Rule
	for _, text := range sshdRules {
		r, err := rule.Parse("bench.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, r)
	}
	set, err := detect.Compile(rules)
	if err != nil {
		t.Fatal(err)
	}
	off, err := host.NewOffline(t.Context(), filepath.Join(t.TempDir(), "cache"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = off.Close(t.Context()) }()

	events := make([]storage.Event, 0, sshdLines)
	began := cpu()
	raw := newDetection(set)
	parseAll(t, off, lines, times, func(part []storage.Event) {
		raw.take(part)
		events = append(events, part...)
	})
	fromRaw := (cpu() - began).Seconds()
	best := 0.0
	var again *detection
	for range sshdRounds {
		began = cpu()
		again = newDetection(set)
		for i := 0; i < len(events); i += sshdBatch {
			again.take(events[i:min(i+sshdBatch, len(events))])
		}
		if took := (cpu() - began).Seconds(); best == 0 || took < best {
			best = took
		}
	}
	if fmt.Sprint(raw.firings) != fmt.Sprint(again.firings) || raw.firings["failures"] == 0 || raw.firings["success"] == 0 {
		t.Errorf("firings differ: %v and %v", raw.firings, again.firings)
	}
	n := float64(len(lines))
	b.goal("from parsed events", ">= 200000/s", n/best >= 200_000, "%.0f events/s (%.2f µs), %v, %d keys", n/best, best/n*1e6, again.firings, again.state.Stats().Keys)
	b.goal("from raw lines, all parsers there", ">= 110000/s", n/fromRaw >= 110_000, "%.0f lines/s (%.2f µs)", n/fromRaw, fromRaw/n*1e6)
	sec(t, b, "SEC, the first rule", secFailures, lines)
	sec(t, b, "SEC, both rules", strings.Replace(secFailures, "ptype=", "continue=TakeNext\nptype=", 1)+secSuccess, lines)
}

// sshdLog returns lines and when they were written: of a hundred lines four are failures of one of few attackers, six of
// somebody, eight are logins, and the rest is what sshd says besides.
func sshdLog() (lines []string, times []int64) {
	d := rand.New(rand.NewPCG(20261122, 5))
	at := time.Now().Add(-time.Duration(sshdLines/sshdPerSec) * time.Second).Truncate(time.Second)
	for i := range sshdLines {
		when := at.Add(time.Duration(i/sshdPerSec) * time.Second)
		user, pid := fmt.Sprintf("user%d", d.IntN(20_000)), 1000+d.IntN(30_000)
		addr := fmt.Sprintf("10.%d.%d.%d", d.IntN(8), d.IntN(256), d.IntN(256))
		var text string
		switch r := d.IntN(100); {
		case r < 4:
			text = fmt.Sprintf("Failed password for invalid user %s from 203.0.113.%d port %d ssh2", user, d.IntN(250), 1024+d.IntN(60_000))
		case r < 10:
			text = fmt.Sprintf("Failed password for %s from %s port %d ssh2", user, addr, 1024+d.IntN(60_000))
		case r < 18:
			text = fmt.Sprintf("Accepted password for %s from %s port %d ssh2", user, addr, 1024+d.IntN(60_000))
		case r < 60:
			text = fmt.Sprintf("Disconnected from user %s %s port %d", user, addr, 1024+d.IntN(60_000))
		default:
			text = fmt.Sprintf("Connection closed by %s port %d [preauth]", addr, 1024+d.IntN(60_000))
		}
		lines = append(lines, fmt.Sprintf("%s bastion sshd[%d]: %s", when.Format(time.Stamp), pid, text))
		times = append(times, when.UnixNano())
	}
	return lines, times
}

// parseAll reads lines as they came: received when they were written.
func parseAll(t *testing.T, off *host.Offline, lines []string, times []int64, take func([]storage.Event)) {
	t.Helper()
	recs := make([]queue.Record, 0, sshdBatch)
	for i := range lines {
		recs = append(recs, queue.Record{Raw: []byte(lines[i]), Received: times[i], Source: queue.Source{Listener: "syslog", Peer: "192.0.2.1"}})
		if len(recs) < sshdBatch && i+1 < len(lines) {
			continue
		}
		parsed, err := off.Parse(t.Context(), recs)
		if err != nil {
			t.Fatal(err)
		}
		part := make([]storage.Event, 0, len(parsed))
		for j := range parsed {
			part = append(part, parsed[j].Events...)
		}
		take(part)
		recs = make([]queue.Record, 0, sshdBatch)
	}
}

// detection is matching and correlation of one organization.
type detection struct {
	set     *detect.Set
	scratch detect.Scratch
	state   *correlate.State
	hits    []correlate.Hit
	seq     uint64
	firings map[string]int
}

func newDetection(set *detect.Set) *detection {
	return &detection{set: set, state: correlate.New(correlate.Limits{}), firings: map[string]int{}}
}

func (d *detection) take(events []storage.Event) {
	d.seq++
	d.hits = d.hits[:0]
	newest := int64(0)
	for i := range events {
		ev := &events[i]
		newest = max(newest, ev.Time)
		for _, h := range d.set.Match(ev, &d.scratch) {
			d.hits = append(d.hits, correlate.Hit{Rule: h.Rule, Sub: h.Sub, Event: ev})
		}
	}
	times := []correlate.SourceTime{{Tenant: events[0].Tenant, Source: "syslog 192.0.2.1", Time: newest}}
	for _, f := range d.state.Apply(d.seq, newest, times, d.hits) {
		d.firings[f.Rule]++
	}
}

// sec measures the Simple Event Correlator, if the machine has it (Debian: sec).
func sec(t *testing.T, b *table, name, conf string, lines []string) {
	t.Helper()
	path, err := exec.LookPath("sec")
	if err != nil {
		b.figure(name, "not measured: there is no sec here (apt-get install sec)")
		return
	}
	dir := t.TempDir()
	for file, text := range map[string]string{"sec.conf": conf, "log": strings.Join(lines, "\n") + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), path, "--conf="+filepath.Join(dir, "sec.conf"), "--input="+filepath.Join(dir, "log"), "--notail", "--nointevents", "--debug=3")
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out.String())
	}
	use := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	took := time.Duration(use.Utime.Nano() + use.Stime.Nano()).Seconds()
	n := float64(len(lines))
	b.figure(name, "%.0f lines/s (%.2f µs), %d actions", n/took, took/n*1e6, bytes.Count(out.Bytes(), []byte("\n")))
}
