// Package e2e drives the real binary over real sockets.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"connectrpc.com/connect"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

// root is the repository's folder as seen from this package.
const root = "../.."

var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "vedette-e2e")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "vedette")
	cmd := exec.Command("go", "build", "-o", bin, "./host/cmd/vedette")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w: %s", err, out)
	}
	return bin, nil
})

// binary builds the host once for all tests.
func binary(t testing.TB) string {
	t.Helper()
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// server is a running host: the real binary with its own data directory.
type server struct {
	t        testing.TB
	dir      string // data directory
	config   string // configuration file
	url      string
	syslog   map[string]string // addresses by organization, when it listens
	password string
	token    string // session
	cmd      *exec.Cmd
	errs     lockedBuffer
	exited   chan struct{}
	patience time.Duration // until a start answers, once it has read its log
}

// freePort returns a TCP port that nobody uses now.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// newServer prepares a data directory; extra is appended to its configuration.
func newServer(t testing.TB, extra string) *server {
	t.Helper()
	s := &server{t: t, dir: filepath.Join(t.TempDir(), "data"), patience: time.Minute}
	s.config = filepath.Join(filepath.Dir(s.dir), "vedette.yaml")
	port := freePort(t)
	s.url = fmt.Sprintf("http://127.0.0.1:%d", port)
	text := fmt.Sprintf("data_dir: %s\nhttp: 127.0.0.1:%d\n%s", s.dir, port, extra)
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// start runs the binary and returns when it answers.
func (s *server) start(args ...string) {
	s.t.Helper()
	s.cmd = exec.Command(binary(s.t), append([]string{"serve", "--config", s.config}, args...)...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	s.errs.Reset()
	s.cmd.Stderr = &s.errs
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.exited = make(chan struct{})
	password := make(chan string, 1) // "" when this start made none
	go func() {
		lines, word := bufio.NewScanner(out), ""
		for lines.Scan() {
			if p, ok := strings.CutPrefix(lines.Text(), "password  "); ok {
				word, _, _ = strings.Cut(p, " ")
			} else if lines.Text() == "Ctrl-C stops" {
				password <- word
			}
		}
		_ = s.cmd.Wait() // how it ended is no news: the test ended it
		close(s.exited)
	}()
	select {
	case word := <-password:
		if word != "" {
			s.password = word
		}
	case <-s.exited:
		s.t.Fatalf("the server ended:\n%s", s.errs.String())
	}
	s.until("the server to answer", s.patience, func() bool {
		resp, err := http.Get(s.url + "/healthz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// kill ends the process as a power cut would, as far as the process is concerned.
func (s *server) kill() {
	_ = s.cmd.Process.Kill() // fails only when it has ended already
	<-s.exited
}

// stop ends the process as Ctrl-C does and returns how long that took.
func (s *server) stop() time.Duration {
	s.t.Helper()
	from := time.Now()
	_ = s.cmd.Process.Signal(os.Interrupt) // fails only when it has ended already
	select {
	case <-s.exited:
	case <-time.After(20 * time.Second):
		_ = s.cmd.Process.Signal(syscall.SIGQUIT) // its goroutines go into errs
		<-s.exited
		s.t.Fatalf("the server did not stop:\n%s", s.errs.String())
	}
	return time.Since(from)
}

// until polls for a condition. A condition that does not come true in time fails the test with the server's log.
func (s *server) until(what string, within time.Duration, holds func() bool) {
	s.t.Helper()
	deadline := time.Now().Add(within)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-s.exited:
			s.t.Fatalf("waiting for %s: the server ended:\n%s", what, s.errs.String())
		case <-tick.C:
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("waiting for %s: not within %v; the server says:\n%s", what, within, s.errs.String())
		}
	}
}

// lockedBuffer collects what the server writes to standard error.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func (b *lockedBuffer) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.b.Reset()
}

// bearer adds the session to every call.
func (s *server) bearer() connect.ClientOption {
	return connect.WithInterceptors(connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
			req.Header().Set("Authorization", "Bearer "+s.token)
			return next(ctx, req)
		}
	}))
}

// signIn opens a session of the admin.
func (s *server) signIn(ctx context.Context) {
	s.t.Helper()
	r, err := vedettev1connect.NewAuthServiceClient(http.DefaultClient, s.url).
		SignIn(ctx, connect.NewRequest(&v1.SignInRequest{Name: "admin", Password: s.password}))
	if err != nil {
		s.t.Fatalf("sign in: %v", err)
	}
	s.token = r.Msg.Token
}

func (s *server) tenants() vedettev1connect.TenantServiceClient {
	return vedettev1connect.NewTenantServiceClient(http.DefaultClient, s.url, s.bearer())
}

func (s *server) modules() vedettev1connect.ModuleServiceClient {
	return vedettev1connect.NewModuleServiceClient(http.DefaultClient, s.url, s.bearer())
}

func (s *server) incidents() vedettev1connect.IncidentServiceClient {
	return vedettev1connect.NewIncidentServiceClient(http.DefaultClient, s.url, s.bearer())
}

func (s *server) health() vedettev1connect.HealthServiceClient {
	return vedettev1connect.NewHealthServiceClient(http.DefaultClient, s.url, s.bearer())
}

func (s *server) dashboards() vedettev1connect.DashboardServiceClient {
	return vedettev1connect.NewDashboardServiceClient(http.DefaultClient, s.url, s.bearer())
}

// ingestToken makes a token of a tenant.
func (s *server) ingestToken(ctx context.Context, tenant uint32, name string) string {
	s.t.Helper()
	r, err := s.tenants().CreateIngestToken(ctx, connect.NewRequest(&v1.CreateIngestTokenRequest{Tenant: tenant, Name: name}))
	if err != nil {
		s.t.Fatalf("create ingest token: %v", err)
	}
	return r.Msg.Token
}

// userPassword is that of everybody but the admin.
const userPassword = "correct horse"

// createUser makes somebody of an organization who may sign in.
func (s *server) createUser(ctx context.Context, name, role string, tenant uint32) {
	s.t.Helper()
	_, err := s.tenants().CreateUser(ctx, connect.NewRequest(&v1.CreateUserRequest{Name: name, Password: userPassword, Role: role, Tenant: tenant}))
	if err != nil {
		s.t.Fatalf("create the user %s: %v", name, err)
	}
}

// titled returns the newest incidents that have a text in them, by title.
func (s *server) titled(ctx context.Context, text string) map[string]*v1.Incident {
	s.t.Helper()
	r, err := s.incidents().ListIncidents(ctx, connect.NewRequest(&v1.ListIncidentsRequest{Text: text, Limit: 1000}))
	if err != nil {
		s.t.Fatalf("list incidents: %v", err)
	}
	out := map[string]*v1.Incident{}
	for _, i := range r.Msg.Incidents {
		out[i.Title] = i
	}
	return out
}

// errRefused is a request that the server answered with anything but 200.
var errRefused = errors.New("refused")

// ingest posts lines; nil means that they are acknowledged.
func (s *server) ingest(ctx context.Context, client *http.Client, token, body string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/v1/ingest", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "text/plain")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: %s: %s", errRefused, resp.Status, bytes.TrimSpace(text))
	}
	return nil
}

