package main

import (
	"unicode/utf8"
	"unsafe"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
)

// commandLine is the column of the manifest's only read.
const commandLine = 0

// work is what Eval works on. It is one variable because a module serves one call at a time and must not allocate.
type work struct {
	script [2][MaxScriptBytes]byte // the decoded command; two, because a command may hold another one
	plain  [MaxScriptBytes]byte    // the same in small letters and without what hides words
	title  [abi.MaxTitleBytes]byte
	reason [abi.MaxTitleBytes]byte
}

var w work

// Eval reports a process creation whose command line hands PowerShell a command in Base64 that can be decoded. What the
// command does decides the severity. A command line that only looks like it is not reported.
func Eval(r *sdk.Row, f *sdk.Findings) {
	script, layers := w.decode(r.Get(commandLine))
	if layers == 0 {
		return
	}
	severity, reason := w.judge(script, layers)
	title := append(w.title[:0], "PowerShell was handed the encoded command "...)
	f.Add(severity, excerpt(title, script), reason, nil)
}

// decode takes the layers off a command line; the script lives until the next call.
func (w *work) decode(line []byte) (script []byte, layers int) {
	script = line
	for layers < MaxLayers {
		arg := argument(script)
		if arg == nil {
			break
		}
		inner := utf16(w.script[layers%2][:0], arg)
		if inner == nil {
			break
		}
		script = inner
		layers++
	}
	return script, layers
}

// argument returns what stands behind the switch -EncodedCommand, however it is abbreviated; nil when there is none.
func argument(b []byte) []byte {
	for i := 0; i+2 < len(b); i++ {
		if i > 0 && b[i-1] > ' ' && b[i-1] != '"' && b[i-1] != '\'' {
			continue
		}
		n := dash(b[i:])
		if n == 0 {
			continue
		}
		start := i + n
		end := start
		for end < len(b) && (b[end]|0x20)-'a' < 26 {
			end++
		}
		if !abbreviates(b[start:end]) {
			continue
		}
		for end < len(b) && (b[end] <= ' ' || b[end] == '"' || b[end] == '\'' || b[end] == ':') {
			end++
		}
		start = end
		for end < len(b) && sextet(b[end]) < 64 {
			end++
		}
		if end-start >= MinCodeUnits*2 {
			return b[start:end]
		}
	}
	return nil
}

// dash returns the length of what may begin a switch: - / and the three long dashes that PowerShell takes for one.
func dash(b []byte) int {
	switch {
	case b[0] == '-' || b[0] == '/':
		return 1
	case len(b) > 2 && b[0] == 0xE2 && b[1] == 0x80 && b[2] >= 0x93 && b[2] <= 0x95:
		return 3
	}
	return 0
}

// abbreviates says whether PowerShell takes a switch for -EncodedCommand.
func abbreviates(b []byte) bool {
	const full = "encodedcommand"
	if len(b) == 2 && b[0]|0x20 == 'e' && b[1]|0x20 == 'c' {
		return true
	}
	if len(b) == 0 || len(b) > len(full) {
		return false
	}
	for i, c := range b {
		if c|0x20 != full[i] {
			return false
		}
	}
	return true
}

// sextet returns the value of a character of Base64, 64 or more for any other.
func sextet(c byte) byte {
	switch {
	case c-'A' < 26:
		return c - 'A'
	case c-'a' < 26:
		return c - 'a' + 26
	case c-'0' < 10:
		return c - '0' + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return 255
}

// utf16 decodes Base64 of UTF-16LE and appends it to dst as UTF-8, up to dst's capacity. It is nil when the text is too
// short or not one that a person could have typed.
func utf16(dst, b64 []byte) []byte {
	var acc uint32
	var have, units, odd int
	var unit, high rune
	low := true
	for _, c := range b64 {
		acc = acc<<6 | uint32(sextet(c))
		if have += 6; have < 8 {
			continue
		}
		have -= 8
		octet := rune(acc >> have & 0xFF)
		if low = !low; !low {
			unit = octet
			continue
		}
		unit |= octet << 8
		if units++; len(dst)+utf8.UTFMax > cap(dst) {
			break
		}
		switch {
		case unit>>10 == 0xD800>>10:
			high = unit
			continue
		case unit>>10 == 0xDC00>>10 && high != 0:
			unit = (high-0xD800)<<10 | (unit - 0xDC00) + 0x10000
		case unit < ' ' && unit != '\t' && unit != '\n' && unit != '\r', unit > 0x24F:
			odd++
		}
		high = 0
		dst = utf8.AppendRune(dst, unit)
	}
	if units < MinCodeUnits || odd*5 > units {
		return nil
	}
	return dst
}

// excerpt appends the beginning of a script on one line.
func excerpt(dst, script []byte) []byte {
	start, blank := len(dst), false
	for i := 0; i < len(script); {
		r, n := utf8.DecodeRune(script[i:])
		if len(dst)-start+n > MaxExcerptBytes {
			return append(dst, "…"...)
		}
		if r <= ' ' || r == 0x7f {
			if !blank && len(dst) > start {
				dst = append(dst, ' ')
			}
			blank = true
		} else {
			dst = append(dst, script[i:i+n]...)
			blank = false
		}
		i += n
	}
	return dst
}

// str looks at the same bytes as a string, without a copy, under TinyGo too.
func str(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
