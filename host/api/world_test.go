package api_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/vedette-siem/vedette/host"
	"github.com/vedette-siem/vedette/registry/layout"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// patience is how long anything may take on a busy machine.
const patience = 3 * time.Minute

const password = "correct horse battery"

// world is a whole host with the organizations alpha and beta, each with an analyst, a record that made alpha's own
// parser fail, and the incident that alpha's own rule made of it.
type world struct {
	url         string
	alpha, beta uint32
	admin       *who
	ann, ben    *who // analysts of alpha and of beta
	carl        *who // read-only, of alpha
	tokens      map[uint32]string
	incident    string // of alpha
	event       string // of alpha
	waiting     uint64 // number of alpha's installation that waits for approval
}

// who is a user with a session.
type who struct {
	name, token string
	auth        vedettev1connect.AuthServiceClient
	events      vedettev1connect.EventServiceClient
	health      vedettev1connect.HealthServiceClient
	incidents   vedettev1connect.IncidentServiceClient
	modules     vedettev1connect.ModuleServiceClient
	backtests   vedettev1connect.BacktestServiceClient
	admission   vedettev1connect.AdmissionServiceClient
	tenants     vedettev1connect.TenantServiceClient
	demo        vedettev1connect.DemoServiceClient
	sources     vedettev1connect.SourceServiceClient
	dashboards  vedettev1connect.DashboardServiceClient
	registry    vedettev1connect.RegistryServiceClient
}

type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if b != "" {
		r.Header.Set("Authorization", "Bearer "+string(b))
	}
	return http.DefaultTransport.RoundTrip(r)
}

func as(url, name, token string) *who {
	c := &http.Client{Transport: bearer(token)}
	return &who{
		name: name, token: token,
		auth:      vedettev1connect.NewAuthServiceClient(c, url),
		events:    vedettev1connect.NewEventServiceClient(c, url),
		health:    vedettev1connect.NewHealthServiceClient(c, url),
		incidents: vedettev1connect.NewIncidentServiceClient(c, url),
		modules:   vedettev1connect.NewModuleServiceClient(c, url),
		tenants:   vedettev1connect.NewTenantServiceClient(c, url),
		demo:      vedettev1connect.NewDemoServiceClient(c, url), sources: vedettev1connect.NewSourceServiceClient(c, url),
		dashboards: vedettev1connect.NewDashboardServiceClient(c, url),
		registry:   vedettev1connect.NewRegistryServiceClient(c, url),
		backtests:  vedettev1connect.NewBacktestServiceClient(c, url), admission: vedettev1connect.NewAdmissionServiceClient(c, url),
	}
}

func must[T any](t testing.TB) func(*connect.Response[T], error) *T {
	return func(r *connect.Response[T], err error) *T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return r.Msg
	}
}

func (w *world) signIn(t testing.TB, name, pass string) *who {
	t.Helper()
	m := must[v1.SignInResponse](t)(as(w.url, name, "").auth.SignIn(t.Context(), connect.NewRequest(&v1.SignInRequest{Name: name, Password: pass})))
	return as(w.url, name, m.Token)
}

// compiled has what the engine compiled for the hosts of this package: they run the same modules.
var compiled string

