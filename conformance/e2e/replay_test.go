package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// TestReplay exports an incident from a live host, also after a kill, and checks it without any host, as another machine
// would: with nothing but the binary and the file.
func TestReplay(t *testing.T) {
	s := newServer(t, "organizations: [{slug: one, name: One}, {slug: two, name: Two}]\nno_syslog: true\n")
	s.start()
	defer func() { s.kill() }()
	ctx := t.Context()
	s.signIn(ctx)
	var lines strings.Builder
	line := func(outcome, user string) {
		fmt.Fprintf(&lines, "%s bastion-1 sshd[2102]: %s password for %s from 203.0.113.7 port 40022 ssh2\n",
			time.Now().UTC().Format("2006-01-02T15:04:05.000000Z07:00"), outcome, user)
	}
	for range 14 {
		line("Failed", "root")
	}
	line("Accepted", "root")
	for tenant, body := range map[uint32]string{1: lines.String(), 2: strings.ReplaceAll(lines.String(), "bastion-1", "neighbour")} {
		if err := s.ingest(ctx, http.DefaultClient, s.ingestToken(ctx, tenant, "replay"), body); err != nil {
			t.Fatal(err)
		}
	}
	var in *v1.Incident
	s.until("the incident", 60*time.Second, func() bool {
		r, err := s.incidents().ListIncidents(ctx, connect.NewRequest(&v1.ListIncidentsRequest{Tenants: []uint32{1}, Rule: "ssh-guessed-password"}))
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Msg.Incidents) > 0 {
			in = r.Msg.Incidents[0]
		}
		return in != nil
	})
	dir := t.TempDir()
	first, second := filepath.Join(dir, "first.tar"), filepath.Join(dir, "second.tar")
	var out string
	s.until("the export", 30*time.Second, func() bool { // an event can be found about a second after it came
		var err error
		out, err = s.vedette(dir, "replay", "--incident", in.Id, "--output", first)
		return err == nil
	})
	if !strings.HasSuffix(out, "equal\n") || !strings.Contains(out, "15 parsed again, 15 events compared") {
		t.Errorf("replay says\n%s", out)
	}
	s.kill()
	s.start()
	s.until("the export after a kill", 30*time.Second, func() bool {
		_, err := s.vedette(dir, "replay", "--incident", in.Id, "--output", second)
		return err == nil
	})
	data := readFile(t, first)
	if !bytes.Equal(data, readFile(t, second)) {
		t.Error("the export after a kill is another one")
	}
	if bytes.Contains(data, []byte("neighbour")) {
		t.Error("the export holds records of another organization")
	}
	s.stop()
	elsewhere := t.TempDir()
	if out, err := s.vedette(elsewhere, "replay", first); err != nil || !strings.HasSuffix(out, "equal\n") {
		t.Errorf("on another machine: %v\n%s", err, out)
	}
	forged := filepath.Join(dir, "forged.tar")
	if err := os.WriteFile(forged, bytes.ReplaceAll(data, []byte("bastion-1 sshd"), []byte("bastion-7 sshd")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := s.vedette(elsewhere, "replay", forged); err == nil || !strings.Contains(out, "differs   event ") {
		t.Errorf("a forged record: %v\n%s", err, out)
	}
}

// vedette runs the binary as a user whose home is a directory, with the session of the server.
func (s *server) vedette(home string, args ...string) (string, error) {
	cmd := exec.Command(binary(s.t), args...)
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CACHE_HOME="+filepath.Join(home, "cache"), "XDG_CONFIG_HOME="+home,
		"VEDETTE_SERVER="+s.url, "VEDETTE_TOKEN="+s.token)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
