package author_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/host/author"
	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
)

// A poll that was recorded comes out the same without its target, and a monitor that asks for something else is told.
func TestRecording(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "check")
	if err := author.New(dir, manifest.Monitor); err != nil {
		t.Fatal(err)
	}
	p, err := author.Build(t.Context(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	answers := &author.Recorder{Next: func(_ context.Context, target runtime.Target, path string) (runtime.Response, error) {
		if target.Name != "target" || path != "/" {
			return runtime.Response{}, errors.New("nobody is there")
		}
		return runtime.Response{Status: http.StatusTeapot, ElapsedNs: 5, Body: []byte("short\nand stout\n")}, nil
	}}
	cfg := author.Config{Fetch: answers.Fetch, Targets: []runtime.Target{{Name: "target", URL: "http://192.0.2.1"}}}
	s, err := author.Open(t.Context(), p, dir, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r, err := s.Poll(t.Context(), time.Unix(1_700_000_000, 7), "fw1", "", answers)
	if err != nil || len(r.Calls) != 1 || len(r.Records) != 1 || !strings.Contains(r.Records[0], "418") || r.Fuel == 0 {
		t.Fatalf("Poll = %+v, %v", r, err)
	}
	file := filepath.Join(dir, "testdata", "first.poll.yaml")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := r.Write(file); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), "    body: |\n      short\n      and stout\n") {
		t.Errorf("a person reads %v\n%s", err, text)
	}
	play := func() []author.Failure {
		t.Helper()
		back, err := author.ReadRecording(file)
		if err != nil {
			t.Fatal(err)
		}
		tested, err := author.Play(t.Context(), p, dir, author.Config{}, back)
		if err != nil || tested.Cases != 1 {
			t.Fatalf("Play = %+v, %v", tested, err)
		}
		return tested.Failures
	}
	if f := play(); len(f) != 0 {
		t.Errorf("the same again: %v", f)
	}
	edit(t, dir, "testdata/first.poll.yaml", "status: 418", "status: 200")
	if f := play(); len(f) != 1 || f[0].File != "testdata/first.poll.yaml" || len(f[0].Fields) != 1 || f[0].Fields[0] != (author.FieldDiff{Name: "http.response.status_code", Got: "200", Want: "418"}) {
		t.Errorf("another answer: %v", f)
	}
	edit(t, dir, "testdata/first.poll.yaml", "request: /", "request: /health")
	if f := play(); len(f) != 3 || !strings.Contains(f[0].Why, "the recording has no answer") || !strings.Contains(f[1].Why, "it no longer asks") {
		t.Errorf("another question: %v", f)
	}
	edit(t, dir, "testdata/first.poll.yaml", "status:", "statuz:")
	if _, err := author.ReadRecording(file); !errors.Is(err, storage.ErrInvalid) || !strings.Contains(err.Error(), "statuz") {
		t.Errorf("a slip of the pen: %v", err)
	}
}

func TestRecordingTooLong(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "long.poll.yaml")
	if err := os.WriteFile(file, make([]byte, author.MaxRecordingBytes+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := author.ReadRecording(file); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("one byte too many: %v", err)
	}
	text := "calls:\n" + strings.Repeat("  - {function: fetch, request: /}\n", author.MaxRecordedCalls+1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := author.ReadRecording(file); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("one call too many: %v", err)
	}
}

// A recorder and what it hands on may be used by many polls at once.
func TestRecorderHammer(t *testing.T) {
	t.Parallel()
	r := &author.Recorder{Next: func(context.Context, runtime.Target, string) (runtime.Response, error) {
		return runtime.Response{Body: []byte{0xff}}, nil
	}}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				if _, err := r.Fetch(t.Context(), runtime.Target{Name: "target"}, "/"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := r.Calls(); n != 800 {
		t.Errorf("it has seen %d calls, want 800", n)
	}
}