// search returns what a query finds, the newest first.
func (s *server) search(ctx context.Context, query string) []*v1.Event {
	s.t.Helper()
	req := connect.NewRequest(&v1.SearchRequest{Query: &v1.Query{Text: query, Limit: 10_000}})
	req.Header().Set("Authorization", "Bearer "+s.token)
	stream, err := vedettev1connect.NewEventServiceClient(http.DefaultClient, s.url).Search(ctx, req)
	if err != nil {
		s.t.Fatalf("search %s: %v", query, err)
	}
	defer stream.Close() //nolint:errcheck // its end was read
	var out []*v1.Event
	for stream.Receive() {
		out = append(out, stream.Msg().Events...)
	}
	if err := stream.Err(); err != nil {
		s.t.Fatalf("search %s: %v", query, err)
	}
	return out
}

// incidentsByID is what the host knows.
func (s *server) incidentsByID(ctx context.Context) map[string]*v1.Incident {
	s.t.Helper()
	r, err := s.incidents().ListIncidents(ctx, connect.NewRequest(&v1.ListIncidentsRequest{Limit: 1000}))
	if err != nil {
		s.t.Fatalf("list incidents: %v", err)
	}
	out := map[string]*v1.Incident{}
	for _, i := range r.Msg.Incidents {
		out[i.Id] = i
	}
	return out
}

// openRows are the open incidents as the queue shows them: title and count by id.
func (s *server) openRows(ctx context.Context) map[string]string {
	s.t.Helper()
	out := map[string]string{}
	for id, i := range s.incidentsByID(ctx) {
		if i.State == "open" {
			out[id] = fmt.Sprintf("%s, %d", i.Title, i.Count)
		}
	}
	return out
}

// feed pauses the demo's feed or lets it go on.
func (s *server) feed(ctx context.Context, running bool) {
	s.t.Helper()
	demo := vedettev1connect.NewDemoServiceClient(http.DefaultClient, s.url, s.bearer())
	if _, err := demo.SetDemoFeed(ctx, connect.NewRequest(&v1.SetDemoFeedRequest{Running: running})); err != nil {
		s.t.Fatalf("demo feed: %v", err)
	}
}
