package template

// Kind is the type of a hole.
type Kind uint8

// The kinds. How far a hole of one reaches depends on the text and on what stands behind the hole in its template, and
// on nothing else: see Reach.
const (
	Word     Kind = iota // bytes other than blanks, at least one
	Text                 // anything, up to the first place where the text behind the hole begins
	LastText             // anything, up to the last such place
	Rest                 // everything that is left
	Int                  // digits with an optional sign
	Float                // digits with an optional sign, fraction and exponent
	IP                   // an IPv4 or IPv6 address
	MAC                  // 00:1b:44:11:3a:b7, 00-1b-44-11-3a-b7 or 001b.4411.3ab7
	Host                 // a host name, or an address
	Email                // local@domain
	Path                 // begins with / or ~ or C:\ or \\, no blanks
	URL                  // scheme://…, no blanks
	Quoted               // in double or single quotes, with backslash escapes; the value is what stands inside
	Hex                  // hexadecimal digits, with an optional 0x
	Blank                // blanks and tabs, at least one
	Time                 // in one of the layouts of Clock
	Pairs                // everything that is left is key=value text
	JSON                 // everything that is left is a JSON object
	Kinds                // their number
)

// Names are the kinds as they are written in a spec.
var Names = [Kinds]string{
	"word", "text", "text(last)", "rest", "int", "float", "ip", "mac", "hostname", "email", "path", "url", "quoted", "hex", "blank", "time", "kv", "json",
}

// Open says that a hole of kind k ends only where something else begins: it needs text behind it.
func (k Kind) Open() bool {
	switch k {
	case Word, Text, LastText, Host, Email, Path, URL:
		return true
	}
	return false
}

// Last says that nothing can stand behind a hole of kind k.
func (k Kind) Last() bool { return k == Rest || k == Pairs || k == JSON }

func digit(c byte) bool { return c-'0' <= 9 }
func blank(c byte) bool { return c == ' ' || c == '\t' }
func hexDigit(c byte) bool {
	return digit(c) || (c|0x20)-'a' < 6
}
func alnum(c byte) bool { return digit(c) || (c|0x20)-'a' < 26 || c >= 0x80 }

// Reach returns where a hole of kind k that begins at pos ends, and false when the text there is nothing of this kind.
// stop is what stands behind the hole: the first bytes of a literal (at most MaxStopBytes), or nothing. arg is the
// layout of a Time. The range of the value may be shorter, see Inside. It takes a time that is linear in the bytes it
// looks at, looks at nothing before pos, and allocates nothing.
func Reach(k Kind, text []byte, pos int, stop, arg string) (end int, ok bool) {
	b := text[pos:]
	n := 0
	switch k {
	case Word:
		n = run(b, stop)
	case Text:
		if n = find(b, stop, false); n < 0 {
			return 0, false
		}
		return pos + n, true
	case LastText:
		if n = find(b, stop, true); n < 0 {
			return 0, false
		}
		return pos + n, true
	case Rest, Pairs:
		return len(text), true
	case JSON:
		return len(text), len(b) > 0 && b[0] == '{'
	case Int:
		n = integer(b)
	case Float:
		n = float(b)
	case IP:
		n = portless(b, stop)
	case MAC:
		n = mac(b)
	case Host:
		n = host(b, stop)
	case Email:
		n = email(b, stop)
	case Path:
		if n = run(b, stop); !pathHead(b[:n]) {
			n = 0
		}
	case URL:
		if n = run(b, stop); !urlHead(b[:n]) {
			n = 0
		}
	case Quoted:
		n = quoted(b)
	case Hex:
		n = hexadecimal(b)
	case Blank:
		for n < len(b) && blank(b[n]) {
			n++
		}
	case Time:
		_, n, _ = Clock(b, arg)
	}
	return pos + n, n > 0
}

// Inside returns the value of a hole that reaches over text: quotes do not belong to it.
func Inside(k Kind, text []byte) []byte {
	if k == Quoted && len(text) >= 2 {
		return text[1 : len(text)-1]
	}
	return text
}

// Fits says whether v as a whole is a value of kind k.
func Fits(k Kind, v []byte, arg string) bool {
	switch k {
	case Word, Text, LastText, Rest, Pairs, Quoted:
		return true
	}
	end, ok := Reach(k, v, 0, "", arg)
	return ok && end == len(v)
}

