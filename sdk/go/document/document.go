// Package document writes records in the form of ECS: JSON objects with dotted names, which the JSON parser reads.
package document

import "time"

// MaxTextBytes is what a text is cut to, so that what a device says cannot make a record too long.
const MaxTextBytes = 4 << 10

// Document is one record. Values that are empty are left out; names are given without characters that JSON escapes.
type Document struct{ b []byte }

// New begins a record of an event at a time, ns since the Unix epoch.
func New(at int64) *Document {
	d := &Document{b: append(make([]byte, 0, 1<<10), '{')}
	return d.Time("@timestamp", at)
}

func (d *Document) name(name string) {
	if len(d.b) > 1 {
		d.b = append(d.b, ',')
	}
	d.b = append(append(append(d.b, '"'), name...), '"', ':')
}

// Text adds a text, cut to MaxTextBytes.
func (d *Document) Text(name, value string) *Document { return d.Long(name, value, MaxTextBytes) }

// Long adds a text of at most limit bytes.
func (d *Document) Long(name, value string, limit int) *Document {
	if value != "" {
		d.name(name)
		d.b = appendString(d.b, value, limit)
	}
	return d
}

// Texts adds a list of texts.
func (d *Document) Texts(name string, values []string) *Document {
	if len(values) == 0 {
		return d
	}
	d.name(name)
	d.b = append(d.b, '[')
	for i, v := range values {
		if i > 0 {
			d.b = append(d.b, ',')
		}
		d.b = appendString(d.b, v, MaxTextBytes)
	}
	d.b = append(d.b, ']')
	return d
}

// Int adds a number, also when it is 0.
func (d *Document) Int(name string, value int64) *Document {
	d.name(name)
	d.b = appendInt(d.b, value)
	return d
}

// Tenths adds a number that is given in tenths: 125 is 12.5.
func (d *Document) Tenths(name string, tenths int64) *Document {
	d.name(name)
	if tenths < 0 {
		d.b = append(d.b, '-')
		tenths = -tenths
	}
	d.b = appendInt(d.b, tenths/10)
	if tenths%10 != 0 {
		d.b = append(d.b, '.', byte('0'+tenths%10))
	}
	return d
}

// Bool adds a truth value.
func (d *Document) Bool(name string, value bool) *Document {
	d.name(name)
	if value {
		d.b = append(d.b, "true"...)
	} else {
		d.b = append(d.b, "false"...)
	}
	return d
}

// Time adds a time, ns since the Unix epoch; 0 is left out.
func (d *Document) Time(name string, ns int64) *Document {
	if ns != 0 {
		d.name(name)
		d.b = append(d.b, '"')
		d.b = time.Unix(0, ns).UTC().AppendFormat(d.b, time.RFC3339Nano)
		d.b = append(d.b, '"')
	}
	return d
}

// Event adds what every event says: dataset, kind, action and outcome.
func (d *Document) Event(dataset, kind, action, outcome string) *Document {
	return d.Text("event.dataset", dataset).Text("event.kind", kind).Text("event.action", action).Text("event.outcome", outcome)
}

// Bytes ends the record and returns it.
func (d *Document) Bytes() []byte { return append(d.b, '}') }

func appendInt(b []byte, v int64) []byte {
	u := uint64(v)
	if v < 0 {
		b = append(b, '-')
		u = -u
	}
	var digits [20]byte
	i := len(digits)
	for more := true; more; more = u > 0 {
		i--
		digits[i] = byte('0' + u%10)
		u /= 10
	}
	return append(b, digits[i:]...)
}

// appendString appends a JSON string. What is no UTF-8 becomes U+FFFD: devices write what they like.
func appendString(b []byte, s string, limit int) []byte {
	const digits = "0123456789abcdef"
	if len(s) > limit {
		s = s[:limit]
	}
	b = append(b, '"')
	for _, r := range s { // an invalid byte is U+FFFD
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, '\\', 'n')
		case r < ' ' || r == 0x7f:
			b = append(b, '\\', 'u', '0', '0', digits[r>>4], digits[r&15])
		default:
			b = append(b, string(r)...)
		}
	}
	return append(b, '"')
}
