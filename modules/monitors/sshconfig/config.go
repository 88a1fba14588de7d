package main

import (
	"errors"
	"strconv"
	"strings"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/config"
	"github.com/vedette-siem/vedette/sdk/go/document"
	"github.com/vedette-siem/vedette/sdk/go/settings"
	"github.com/vedette-siem/vedette/sdk/go/ssh"
)

const (
	target       = "device"
	dataset      = "vedette.config"
	maxDiffBytes = 16 << 10 // of a difference in a record; the host keeps the texts themselves
	maxPackages  = 100      // named in a record
)

// set are the settings of module.yaml.
var set struct {
	files             []string
	packages, startup string
	ignore            []string
	showSecrets       bool
}

// Init reads the settings.
func Init(b []byte) error {
	v, err := settings.Read(b)
	set.files, set.packages, set.startup = v["files"], v.Text("packages", ""), v.Text("startup", "")
	set.ignore, set.showSecrets = v["ignore"], v.Bool("show_secrets", false)
	if len(set.files) == 0 && set.packages == "" {
		set.files = []string{"running"}
	}
	return err
}

// Poll pulls each text once. The host remembers the texts. The cursor holds what deviates, so that this is told once.
func Poll(p *sdk.Poll) (cursor []byte, err error) {
	before, now := strings.Fields(string(p.Cursor)), []string(nil)
	for _, name := range set.files {
		text, err := pull(name)
		if err != nil {
			return nil, err
		}
		if err := changed(p, name, text); err != nil {
			return nil, err
		}
		d, err := config.Compare(target, name, config.Blessed, text)
		if err != nil {
			return nil, err
		}
		now = append(now, deviates(p, before, "config_deviates", name, "the blessed version", d)...)
	}
	if set.startup != "" && len(set.files) > 0 {
		text, err := pull(set.startup)
		if err != nil {
			return nil, err
		}
		d, err := config.Compare(target, set.startup, "@"+set.files[0], text)
		if err != nil {
			return nil, err
		}
		now = append(now, deviates(p, before, "config_unsaved", set.files[0], set.startup, d)...)
	}
	if set.packages != "" {
		if err := packages(p); err != nil {
			return nil, err
		}
	}
	return []byte(strings.Join(now, " ")), nil
}

// pull runs a command that prints a text, and leaves out what changes by itself.
func pull(name string) ([]byte, error) {
	r, err := ssh.Run(target, name)
	switch {
	case err != nil:
		return nil, err
	case r.Exit != 0:
		return nil, errors.New(name + ": the command ended with status " + strconv.Itoa(r.Exit) + ": " + strings.TrimSpace(string(r.Err)))
	case r.Cut:
		return nil, errors.New(name + ": the text is longer than is kept")
	case len(r.Out) == 0:
		return nil, errors.New(name + ": the device printed nothing")
	}
	if len(set.ignore) == 0 {
		return r.Out, nil
	}
	var kept []byte
	for line := range strings.Lines(string(r.Out)) {
		if !ignored(line) {
			kept = append(kept, line...)
		}
	}
	return kept, nil
}

func ignored(line string) bool {
	for _, s := range set.ignore {
		if strings.Contains(line, s) {
			return true
		}
	}
	return false
}

// changed tells how a text differs from the version before, or that it is the first one.
func changed(p *sdk.Poll, name string, text []byte) error {
	d, err := config.Compare(target, name, config.Previous, text)
	if err != nil {
		return err
	}
	switch d.State {
	case config.Changed:
		p.Record(difference(p, "config_changed", "success", name, d).
			Text("message", p.Name+": "+name+" has changed, "+count(d)).Bytes())
	case config.Missing:
		p.Record(difference(p, "config_first_seen", "success", name, d).Text("message", p.Name+": "+name+" is kept from now on").Bytes())
	default:
		p.Record(document.New(p.At).Event(dataset, "metric", "config_pulled", "success").Text("host.name", p.Name).Text("file.name", name).
			Text("file.hash.sha256", strings.TrimPrefix(d.Version, "sha256:")).Text("message", p.Name+": "+name+" is as it was").Bytes())
	}
	return nil
}