// run counts bytes that are no blanks, up to the first byte of stop.
func run(b []byte, stop string) int {
	n := 0
	if stop == "" {
		for n < len(b) && !blank(b[n]) {
			n++
		}
		return n
	}
	c := stop[0]
	for n < len(b) && !blank(b[n]) && b[n] != c {
		n++
	}
	return n
}

func digits(b []byte) int {
	n := 0
	for n < len(b) && digit(b[n]) {
		n++
	}
	return n
}

func integer(b []byte) int {
	n := 0
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		n = 1
	}
	d := digits(b[n:])
	if d == 0 || d > MaxIntDigits {
		return 0
	}
	return n + d
}

func float(b []byte) int {
	n := 0
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		n = 1
	}
	d := digits(b[n:])
	if d == 0 {
		return 0
	}
	n += d
	if n < len(b) && b[n] == '.' {
		if d = digits(b[n+1:]); d > 0 {
			n += 1 + d
		}
	}
	if n < len(b) && b[n]|0x20 == 'e' {
		m := n + 1
		if m < len(b) && (b[m] == '-' || b[m] == '+') {
			m++
		}
		if d = digits(b[m:]); d > 0 {
			n = m + d
		}
	}
	return n
}

func hexadecimal(b []byte) int {
	start := 0
	if len(b) > 2 && b[0] == '0' && b[1]|0x20 == 'x' && hexDigit(b[2]) {
		start = 2
	}
	n := start
	for n < len(b) && hexDigit(b[n]) {
		n++
	}
	if n == start {
		return 0
	}
	return n
}

func mac(b []byte) int {
	if len(b) >= 14 && b[4] == '.' && b[9] == '.' {
		for i := range 14 {
			if i != 4 && i != 9 && !hexDigit(b[i]) {
				return 0
			}
		}
		return 14
	}
	if len(b) < 17 || b[2] != ':' && b[2] != '-' {
		return 0
	}
	for i := range 17 {
		if i%3 == 2 {
			if b[i] != b[2] {
				return 0
			}
		} else if !hexDigit(b[i]) {
			return 0
		}
	}
	return 17
}

// host reads letters, digits and . _ - with a letter or digit first and last; a colon makes it an IPv6 address.
func host(b []byte, stop string) int {
	if n := portless(b, stop); n > 0 && (n == len(b) || !alnum(b[n]) && b[n] != '-' && b[n] != '_') {
		return n
	}
	n, end := 0, 0
	for n < len(b) && n <= MaxHostBytes && (alnum(b[n]) || b[n] == '.' || b[n] == '_' || b[n] == '-') && (stop == "" || b[n] != stop[0]) {
		n++
		if alnum(b[n-1]) {
			end = n
		}
	}
	if n == 0 || n > MaxHostBytes || !alnum(b[0]) && b[0] != '_' {
		return 0
	}
	return end
}

func email(b []byte, stop string) int {
	n := run(b, stop)
	at := -1
	for i := range n {
		switch c := b[i]; {
		case c == '@':
			if at >= 0 {
				return 0
			}
			at = i
		case alnum(c), c == '.', c == '-', c == '_':
		case at >= 0: // what follows the domain belongs to something else
			n = i
		case c <= ' ', c == '<', c == '>', c == '"', c == ',', c == ';', c == ':', c == '(', c == ')', c == '[', c == ']', c == '\\':
			return 0
		}
		if i >= n {
			break
		}
	}
	for n > 0 && !alnum(b[n-1]) {
		n--
	}
	if at <= 0 || at >= n-1 {
		return 0
	}
	return n
}

func pathHead(b []byte) bool {
	switch {
	case len(b) == 0:
		return false
	case b[0] == '/', b[0] == '~':
		return true
	case len(b) >= 3 && (b[0]|0x20)-'a' < 26 && b[1] == ':':
		return b[2] == '\\' || b[2] == '/'
	}
	return len(b) >= 2 && b[0] == '\\' && b[1] == '\\'
}

func urlHead(b []byte) bool {
	n := 0
	for n < len(b) && ((b[n]|0x20)-'a' < 26 || n > 0 && (digit(b[n]) || b[n] == '+' || b[n] == '-' || b[n] == '.')) {
		n++
	}
	return n > 0 && len(b) > n+3 && b[n] == ':' && b[n+1] == '/' && b[n+2] == '/'
}

func quoted(b []byte) int {
	if len(b) < 2 || b[0] != '"' && b[0] != '\'' {
		return 0
	}
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case b[0]:
			return i + 1
		}
	}
	return 0
}
