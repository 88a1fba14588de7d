package storage

import (
	"hash/maphash"
	"strings"
	"unicode/utf8"
)

// FieldTruncated is set on an event that lost something to a limit: a JSON array with the limits that were hit, of
// "field" (too many), "name", "raw", "row" (all together), "stream" and "value".
const FieldTruncated = "vedette.truncated"

const (
	ownPrefix    = "vedette." // names that the host sets; they are the last to be cut
	renamePrefix = "raw."     // put before a name that a sender may not set
	markerBytes  = 128        // room for FieldTruncated in a row that is being cut
)

// Limits that were hit, in the order of limitNames.
const (
	cutField = 1 << iota
	cutName
	cutRaw
	cutRow
	cutStream
	cutValue
)

var limitNames = [...]string{"field", "name", "raw", "row", "stream", "value"}

// Canonical puts e into canonical form, in place, and returns how many things it had to change; 0 means that e was
// canonical already, and then nothing is allocated. Applying it twice is the same as applying it once.
//
//   - Text is valid UTF-8: invalid bytes become U+FFFD.
//   - Names are unique (the first of equal ones stays), not empty, within MaxFieldNameBytes. A name that only the store
//     may set (_time, _stream, _stream_id, _msg, vedette.id, vedette.seq, vedette.received) gets the prefix "raw.".
//   - Fields without a value are removed. event.dataset lives in Stream: it fills an empty Stream and leaves Fields.
//   - Raw, Stream, values, their number and the whole row are within the limits of this package. What is too long is
//     cut at a rune, what is too much is dropped from the end of Fields, "vedette." fields last, and FieldTruncated says so.
//
// The order of Fields is kept. A store returns exactly this, except for that order.
func Canonical(e *Event) (changed int) {
	changed, cut := canonicalText(e)
	n, c := canonicalFields(e)
	changed, cut = changed+n, cut|c
	if cut == 0 && len(e.Fields) <= MaxFieldsPerEvent && rowBytes(e) <= MaxRowBytes {
		return changed
	}
	return changed + fit(e, cut)
}

// canonicalText repairs what is not a field.
func canonicalText(e *Event) (changed, cut int) {
	if raw, long := cleanText(e.Raw, MaxRawBytes); long || len(raw) != len(e.Raw) || raw != e.Raw {
		e.Raw = raw
		changed++
		if long {
			cut |= cutRaw
		}
	}
	if s, long := cleanText(e.Stream, MaxStreamBytes); long || s != e.Stream {
		e.Stream = s
		changed++
		if long {
			cut |= cutStream
		}
	}
	return changed, cut
}

// canonicalFields repairs, renames and dedupes; it does not look at the number of fields or the size of the row.
func canonicalFields(e *Event) (changed, cut int) {
	var names nameSet
	names.init(len(e.Fields))
	kept := e.Fields[:0]
	for i := range e.Fields {
		f := e.Fields[i]
		if f.Value == "" {
			changed++
			continue
		}
		name, long := cleanName(f.Name)
		if long {
			cut |= cutName
		}
		value, longValue := cleanText(f.Value, MaxFieldValueBytes)
		if longValue {
			cut |= cutValue
		}
		if long || longValue || name != f.Name || value != f.Value {
			changed++
		}
		if name == FieldDataset {
			switch {
			case e.Stream == "":
				s, longStream := cleanText(value, MaxStreamBytes)
				if e.Stream = s; longStream {
					cut |= cutStream
				}
				changed++
			case e.Stream != value:
				changed++
			}
			continue
		}
		if name == "" || !names.add(kept, name) {
			changed++
			continue
		}
		kept = append(kept, Field{Name: name, Value: value})
	}
	clear(e.Fields[len(kept):])
	e.Fields = kept
	return changed, cut
}

