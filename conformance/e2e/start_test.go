package e2e

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// serveFails runs the binary, which must end by itself with an error, and returns what it says.
func serveFails(t *testing.T, config string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, binary(t), "serve", "--config", config).CombinedOutput()
	if err == nil || ctx.Err() != nil {
		t.Fatalf("the server started (%v):\n%s", err, out)
	}
	return string(out)
}

// TestSecondProcess shows what a second process on the same data directory is told.
func TestSecondProcess(t *testing.T) {
	s := newServer(t, "no_syslog: true\n")
	s.start()
	other := filepath.Join(t.TempDir(), "other.yaml")
	put(t, other, fmt.Sprintf("data_dir: %s\nhttp: 127.0.0.1:%d\nno_syslog: true\n", s.dir, freePort(t)))
	said := serveFails(t, other)
	if want := fmt.Sprintf("used by process %d", s.cmd.Process.Pid); !strings.Contains(said, want) {
		t.Errorf("it says %q, want %q in it", said, want)
	}
	s.stop()
	info, err := os.Stat(s.dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the data directory has mode %v (%v), want 0700", info.Mode(), err)
	}
}

// TestPortTaken shows what is said when somebody else has a port.
func TestPortTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	for name, extra := range map[string]string{
		"http":   fmt.Sprintf("no_syslog: true\nhttp: 127.0.0.1:%d\n", port),
		"syslog": fmt.Sprintf("http: 127.0.0.1:%d\nsyslog: [{protocol: tcp, listen: \"127.0.0.1:%d\", organization: main}]\n", freePort(t), port),
	} {
		config := filepath.Join(t.TempDir(), "vedette.yaml")
		put(t, config, fmt.Sprintf("data_dir: %s\n%s", filepath.Join(t.TempDir(), "data"), extra))
		said := serveFails(t, config)
		for _, want := range []string{fmt.Sprint(port), fmt.Sprint(os.Getpid())} {
			if !strings.Contains(said, want) {
				t.Errorf("%s: it says %q, want %q in it", name, said, want)
			}
		}
	}
}

// TestRefusedModule installs a bad version on a live host: it is refused with its reason, and the version that ran goes
// on without losing a record.
func TestRefusedModule(t *testing.T) {
	ctx := context.Background()
	s := newServer(t, "no_syslog: true\n")
	s.start()
	s.signIn(ctx)
	s.install(ctx, parserPackage(t, "1.0.0"))
	w := newWriter("a1", 1)
	w.token = s.ingestToken(ctx, 1, "refused")
	running, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); w.write(running, s) }()
	bad := strings.ReplaceAll(ledgerRule, "count() >= 25", "cuont() >= 25")
	for name, c := range map[string]struct {
		pkg  []byte
		want string
	}{
		"no package":          {[]byte("this is no package"), "package"},
		"a mistake":           {rulePackage(t, "busy", bad), "unknown function"},
		"failing own test":    {rulePackage(t, "busy", strings.ReplaceAll(ledgerRule, "expect: { incidents: 0 }", "expect: { incidents: 1 }")), "tests"},
		"same version, other": {parserPackageWith(t, "1.0.0", "\nvar changed = 1\n\nfunc init() { changed++ }\n"), "version"},
	} {
		err := s.tryInstall(ctx, c.pkg)
		if err == nil || !strings.Contains(strings.ToLower(err.Error()), c.want) {
			t.Errorf("%s: the answer is %v, want a refusal that says %q", name, err, c.want)
		}
	}
	cancel()
	<-done
	s.drain(ctx)
	r, err := s.modules().ListModules(ctx, connect.NewRequest(&v1.ListModulesRequest{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range r.Msg.Modules {
		if m.Name == "e2e/ledger" && (m.Version != "1.0.0" || m.Use.GetErrors() != 0 || m.Publisher != "unsigned, local") {
			t.Errorf("after the refusals e2e/ledger is %v", m)
		}
	}
	s.stop()
	checkStored(t, readRows(t, s.dir), w)
}

// checkStored fails when an acknowledged record is missing or there twice.
func checkStored(t *testing.T, rows map[string]row, w *writer) {
	t.Helper()
	times := map[int]int{}
	for _, r := range rows {
		times[r.Seq]++
	}
	for n := range w.acked {
		if times[n] != 1 {
			t.Errorf("record %d of %s is stored %d times", n, w.name, times[n])
		}
	}
	if len(w.acked) == 0 {
		t.Error("no record was acknowledged: the test shows nothing")
	}
}
