package main

import (
	"hash/fnv"
	"strconv"
	"strings"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/document"
	"github.com/vedette-siem/vedette/sdk/go/settings"
	"github.com/vedette-siem/vedette/sdk/go/ssh"
)

// maxOutputBytes is how much of the output a record shows.
const maxOutputBytes = 16 << 10

// set are the settings of module.yaml.
var set struct {
	command  string
	args     []string
	exit     int
	contains string
	changes  bool
}

// Init reads the settings.
func Init(b []byte) error {
	v, err := settings.Read(b)
	set.command, set.args, set.exit = v.Text("command", "command"), v["args"], int(v.Int("expect_exit", 0))
	set.contains, set.changes = v.Text("contains", ""), v.Bool("changes", false)
	return err
}

// Poll runs the command once. The cursor is whether it went well and a hash of what it printed: "ok 5f…".
func Poll(p *sdk.Poll) (cursor []byte, err error) {
	r, err := ssh.Run("device", set.command, set.args...)
	if err != nil {
		return nil, err
	}
	state, outcome, reason := "ok", "success", ""
	switch {
	case r.Exit != set.exit:
		reason = "status " + strconv.Itoa(r.Exit) + ", wanted " + strconv.Itoa(set.exit)
	case set.contains != "" && !strings.Contains(string(r.Out), set.contains):
		reason = "the output lacks " + strconv.Quote(set.contains)
	}
	if reason != "" {
		state, outcome = "failed", "failure"
	}
	h := fnv.New64a()
	_, _ = h.Write(r.Out) // it never fails
	sum := strconv.FormatUint(h.Sum64(), 16)
	last, before, _ := strings.Cut(string(p.Cursor), " ")
	kind, action := "metric", "command_run"
	switch {
	case last != state && (last != "" || state == "failed"):
		kind, action = "event", "command_"+state
	case set.changes && before != "" && before != sum:
		kind, action = "event", "command_output_changed"
	}
	d := document.New(p.At).Event("vedette.sshcommand", kind, action, outcome).Texts("event.category", []string{"process"}).Texts("event.type", []string{"info"}).
		Text("host.name", p.Name).Text("process.name", set.command).Texts("process.args", set.args).Int("process.exit_code", int64(r.Exit)).
		Int("event.duration", r.ElapsedNs).Long("process.io.text", string(r.Out), maxOutputBytes).Text("error.message", strings.TrimSpace(string(r.Err))).
		Text("event.reason", reason)
	if r.Cut || len(r.Out) > maxOutputBytes {
		d.Bool("process.io.cut", true)
	}
	message := p.Name + ": " + set.command + " " + strings.ReplaceAll(strings.TrimPrefix(action, "command_"), "_", " ")
	if reason != "" {
		message += ": " + reason
	}
	p.Record(d.Text("message", message).Bytes())
	return []byte(state + " " + sum), nil
}