// deviates tells once that a text is not as another one, and once that it is again. It returns what the cursor notes.
func deviates(p *sdk.Poll, before []string, action, name, from string, d config.Difference) []string {
	note := action + ":" + name
	was := ""
	for _, b := range before {
		if rest, ok := strings.CutPrefix(b, note+"="); ok {
			was = rest
		}
	}
	if d.State != config.Changed {
		if was != "" && d.State == config.Same {
			p.Record(difference(p, action+"_no_more", "success", name, d).Text("message", p.Name+": "+name+" is as "+from+" again").Bytes())
		}
		return nil
	}
	now := d.Version + "," + d.Base
	if was != now {
		p.Record(difference(p, action, "failure", name, d).Text("message", p.Name+": "+name+" differs from "+from+", "+count(d)).Bytes())
	}
	return []string{note + "=" + now}
}

func count(d config.Difference) string {
	return strconv.Itoa(d.Added) + " lines added, " + strconv.Itoa(d.Removed) + " removed"
}

// difference begins a record about a text.
func difference(p *sdk.Poll, action, outcome, name string, d config.Difference) *document.Document {
	diff := string(d.Diff)
	if !set.showSecrets {
		diff = mask(diff)
	}
	doc := document.New(p.At).Event(dataset, "event", action, outcome).Texts("event.category", []string{"configuration"}).Texts("event.type", []string{"change"}).
		Text("host.name", p.Name).Text("file.name", name).Text("file.hash.sha256", strings.TrimPrefix(d.Version, "sha256:")).
		Text("file.previous.hash.sha256", strings.TrimPrefix(d.Base, "sha256:")).Int("file.diff.added", int64(d.Added)).Int("file.diff.removed", int64(d.Removed)).
		Long("file.diff.text", diff, maxDiffBytes)
	if d.Cut || len(diff) > maxDiffBytes {
		doc.Bool("file.diff.cut", true)
	}
	return doc
}

// secretWords stand before what nobody should read in an event.
var secretWords = []string{"password", "passwd", "secret", "community", "passphrase", "psk", "pre-shared-key", "preshared-key", "private-key", "auth-key", "api-key", "token"}

// mask replaces what follows a word for a secret in a line. That the line has changed is still seen.
func mask(diff string) string {
	var out strings.Builder
	for line := range strings.Lines(diff) {
		lower := strings.ToLower(line)
		end := -1
		for _, w := range secretWords {
			if i := strings.Index(lower, w); i >= 0 && len(lower) == len(line) && (end < 0 || i+len(w) < end) {
				end = i + len(w)
			}
		}
		if end < 0 || strings.TrimSpace(line[end:]) == "" {
			out.WriteString(line)
			continue
		}
		out.WriteString(line[:end])
		out.WriteString(" ***\n")
	}
	return out.String()
}

// packages tells which packages were installed, updated and removed.
func packages(p *sdk.Poll) error {
	text, err := pull(set.packages)
	if err != nil {
		return err
	}
	d, err := config.Compare(target, set.packages, config.Previous, text)
	if err != nil {
		return err
	}
	if d.State != config.Changed {
		return nil
	}
	old, now := map[string]string{}, map[string]string{}
	var names []string
	for line := range strings.Lines(string(d.Diff)) {
		f := strings.Fields(line[min(len(line), 1):])
		if len(f) == 0 || line[0] != '+' && line[0] != '-' {
			continue
		}
		version := ""
		if len(f) > 1 {
			version = f[1]
		}
		if old[f[0]] == "" && now[f[0]] == "" {
			names = append(names, f[0])
		}
		if line[0] == '-' {
			old[f[0]] = version + " "
		} else {
			now[f[0]] = version + " "
		}
	}
	for i, name := range names {
		if i == maxPackages {
			break
		}
		action := "package_updated"
		if old[name] == "" {
			action = "package_installed"
		} else if now[name] == "" {
			action = "package_removed"
		}
		version, before := strings.TrimSpace(now[name]), strings.TrimSpace(old[name])
		p.Record(document.New(p.At).Event(dataset, "event", action, "success").Texts("event.category", []string{"package"}).Texts("event.type", []string{"change"}).
			Text("host.name", p.Name).Text("package.name", name).Text("package.version", version).Text("package.previous_version", before).
			Text("message", p.Name+": "+strings.TrimSpace(name+" "+version)+strings.Replace(action, "package_", " was ", 1)).Bytes())
	}
	if len(names) > maxPackages || d.Cut {
		p.Record(difference(p, "packages_changed", "success", set.packages, d).Text("message", p.Name+": packages, "+count(d)).Bytes())
	}
	return nil
}
