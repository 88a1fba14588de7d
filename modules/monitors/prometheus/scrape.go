package main

import (
	"errors"
	"strconv"
	"strings"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/document"
	"github.com/vedette-siem/vedette/sdk/go/settings"
	"github.com/vedette-siem/vedette/sdk/go/web"
)

// set are the settings of module.yaml.
var set struct {
	path    string
	metrics []string // wanted; empty: all
	most    int
}

// Init reads the settings.
func Init(b []byte) error {
	v, err := settings.Read(b)
	set.path, set.metrics, set.most = v.Text("path", "/metrics"), v["metrics"], int(v.Int("max_samples", 500))
	return err
}

// Poll reads the page once. The cursor is whether it was there: up or down.
func Poll(p *sdk.Poll) (cursor []byte, err error) {
	r, err := web.Get("target", set.path, web.MaxBytes)
	if err == nil && r.Status != 200 {
		err = errors.New("status " + strconv.Itoa(r.Status))
	}
	state := "up"
	if err != nil {
		state = "down"
	}
	if last := string(p.Cursor); last != state && (last != "" || state == "down") {
		d := document.New(p.At).Event("vedette.prometheus", "event", "service_"+state, map[string]string{"up": "success", "down": "failure"}[state]).
			Text("host.name", p.Name).Text("service.name", p.Name).Text("service.type", "prometheus").Text("service.state", state)
		if err != nil {
			d.Text("error.message", err.Error())
		}
		p.Record(d.Text("message", p.Name+": the page of metrics is "+state).Bytes())
	}
	if err != nil {
		return []byte(state), nil //nolint:nilerr // the record says it
	}
	samples(p, string(r.Body), len(r.Body) == web.MaxBytes)
	return []byte(state), nil
}

// samples writes a record for each wanted sample, and one that says how many there were.
func samples(p *sdk.Poll, page string, cut bool) {
	kinds := map[string]string{}
	found, written, broken := int64(0), int64(0), int64(0)
	for line := range strings.Lines(page) {
		line = strings.TrimRight(line, "\r\n")
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, kind, _ := strings.Cut(rest, " ")
			kinds[name] = kind
			continue
		}
		if line == "" || line[0] == '#' {
			continue
		}
		s, ok := parse(line)
		if !ok {
			broken++
			continue
		}
		found++
		if !wanted(s.name) || written == int64(set.most) {
			continue
		}
		written++
		d := document.New(p.At).Event("vedette.prometheus", "metric", "sample", "success").Text("host.name", p.Name).Text("service.name", p.Name).
			Text("service.type", "prometheus").Text("service.metric.name", s.name).Text("service.metric.kind", kindOf(kinds, s.name)).Text("service.metric.value", s.value)
		for _, l := range s.labels {
			d.Text("labels."+l[0], l[1])
		}
		p.Record(d.Bytes())
	}
	d := document.New(p.At).Event("vedette.prometheus", "metric", "scrape", "success").Text("host.name", p.Name).Text("service.name", p.Name).
		Text("service.type", "prometheus").Text("service.state", "up").Int("service.metric.found", found).Int("service.metric.written", written)
	if broken > 0 || cut {
		d.Int("service.metric.unreadable", broken).Bool("service.metric.cut", cut)
	}
	p.Record(d.Text("message", p.Name+": "+strconv.FormatInt(written, 10)+" of "+strconv.FormatInt(found, 10)+" samples").Bytes())
}

// kindOf is a metric's type; samples of histograms and summaries are named after them.
func kindOf(kinds map[string]string, name string) string {
	if k := kinds[name]; k != "" {
		return k
	}
	for _, suffix := range []string{"_bucket", "_sum", "_count", "_total"} {
		if base, ok := strings.CutSuffix(name, suffix); ok && kinds[base] != "" {
			return kinds[base]
		}
	}
	return ""
}

func wanted(name string) bool {
	if len(set.metrics) == 0 {
		return true
	}
	for _, m := range set.metrics {
		if prefix, any := strings.CutSuffix(m, "*"); m == name || any && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

type sample struct {
	name, value string
	labels      [][2]string
}

// parse reads one sample: name{label="value",…} value [time].
func parse(line string) (s sample, ok bool) {
	i := 0
	for i < len(line) && (letter(line[i]) || i > 0 && line[i] >= '0' && line[i] <= '9') {
		i++
	}
	if s.name = line[:i]; i == 0 {
		return s, false
	}
	rest := line[i:]
	if strings.HasPrefix(rest, "{") {
		if rest, ok = s.readLabels(rest[1:]); !ok {
			return s, false
		}
	}
	fields := strings.Fields(rest)
	if len(fields) < 1 || len(fields) > 2 {
		return s, false
	}
	s.value = fields[0]
	_, err := strconv.ParseFloat(s.value, 64)
	return s, err == nil
}

func letter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == ':'
}

// readLabels reads what stands between braces, and returns what follows.
func (s *sample) readLabels(rest string) (string, bool) {
	for {
		rest = strings.TrimLeft(rest, " ,")
		if after, end := strings.CutPrefix(rest, "}"); end {
			return after, true
		}
		name, value, ok := strings.Cut(rest, "=\"")
		if !ok || name == "" || strings.ContainsFunc(name, func(r rune) bool { return r >= 0x80 || !letter(byte(r)) && (r < '0' || r > '9') }) {
			return "", false
		}
		var text strings.Builder
		i := 0
		for ; i < len(value) && value[i] != '"'; i++ {
			if value[i] == '\\' && i+1 < len(value) {
				i++
				if value[i] == 'n' {
					text.WriteByte('\n')
					continue
				}
			}
			text.WriteByte(value[i])
		}
		if i == len(value) {
			return "", false
		}
		s.labels = append(s.labels, [2]string{name, text.String()})
		rest = value[i+1:]
	}
}
