package bench

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"syscall"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host"
	"github.com/vedette-siem/vedette/registry/layout"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

//go:embed testdata
var testdata embed.FS

// orgs are the organizations of every run; all of them have the same addresses in their logs.
var orgs = []string{"north", "east", "south", "west"}

// running is a host in this process, with everything that it is made of.
type running struct {
	*host.Host
	t       *testing.T
	url     string
	session string
	tokens  []string // of orgs
	health  vedettev1connect.HealthServiceClient
	stop    context.CancelFunc
	ended   chan error
}

// startHost starts a host in dir and returns when the shipped modules run.
func startHost(t *testing.T, dir string) *running {
	t.Helper()
	cfg := host.Config{DataDir: dir, HTTP: "127.0.0.1:0", NoSyslog: true, Queue: host.QueueConfig{KeepAll: true}}
	for _, slug := range orgs {
		cfg.Organizations = append(cfg.Organizations, host.OrganizationConfig{Slug: slug, Name: slug})
	}
	h, err := host.New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	r := &running{Host: h, t: t, url: "http://" + h.Addr(), stop: stop, ended: make(chan error, 1)}
	ready, unready := context.WithCancelCause(t.Context())
	defer unready(nil)
	go func() {
		err := h.Run(ctx)
		unready(err)
		r.ended <- err
	}()
	t.Cleanup(r.close)
	if err := h.Ready(ready); err != nil {
		t.Fatal(context.Cause(ready))
	}
	for _, slug := range orgs {
		token, err := h.IngestToken(t.Context(), slug, "bench")
		if err != nil {
			t.Fatal(err)
		}
		r.tokens = append(r.tokens, token)
	}
	if h.Password() != "" {
		r.session = signIn(t, r.url, h.Password())
	}
	r.health = vedettev1connect.NewHealthServiceClient(http.DefaultClient, r.url)
	return r
}

func signIn(t *testing.T, url, password string) string {
	t.Helper()
	auth := vedettev1connect.NewAuthServiceClient(http.DefaultClient, url)
	in, err := auth.SignIn(t.Context(), connect.NewRequest(&v1.SignInRequest{Name: "admin", Password: password}))
	if err != nil {
		t.Fatal(err)
	}
	return in.Msg.Token
}

// close ends the host; it may be called twice.
func (r *running) close() {
	if r.stop == nil {
		return
	}
	r.stop()
	r.stop = nil
	if err := errors.Join(<-r.ended, r.Close()); err != nil && !errors.Is(err, context.Canceled) {
		r.t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections()
}

// get asks the host how it is.
func (r *running) get() *v1.GetHealthResponse {
	r.t.Helper()
	req := connect.NewRequest(&v1.GetHealthRequest{})
	req.Header().Set("Authorization", "Bearer "+r.session)
	resp, err := r.health.GetHealth(r.t.Context(), req)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.Msg
}

// drain returns when everything that is in the log now has been processed.
func (r *running) drain() {
	r.t.Helper()
	last := r.get().Positions.Last
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for limit := time.After(2 * time.Minute); ; {
		if r.get().Positions.Processed >= last {
			return
		}
		select {
		case <-poll.C:
		case <-limit:
			r.t.Fatalf("the log is not processed: %v", r.get().Positions)
		}
	}
}

// plant installs the rule that fires on planted events.
func (r *running) plant() {
	r.t.Helper()
	folder, err := fs.Sub(testdata, "testdata/planted")
	if err != nil {
		r.t.Fatal(err)
	}
	p, err := manifest.ReadFolder("planted", folder, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.Install(r.t.Context(), host.Candidate{Tenant: storage.NoTenant, Package: layout.Bare(p), Who: "bench"}); err != nil {
		r.t.Fatal(err)
	}
}

// senders returns a sender for each organization, lines or rate shared among them.
func (r *running) senders(rate, lines, batch int) []sender {
	out := make([]sender, len(orgs))
	for i := range out {
		out[i] = sender{Token: r.tokens[i], Seed: uint64(i + 1), Rate: rate / len(orgs), Lines: lines / len(orgs), Batch: batch}
	}
	return out
}

// cpu is the CPU time of this process, all threads, user and system.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // of this process: cannot be
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