func TestMain(m *testing.M) {
	var err error
	if compiled, err = os.MkdirTemp("", "vedette-api-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(compiled)
	os.Exit(code)
}

// warm returns a data directory with what was compiled before; when the test ends, what it adds is kept for others.
func warm(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	link := func(from, to string) {
		err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			name, err := filepath.Rel(from, path)
			switch {
			case err != nil:
				return err
			case d.IsDir():
				return os.MkdirAll(filepath.Join(to, name), 0o700)
			case strings.HasPrefix(d.Name(), "compiled-"):
				return nil // foreign code goes through the compiler all the same
			}
			if err := os.Link(path, filepath.Join(to, name)); !errors.Is(err, fs.ErrExist) {
				return err
			}
			return nil
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	}
	link(compiled, filepath.Join(dir, "cache"))
	t.Cleanup(func() { link(filepath.Join(dir, "cache"), compiled) })
	return dir
}

// newWorld starts a host and fills it through its own API.
func newWorld(t *testing.T) *world {
	t.Helper()
	h, err := host.New(t.Context(), host.Config{
		DataDir: warm(t), HTTP: "127.0.0.1:0", NoSyslog: true,
		Organizations: []host.OrganizationConfig{{Slug: "alpha", Name: "Alpha"}, {Slug: "beta", Name: "Beta"}},
	}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the host ended with %v", err)
		}
		if err := h.Close(); err != nil {
			t.Errorf("the host closed with %v", err)
		}
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	soon, enough := context.WithTimeout(ctx, patience)
	defer enough()
	if err := h.Ready(soon); err != nil {
		t.Fatal(err)
	}
	w := &world{url: "http://" + h.Addr(), tokens: map[uint32]string{}}
	w.admin = w.signIn(t, "admin", h.Password())
	for _, o := range must[v1.ListTenantsResponse](t)(w.admin.tenants.ListTenants(t.Context(), connect.NewRequest(&v1.ListTenantsRequest{}))).Tenants {
		switch o.Slug {
		case "alpha":
			w.alpha = o.Id
		case "beta":
			w.beta = o.Id
		}
		m := must[v1.CreateIngestTokenResponse](t)(w.admin.tenants.CreateIngestToken(t.Context(), connect.NewRequest(&v1.CreateIngestTokenRequest{Tenant: o.Id, Name: "first"})))
		w.tokens[o.Id] = m.Token
	}
	w.ann, w.ben, w.carl = w.user(t, "ann", "analyst", w.alpha), w.user(t, "ben", "analyst", w.beta), w.user(t, "carl", "read-only", w.alpha)
	w.fill(t)
	return w
}

func (w *world) user(t *testing.T, name, role string, tenant uint32) *who {
	t.Helper()
	must[v1.CreateUserResponse](t)(w.admin.tenants.CreateUser(t.Context(), connect.NewRequest(&v1.CreateUserRequest{Name: name, Password: password, Role: role, Tenant: tenant})))
	return w.signIn(t, name, password)
}

// fill gives alpha a parser that traps on records with "!" in front, a rule, and an incident.
func (w *world) fill(t *testing.T) {
	t.Helper()
	wasm, err := os.ReadFile(filepath.Join("..", "..", "conformance", "hostile", "poison_trap.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	w.install(t, w.ann, w.alpha, trapParser(t, wasm, "1.0.0"))
	w.install(t, w.ann, w.alpha, errorRule(t, "1.0.0"))
	w.waiting = must[v1.InstallModuleResponse](t)(w.ann.modules.InstallModule(t.Context(), connect.NewRequest(&v1.InstallModuleRequest{
		Package: askingMonitor(t), Tenant: w.alpha, Grants: []string{"vedette_http_v1"}, // which ann may not grant
	}))).Waiting
	w.send(t, w.alpha, "!crossing one")
	w.send(t, w.beta, "of beta alone")
	eventually(t, "alpha's incident", func() bool {
		list := must[v1.ListIncidentsResponse](t)(w.ann.incidents.ListIncidents(t.Context(), connect.NewRequest(&v1.ListIncidentsRequest{}))).Incidents
		if len(list) > 0 {
			w.incident = list[0].Id
		}
		return len(list) > 0
	})
	eventually(t, "alpha's and beta's events", func() bool { return w.found(t, w.ann) > 0 && w.found(t, w.ben) > 0 })
}

func (w *world) found(t *testing.T, u *who) (n int) {
	t.Helper()
	stream, err := u.events.Search(t.Context(), connect.NewRequest(&v1.SearchRequest{Query: &v1.Query{}}))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	for stream.Receive() {
		n += len(stream.Msg().Events)
		for _, e := range stream.Msg().Events {
			if e.Tenant == w.alpha {
				w.event = e.Id
			}
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	return n
}

// askingMonitor asks for a capability.
func askingMonitor(t testing.TB) []byte {
	wasm, err := os.ReadFile(filepath.Join("..", "..", "modules", "dist", "httpcheck.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return packed(t, fstest.MapFS{"module.yaml": {Data: []byte("publisher: crossing\nname: probe\nversion: 1.0.0\nkind: monitor\ntitle: Asks\nabi: \"1.0\"\n" +
		"entry: {wasm: true}\ncapabilities: [{id: vedette_http_v1, reason: asks, targets: [{name: target, description: d}]}]\nschedule: {interval: 30s}\nwasi: stub\n")}}, wasm)
}

func trapParser(t testing.TB, wasm []byte, version string) []byte {
	return packed(t, fstest.MapFS{"module.yaml": {Data: []byte("publisher: crossing\nname: trap\nversion: " + version + "\nkind: parser\n" +
		"title: Traps\nabi: \"1.0\"\nentry: {wasm: true}\nmatch: {signatures: [{prefix: \"!crossing\"}]}\n")}}, wasm)
}

func errorRule(t testing.TB, version string) []byte {
	return packed(t, fstest.MapFS{
		"module.yaml": {Data: []byte("publisher: crossing\nname: errors\nversion: " + version + "\nkind: rule\ntitle: Errors\nabi: \"1.0\"\nentry: {documents: [rule.yaml]}\n")},
		"rule.yaml": {Data: []byte("kind: pattern\nid: crossing-errors\nname: A record could not be read\nversion: " + version + "\nseverity: low\n" +
			"subs: {one: {where: {event.kind: pipeline_error}}}\nincident: {key: [event.kind], title: \"A record could not be read\"}\n")},
	}, nil)
}

func packed(t testing.TB, folder fstest.MapFS, wasm []byte) []byte {
	t.Helper()
	p, err := manifest.ReadFolder("crossing", folder, wasm)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := layout.Pack(p, &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (w *world) install(t *testing.T, u *who, tenant uint32, pkg []byte) {
	t.Helper()
	must[v1.InstallModuleResponse](t)(u.modules.InstallModule(t.Context(), connect.NewRequest(&v1.InstallModuleRequest{Package: pkg, Tenant: tenant})))
}

// send puts a record into an organization's log.
func (w *world) send(t *testing.T, tenant uint32, record string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", w.url+"/v1/ingest", strings.NewReader(record+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.tokens[tenant])
	req.Header.Set("Content-Type", "text/plain")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		b, _ := io.ReadAll(resp.Body)
		t.Fatalf("ingest: %s %s", resp.Status, b)
	}
}

// eventually polls until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	every := time.NewTicker(50 * time.Millisecond)
	defer every.Stop()
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("no %s after %v", what, patience)
		}
		<-every.C
	}
}

// socket is as much of a websocket as the test needs (RFC 6455): the library for it belongs to console/live alone.
type socket struct {
	net.Conn
	r *bufio.Reader
}

func (w *world) dial(t *testing.T, header http.Header) (*socket, *http.Response) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(patience))
	var key [16]byte
	rand.Read(key[:])
	req, _ := http.NewRequest("GET", w.url+"/live", nil)
	req.Header = header.Clone()
	for name, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-Websocket-Version": "13", "Sec-Websocket-Key": base64.StdEncoding.EncodeToString(key[:])} {
		req.Header.Set(name, v)
	}
	if err := req.Write(conn); err != nil {
		t.Fatal(err)
	}
	s := &socket{conn, bufio.NewReader(conn)}
	resp, err := http.ReadResponse(s.r, req)
	if err != nil {
		t.Fatal(err)
	}
	return s, resp
}

