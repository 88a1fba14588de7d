package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/vedette-siem/vedette/host/rule"
)

// TestCorrelate runs the cases of testdata/correlate.txtar.
func TestCorrelate(t *testing.T) {
	ar, err := txtar.ParseFile("testdata/correlate.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+2 < len(ar.Files); i += 3 {
		rules, events, want := ar.Files[i], ar.Files[i+1], ar.Files[i+2]
		t.Run(path.Dir(rules.Name), func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "rules.yml"), rules.Data, 0o600); err != nil {
				t.Fatal(err)
			}
			var out, errs bytes.Buffer
			args := []string{"correlate", "--rules", dir, "--jsonl", "--names", "native"}
			if code := run(t.Context(), args, bytes.NewReader(timedEvents(t, events.Data)), &out, &errs); code != 0 || !strings.Contains(errs.String(), " 0 refused") {
				t.Fatalf("exit %d: %s", code, errs.String())
			}
			compareFound(t, out.Bytes(), strings.Split(strings.TrimSpace(string(want.Data)), "\n"))
		})
	}
}

// firstEvent is when the events of a case begin.
var firstEvent = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// timedEvents makes the lines that the command reads.
func timedEvents(t *testing.T, text []byte) []byte {
	var b bytes.Buffer
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		at, err := time.ParseDuration(words[0])
		if err != nil {
			t.Fatal(err)
		}
		event := map[string]string{"Channel": "Security"}
		for _, w := range words[1:] {
			name, value, _ := strings.Cut(w, "=")
			event[name] = value
		}
		if err := json.NewEncoder(&b).Encode(map[string]any{"time": firstEvent.Add(at), "event": event}); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// compareFound compares printed firings with lines of a case; a star stands for any events.
func compareFound(t *testing.T, out []byte, want []string) {
	t.Helper()
	var got []string
	for line := range bytes.Lines(out) {
		var f fired
		if err := json.Unmarshal(line, &f); err != nil {
			t.Fatal(err)
		}
		var key []string
		for name, value := range f.Key {
			key = append(key, name+"="+value)
		}
		slices.Sort(key)
		text := fmt.Sprintf("%s %s %d/%d %s ", shortly(f.Time.Sub(firstEvent)), f.Rule, f.Incident, f.Count, strings.Join(key, " "))
		if n := len(got); n < len(want) && want[n] == text+"*" {
			text += "*"
		} else {
			text += strings.Join(f.Events, ",")
		}
		got = append(got, text)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// shortly writes a duration as the cases do: in minutes when they are whole and more than one, otherwise in seconds.
func shortly(d time.Duration) string {
	if d > time.Minute && d%time.Minute == 0 {
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return fmt.Sprintf("%gs", d.Seconds())
}

// TestCorrelateLists: a list comes from a file, and one that a rule writes to is seen by the next one.
func TestCorrelateLists(t *testing.T) {
	dir := t.TempDir()
	head := "version: 1.0.0\nseverity: low\nincident: {title: t}\n"
	for name, text := range map[string]string{
		"vpn.txt":       "10.8.0.0/16\n\n192.0.2.7\n",
		"scan.yaml":     "kind: pattern\nid: scan\nname: n\n" + head + "subs: {s: {where: {event.action: scan, source.ip|in: vpn}, by: [source.ip]}}\nwatchlist: [{name: scanners, value: source.ip, ttl: 1h}]\n",
		"returned.yaml": "kind: pattern\nid: returned\nname: n\n" + head + "subs: {s: {where: {event.action: login, source.ip|in: scanners}, by: [source.ip]}}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	events := "0s event.action=scan source.ip=10.8.1.1\n1s event.action=scan source.ip=10.9.1.1\n2s event.action=login source.ip=10.8.1.1\n" +
		"3s event.action=login source.ip=10.9.1.1\n90m event.action=login source.ip=10.8.1.1\n"
	var out, errs bytes.Buffer
	args := []string{"correlate", "--rules", dir, "--jsonl", "--list", "vpn:cidr=" + filepath.Join(dir, "vpn.txt")}
	if code := run(t.Context(), args, bytes.NewReader(timedEvents(t, []byte(events))), &out, &errs); code != 0 || !strings.Contains(errs.String(), " 0 refused") {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	compareFound(t, out.Bytes(), []string{"0s scan 1/1 source.ip=10.8.1.1 1", "2s returned 2/1 source.ip=10.8.1.1 3"})
	args[len(args)-1] = "vpn:prefix=" + filepath.Join(dir, "vpn.txt")
	if code := run(t.Context(), args, strings.NewReader(""), &out, &errs); code == 0 || !strings.Contains(errs.String(), `kind "prefix"`) {
		t.Errorf("a kind that there is not: exit %d: %s", code, errs.String())
	}
}

// TestCorrelateInput: what is wrong with a line is said with its number.
func TestCorrelateInput(t *testing.T) {
	for in, want := range map[string]string{
		"{":                           "line 1: no JSON",
		`{"event":{}}`:                "line 1: time is missing",
		`{"time":"noon"}`:             `line 1: time "noon"`,
		"{\"time\":1}\n{\"time\":[]}": "line 2: time is missing",
	} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), []string{"correlate", "--rules", t.TempDir(), "--jsonl"}, strings.NewReader(in), &out, &errs); code != 1 || !strings.Contains(errs.String(), want) {
			t.Errorf("%s: exit %d: %s", in, code, errs.String())
		}
	}
}

// BenchmarkCorrelate is what an event costs from its line to the rules: five failures of one address in a minute, and a
// failure before a success of one user, over 10,000 users and addresses.
func BenchmarkCorrelate(b *testing.B) {
	dir := b.TempDir()
	for name, body := range map[string]string{
		"five.yaml":  "subs: {fail: {where: {event.action: ssh_login, event.outcome: failure}, by: [source.ip], having: count() >= 5, window: 60s}}\n",
		"guess.yaml": "window: 10m\nexpr: fail -> ok\nsubs:\n  fail: {where: {event.action: ssh_login, event.outcome: failure}, by: [user.name]}\n  ok: {where: {event.action: ssh_login, event.outcome: success}, by: [user.name]}\n",
	} {
		head := "kind: pattern\nid: " + name + "\nname: n\nversion: 1.0.0\nseverity: high\nincident: {title: t}\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(head+body), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	var in bytes.Buffer
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a made-up log
	at := firstEvent
	for range b.N {
		at = at.Add(time.Duration(random.IntN(200)) * time.Millisecond)
		outcome := "failure"
		if random.IntN(10) == 0 {
			outcome = "success"
		}
		fmt.Fprintf(&in, `{"time":"%s","event":{"event.action":"ssh_login","event.outcome":"%s","user.name":"user%d","source.ip":"10.0.%d.%d","host.name":"bastion","process.name":"sshd"}}`+"\n",
			at.Format(time.RFC3339Nano), outcome, random.IntN(10_000), random.IntN(40), random.IntN(250))
	}
	x := &correlation{in: &in, out: bufio.NewWriter(io.Discard), lists: liveLists{}}
	if err := x.load(dir, rule.Options{}, 0, io.Discard); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	if err := x.readEvents(); err != nil {
		b.Fatal(err)
	}
	if err := x.end(); err != nil {
		b.Fatal(err)
	}
}