// fit drops fields until the event is within the limits and says in FieldTruncated what was hit.
func fit(e *Event, cut int) (changed int) {
	if len(e.Fields) > MaxFieldsPerEvent {
		cut |= cutField
	}
	size := rowBytes(e)
	if size > MaxRowBytes {
		cut |= cutRow
	}
	marker := -1
	for i := range e.Fields {
		if e.Fields[i].Name == FieldTruncated {
			marker = i
		}
	}
	spare := 0
	if marker < 0 {
		spare, size = 1, size+markerBytes
	}
	for own := range 2 { // senders' fields first
		for i := len(e.Fields) - 1; i >= 0 && (len(e.Fields)+spare > MaxFieldsPerEvent || size > MaxRowBytes); i-- {
			f := e.Fields[i]
			if strings.HasPrefix(f.Name, ownPrefix) != (own == 1) || f.Name == FieldTruncated {
				continue
			}
			if len(e.Fields)+spare > MaxFieldsPerEvent {
				cut |= cutField
			} else {
				cut |= cutRow
			}
			size -= fieldBytes(f)
			e.Fields = append(e.Fields[:i], e.Fields[i+1:]...)
			changed++
		}
	}
	if marker < 0 {
		e.Fields = append(e.Fields, Field{Name: FieldTruncated, Value: limitList(cut, "")})
		return changed + 1
	}
	for i := range e.Fields {
		if e.Fields[i].Name == FieldTruncated {
			e.Fields[i].Value = limitList(cut, e.Fields[i].Value)
		}
	}
	return changed
}

// limitList returns the JSON array of the limits in cut and in an earlier list.
func limitList(cut int, earlier string) string {
	var b strings.Builder
	sep := byte('[')
	for i, name := range limitNames {
		if cut&(1<<i) != 0 || strings.Contains(earlier, `"`+name+`"`) {
			b.WriteByte(sep)
			b.WriteString(`"` + name + `"`)
			sep = ','
		}
	}
	b.WriteByte(']')
	return b.String()
}

func fieldBytes(f Field) int { return len(f.Name) + len(f.Value) }

func rowBytes(e *Event) int {
	n := len(e.Raw) + len(e.Stream)
	for i := range e.Fields {
		n += fieldBytes(e.Fields[i])
	}
	return n
}

// cleanName returns the name under which a sender's field is kept, and whether it was cut.
func cleanName(name string) (string, bool) {
	switch name {
	case "_time", "_stream", "_stream_id", "_msg", FieldID, FieldSeq, FieldReceived:
		name = renamePrefix + name
	}
	return cleanText(name, MaxFieldNameBytes)
}

// cleanText returns s as valid UTF-8 of at most limit bytes, and whether it was cut.
func cleanText(s string, limit int) (string, bool) {
	long := false
	if len(s) > limit { // before the repair: it may only grow what is left
		s, long = cutAtRune(s, limit), true
	}
	if utf8.ValidString(s) {
		return s, long
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) > limit {
		s, long = cutAtRune(s, limit), true
	}
	return s, long
}

func cutAtRune(s string, limit int) string {
	end := limit
	for end > limit-utf8.UTFMax && end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	if !utf8.RuneStart(s[end]) { // not UTF-8 there anyway
		end = limit
	}
	return s[:end]
}

// nameSet finds equal names in one pass: a hash table of indexes on the stack, a map for absurdly many fields.
type nameSet struct {
	slot [1024]uint16
	many map[string]struct{}
}

var nameSeed = maphash.MakeSeed()

func (s *nameSet) init(n int) {
	if n > len(s.slot)/2 {
		s.many = make(map[string]struct{}, n)
	}
}

// add reports whether name is new; kept holds the fields added so far.
func (s *nameSet) add(kept []Field, name string) bool {
	if s.many != nil {
		_, known := s.many[name]
		s.many[name] = struct{}{}
		return !known
	}
	for h := maphash.String(nameSeed, name); ; h++ {
		at := &s.slot[h%uint64(len(s.slot))]
		if *at == 0 {
			*at = uint16(len(kept) + 1)
			return true
		}
		if kept[*at-1].Name == name {
			return false
		}
	}
}
