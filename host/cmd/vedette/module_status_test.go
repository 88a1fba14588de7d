package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

func logLines(from time.Time, texts ...string) []*v1.ModuleLogLine {
	var out []*v1.ModuleLogLine
	for i, s := range texts {
		level, text, _ := strings.Cut(s, " ")
		out = append(out, &v1.ModuleLogLine{At: timestamppb.New(from.Add(time.Duration(i/2) * time.Second)), Level: level, Text: text})
	}
	return out
}

// Following prints each line once, also of lines of one moment, and makes one line of a panic's pieces.
func TestFollowLogs(t *testing.T) {
	at := time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)
	lines := logLines(at, "info one", "info two", "info three", "error panic: ", "error a badge", "error goroutine ", "error main.parse", "error (", "error )", "error \t",
		"error local/doors/main.go", "error :", "error 19", "info four", "info five\x1b[31m")
	for _, first := range []int{1, 2, 3, 13, 14} {
		var out bytes.Buffer
		l := logPrinter{w: &out}
		for _, n := range []int{first, first, len(lines), len(lines)} {
			if err := l.print(lines[:n]); err != nil {
				t.Fatal(err)
			}
		}
		want := `2024-03-01T12:00:00Z  info   one
2024-03-01T12:00:00Z  info   two
2024-03-01T12:00:01Z  info   three
2024-03-01T12:00:01Z  error  local/doors/main.go:19: panic: a badge
2024-03-01T12:00:06Z  info   four
2024-03-01T12:00:07Z  info   five [31m
`
		if got := out.String(); got != want {
			t.Errorf("after the first %d:\n%swant\n%s", first, got, want)
		}
	}
	var out bytes.Buffer
	l := logPrinter{w: &out, json: true}
	if err := l.print(lines[:1]); err != nil || out.String() != `{"at":"2024-03-01T12:00:00Z","level":"info","text":"one"}`+"\n" {
		t.Errorf("as JSON: %s%v", out.String(), err)
	}
}

func TestQuarantineCase(t *testing.T) {
	r := &v1.QuarantinedRecord{Module: "local/doors", Code: "E_TRAP", Detail: "unreachable\n\tstack", Raw: []byte("door=a"), At: timestamppb.New(time.Unix(0, 0))}
	got, err := quarantineCase(r)
	want := "local/doors could not survive this record at 1970-01-01T00:00:00Z: E_TRAP: unreachable\n-- input --\ndoor=a\n-- want/events.jsonl --\n{\"outcome\":\"not mine\"}\n"
	if err != nil || string(got) != want {
		t.Errorf("the case is %q, %v", got, err)
	}
	for _, raw := range []string{"", "two\nlines", "-- input --"} {
		r.Raw = []byte(raw)
		if _, err := quarantineCase(r); err == nil {
			t.Errorf("%q became a case", raw)
		}
	}
}
