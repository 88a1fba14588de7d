package spec

import (
	"strings"

	"github.com/vedette-siem/vedette/sdk/go/jsontok"
	"github.com/vedette-siem/vedette/sdk/go/syslog"
	"github.com/vedette-siem/vedette/sdk/go/template"
)

// Shape returns a record with its values replaced by their types, "link <word> down after <int> ms", at most
// MaxShapeBytes: records of one shape are likely to be read by one template. The header of syslog is left out but for
// the program. An object is its names.
func Shape(raw string) string {
	raw = raw[:min(len(raw), MaxSampleBytes)]
	body, program := unframe(raw)
	var b strings.Builder
	if program != "" {
		b.WriteString(program + ": ")
	}
	if names, ok := objectNames(body); ok {
		b.WriteString("{" + strings.Join(names, ", ") + "}")
		return clip(b.String())
	}
	list := tokens(body[:min(len(body), shapeReads)]) // values are longer than their types, seldom by more
	context(list)
	for _, t := range list {
		if b.Len() > MaxShapeBytes {
			break
		}
		switch {
		case t.sort == value:
			b.WriteString("<" + template.Names[t.kind] + ">")
		case t.sort == word && strings.ContainsAny(t.text, "0123456789"): // "71C", "L2": the next one has another number
			b.WriteString("<word>")
		default:
			b.WriteString(t.text)
		}
	}
	return clip(b.String())
}

func clip(s string) string {
	s = strings.ToValidUTF8(s, "?")
	if len(s) <= MaxShapeBytes {
		return s
	}
	return strings.ToValidUTF8(s[:MaxShapeBytes-3], "") + "…"
}

// unframe takes off the header of syslog and names the program.
func unframe(raw string) (body, program string) {
	raw = strings.TrimSpace(raw)
	var h syslog.Header
	if !syslog.Parse([]byte(raw), 0, &h) || len(h.Message) == 0 || !h.HasPRI && (h.Hostname == nil || h.AppName == nil) {
		return raw, ""
	}
	return strings.TrimSpace(string(h.Message)), string(h.AppName)
}

// objectNames returns the dotted names of a JSON object, in order.
func objectNames(body string) (names []string, ok bool) {
	if body == "" || body[0] != '{' {
		return nil, false
	}
	var f jsontok.Flat
	seen := map[string]bool{}
	for f.Reset([]byte(body)); f.Next(); {
		if name := string(f.Name); !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names, f.Err() == nil && len(names) > 0
}
