package spec

import (
	"strings"

	"github.com/vedette-siem/vedette/sdk/go/template"
)

// token is a piece of a line: a word, what stands between words, or a value whose type can be seen.
type token struct {
	text  string
	sort  sort
	kind  template.Kind // of a value
	arg   string        // layout of a time
	quote bool          // the value stands in quotes
}

type sort uint8

const (
	between sort = iota // blanks and punctuation
	word
	value
)

func isWord(c byte) bool {
	return c-'0' <= 9 || (c|0x20)-'a' < 26 || c == '_' || c >= 0x80
}

// tokens cuts a line. What is cut together again is the line.
func tokens(line string) []token {
	var out []token
	b := []byte(line)
	add := func(t token) {
		if n := len(out); n > 0 && t.sort == between && out[n-1].sort == between {
			out[n-1].text += t.text
			return
		}
		out = append(out, t)
	}
	for pos := 0; pos < len(b); {
		edge := pos == 0 || !isWord(b[pos-1]) && b[pos-1] != '.' && b[pos-1] != '-'
		if edge {
			if t, ok := typed(b, pos, line); ok {
				pos += len(t.text)
				for _, t := range request(t) {
					add(t)
				}
				continue
			}
		}
		if !isWord(b[pos]) {
			add(token{text: line[pos : pos+1], sort: between})
			pos++
			continue
		}
		end := pos + 1
		for end < len(b) && (isWord(b[end]) || (b[end] == '-' || b[end] == '.') && end+1 < len(b) && isWord(b[end+1])) {
			end++
		}
		t := token{text: line[pos:end], sort: word}
		if kind, ok := mixed(t.text); ok {
			t.sort, t.kind = value, kind
		}
		add(t)
		pos = end
	}
	return out
}

// layouts are tried where a time may begin.
var layouts = []string{template.ISO, template.CLF, template.Syslog, "%d.%m.%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%H:%M:%S"}

// typed reads a value whose type can be seen at pos.
func typed(b []byte, pos int, line string) (token, bool) {
	c := b[pos]
	try := func(k template.Kind, stop, arg string) (token, bool) {
		end, ok := template.Reach(k, b, pos, stop, arg)
		if !ok || end < len(b) && isWord(b[end]) && k != template.Quoted {
			return token{}, false
		}
		return token{text: line[pos:end], sort: value, kind: k, arg: arg, quote: k == template.Quoted}, true
	}
	if c == '"' || c == '\'' && (pos == 0 || !isWord(b[pos-1])) {
		return try(template.Quoted, "", "")
	}
	if c == '/' || c == '~' || pos+2 < len(b) && b[pos+1] == ':' && b[pos+2] == '\\' {
		if t, ok := try(template.Path, "", ""); ok {
			if t = shorten(t); len(t.text) > 1 && (c != '/' || pos == 0 || b[pos-1] == ' ' || b[pos-1] == '=' || b[pos-1] == '(') {
				return t, true
			}
		}
	}
	if !isWord(c) && c != ':' && c != '-' {
		return token{}, false
	}
	if c-'0' <= 9 || (c|0x20)-'a' < 26 {
		for _, l := range layouts[:5] {
			if t, ok := try(template.Time, "", l); ok {
				return t, true
			}
		}
	}
	for _, k := range []template.Kind{template.URL, template.Email, template.MAC, template.IP} {
		if t, ok := try(k, "", ""); ok {
			if k == template.URL || k == template.Email {
				t = shorten(t)
			}
			if k != template.IP || strings.ContainsAny(t.text, ".:") && len(t.text) > 2 {
				return t, true
			}
		}
	}
	return number(b, pos, line)
}

// request cuts a quoted request of HTTP, which nearly every web server logs, into its parts.
func request(t token) []token {
	method, rest, ok1 := strings.Cut(strings.Trim(t.text, `"`), " ")
	target, version, ok2 := strings.Cut(rest, " HTTP/")
	if !t.quote || t.text[0] != '"' || !ok1 || !ok2 || !methods[method] || target == "" || version == "" || strings.ContainsAny(target+version, " \t\"\\") {
		return []token{t}
	}
	return []token{
		{text: `"`},
		{text: method, sort: value, kind: template.Word},
		{text: " "},
		{text: target, sort: value, kind: template.Word},
		{text: " HTTP/"},
		{text: version, sort: value, kind: template.Word},
		{text: `"`},
	}
}