func (s *socket) ask(t *testing.T, r *v1.LiveRequest) {
	t.Helper()
	data, err := protojson.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	head := []byte{0x81, 0xfe, 0, 0, 0, 0, 0, 0} // final text frame, masked with zeros
	binary.BigEndian.PutUint16(head[2:], uint16(len(data)))
	if _, err := s.Write(append(head, data...)); err != nil {
		t.Fatal(err)
	}
}

// frame reads the next text frame.
func (s *socket) frame(t *testing.T) *v1.LiveFrame {
	t.Helper()
	for {
		var head [2]byte
		if _, err := io.ReadFull(s.r, head[:]); err != nil {
			t.Fatal(err)
		}
		size := uint64(head[1])
		switch size {
		case 126:
			var b [2]byte
			io.ReadFull(s.r, b[:])
			size = uint64(binary.BigEndian.Uint16(b[:]))
		case 127:
			var b [8]byte
			io.ReadFull(s.r, b[:])
			size = binary.BigEndian.Uint64(b[:])
		}
		data := make([]byte, size)
		if _, err := io.ReadFull(s.r, data); err != nil {
			t.Fatal(err)
		}
		if head[0] != 0x81 {
			continue // ping
		}
		f := &v1.LiveFrame{}
		if err := protojson.Unmarshal(data, f); err != nil {
			t.Fatal(fmt.Errorf("%s: %w", data, err))
		}
		return f
	}
}