// number reads digits, also with a unit behind them.
func number(b []byte, pos int, line string) (token, bool) {
	kind := template.Int
	end, ok := template.Reach(template.Int, b, pos, "", "")
	if far, is := template.Reach(template.Float, b, pos, "", ""); is && far > end {
		kind, end, ok = template.Float, far, true
	}
	if !ok || b[pos] == '-' && (pos > 0 && b[pos-1] != ' ' && b[pos-1] != '=') || b[pos] == '+' {
		return token{}, false
	}
	unit := end
	for unit < len(b) && isWord(b[unit]) {
		unit++
	}
	switch strings.ToLower(line[end:unit]) {
	case "", "ms", "s", "us", "ns", "kb", "mb", "gb", "b", "bytes":
	default:
		return token{}, false
	}
	if unit == end && end < len(b) && (b[end] == '.' || b[end] == '-' || b[end] == ':') && end+1 < len(b) && isWord(b[end+1]) && b[end] != ':' {
		return token{}, false
	}
	return token{text: line[pos:end], sort: value, kind: kind}, true
}

// shorten leaves the punctuation that ends a clause to the text.
func shorten(t token) token {
	t.text = strings.TrimRight(t.text, ".,;:)]>\"'")
	return t
}

// mixed says whether a word is rather a value: digits among letters, or a name with dots.
func mixed(w string) (template.Kind, bool) {
	digits, dots, hex := 0, 0, true
	for i := range len(w) {
		c := w[i]
		if c-'0' <= 9 {
			digits++
		} else if (c|0x20)-'a' >= 6 && c != '-' {
			hex = false
		}
		if c == '.' {
			dots++
		}
	}
	switch {
	case dots >= 2 && digits < len(w)-dots:
		return template.Host, true
	case hex && digits > 0 && len(w) >= 8 && !strings.Contains(w, "-"):
		return template.Hex, true
	case digits > 0 && len(w) > 5:
		return template.Word, true
	}
	return 0, false
}

// speaks says that a word tells what the next word is: "user ada", "for root from".
func speaks(before, after string) bool {
	switch strings.ToLower(before) {
	case "user", "username", "account", "login", "ruser", "logname":
		return true
	case "for", "by":
		switch strings.ToLower(after) {
		case "from", "on", "at", "via", "port", "to", "in", "":
			return true
		}
	}
	return false
}

// levels are the words of log levels.
var levels = map[string]bool{
	"TRACE": true, "DEBUG": true, "INFO": true, "NOTICE": true, "WARN": true, "WARNING": true, "ERROR": true, "ERR": true, "CRIT": true, "CRITICAL": true,
	"FATAL": true, "ALERT": true, "EMERG": true, "SEVERE": true,
}

// methods are those of HTTP.
var methods = map[string]bool{"GET": true, "POST": true, "PUT": true, "DELETE": true, "HEAD": true, "OPTIONS": true, "PATCH": true, "CONNECT": true}

// context turns words into values by the words around them: levels, methods, and what stands behind "user" and "key=".
func context(list []token) {
	for i := range list {
		t := &list[i]
		if t.sort != word {
			continue
		}
		before, sep := wordBefore(list, i)
		after := ""
		if i+2 < len(list) && strings.TrimSpace(list[i+1].text) == "" {
			after = list[i+2].text
		}
		switch {
		case levels[t.text], methods[t.text]:
		case strings.HasSuffix(sep, "="):
		case strings.TrimSpace(sep) == "" && speaks(before, after) && !speaks(t.text, "from") && (i == len(list)-1 || list[i+1].text[0] != '='):
		default:
			continue
		}
		t.sort, t.kind = value, template.Word
	}
}

// wordBefore returns the last word before token i, and what stands between the two.
func wordBefore(list []token, i int) (before, sep string) {
	if i > 0 && list[i-1].sort == between {
		i--
		sep = list[i].text
	}
	if i > 0 && list[i-1].sort == word {
		before = list[i-1].text
	}
	return before, sep
}
