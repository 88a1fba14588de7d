package indicator

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vedette-siem/vedette/storage"
)

// Format is how indicators are written.
type Format string

// The formats.
const (
	CSV  Format = "csv"  // a header names the columns; it may stand in a comment, as of the feeds of abuse.ch
	List Format = "list" // a value a line; what follows a space or # is left out
	STIX Format = "stix" // STIX 2.1: a bundle, or an envelope of TAXII 2.1
	MISP Format = "misp" // an event, a list of them, or attributes, as MISP exports them in JSON
)

// Formats are all formats.
var Formats = []Format{CSV, List, STIX, MISP}

// FormatOf tells a format by how a document begins.
func FormatOf(text []byte) Format {
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\uFEFF")))
	if len(text) > 0 && (text[0] == '{' || text[0] == '[') {
		head := text[:min(len(text), 4096)]
		if bytes.Contains(head, []byte(`"Event"`)) || bytes.Contains(head, []byte(`"Attribute"`)) || bytes.Contains(head, []byte(`"response"`)) {
			return MISP
		}
		return STIX
	}
	for l := range bytes.Lines(text) {
		if l = bytes.TrimSpace(l); len(l) > 0 && l[0] != '#' {
			if bytes.ContainsRune(l, ',') {
				return CSV
			}
			return List
		}
	}
	return List
}

// Defaults are what is said of indicators whose document does not say it. The zero value says nothing.
type Defaults struct {
	Source     string
	Confidence int   // 1 to 100; 0: it stays unrated
	Expires    int64 // ns since the Unix epoch; 0: never
}

// Problem is why something in a document is no indicator.
type Problem struct {
	Where string // a line, or an object's id
	Text  string
}

// Read is what stands in a document.
type Read struct {
	Indicators []Indicator
	Withdrawn  []Indicator // what the source does not say any more; only type and value count
	Problems   []Problem   // the first MaxProblems
	Total      int         // of all problems
}

// Parse reads a document. What in it is no indicator is a problem, and the rest counts. The error, of the whole document,
// wraps storage.ErrInvalid or storage.ErrExhausted.
func Parse(f Format, text []byte, d Defaults) (Read, error) {
	r := &reader{defaults: d}
	if len(text) > MaxFeedBytes {
		return r.Read, fmt.Errorf("indicators of %d bytes, at most %d are allowed: %w", len(text), MaxFeedBytes, storage.ErrExhausted)
	}
	if !utf8.Valid(text) {
		return r.Read, fmt.Errorf("the indicators are not UTF-8: %w", storage.ErrInvalid)
	}
	text = bytes.TrimPrefix(text, []byte("\uFEFF"))
	var err error
	switch f {
	case CSV:
		err = r.csv(text)
	case List:
		err = r.lines(text)
	case STIX:
		err = r.stix(text)
	case MISP:
		err = r.misp(text)
	default:
		err = fmt.Errorf("format %.40q: want csv, list, stix or misp", f)
	}
	if err != nil && !errors.Is(err, storage.ErrExhausted) {
		err = fmt.Errorf("read indicators: %w: %w", err, storage.ErrInvalid)
	}
	return r.Read, err
}

type reader struct {
	Read
	defaults Defaults
}

// problem notes what is no indicator.
func (r *reader) problem(where, format string, args ...any) {
	if r.Total++; len(r.Problems) < MaxProblems {
		r.Problems = append(r.Problems, Problem{where, strings.TrimSuffix(fmt.Sprintf(format, args...), ": "+storage.ErrInvalid.Error())})
	}
}

// said is what a document says of an indicator beside its value.
type said struct {
	confidence  int // Unrated: nothing
	expires     int64
	source      string
	description string
}

// add adds an indicator.
func (r *reader) add(where string, t Type, value string, s said) error {
	if len(r.Indicators) >= MaxIndicators {
		return fmt.Errorf("more than %d indicators: %w", MaxIndicators, storage.ErrExhausted)
	}
	x, err := New(t, value)
	if err != nil {
		r.problem(where, "%v", err)
		return nil
	}
	x.Confidence, x.Expires, x.Source, x.Description = s.confidence, s.expires, clean(s.source), clean(s.description)
	if x.Confidence == Unrated && r.defaults.Confidence > 0 {
		x.Confidence = min(r.defaults.Confidence, 100)
	}
	if x.Expires == 0 {
		x.Expires = r.defaults.Expires
	}
	if x.Source == "" {
		x.Source = r.defaults.Source
	}
	r.Indicators = append(r.Indicators, x)
	return nil
}

// clean makes one line of a text, as long as it may be.
func clean(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > MaxTextBytes {
		text = strings.ToValidUTF8(text[:MaxTextBytes], "")
	}
	return text
}

func (r *reader) lines(text []byte) error {
	n := 0
	for l := range bytes.Lines(text) {
		n++
		value, _, _ := strings.Cut(strings.TrimSpace(string(l)), " ")
		if value, _, _ = strings.Cut(value, "\t"); value == "" || value[0] == '#' || value[0] == ';' {
			continue
		}
		if err := r.add("line "+strconv.Itoa(n), "", value, said{confidence: Unrated}); err != nil {
			return err
		}
	}
	return nil
}

// role is what a column of a CSV file says.
type role uint8

const (
	roleNone role = iota
	roleValue
	roleType
	roleConfidence
	roleExpires
	roleSource
	roleText
	roleIDS
)

// columns are the names of columns, in small letters, and what they say; of values also their type.
var columns = map[string]struct {
	role role
	t    Type
}{
	"indicator": {roleValue, ""}, "ioc": {roleValue, ""}, "ioc_value": {roleValue, ""}, "value": {roleValue, ""}, "observable": {roleValue, ""},
	"ip": {roleValue, Address}, "ip_address": {roleValue, Address}, "ipaddress": {roleValue, Address}, "dst_ip": {roleValue, Address}, "src_ip": {roleValue, Address}, "cidr": {roleValue, Address}, "network": {roleValue, Address},
	"domain": {roleValue, Domain}, "domain_name": {roleValue, Domain}, "fqdn": {roleValue, Domain}, "host": {roleValue, ""}, "hostname": {roleValue, Domain},
	"url": {roleValue, URL}, "email": {roleValue, Email}, "email_address": {roleValue, Email},
	"hash": {roleValue, Hash}, "md5": {roleValue, Hash}, "sha1": {roleValue, Hash}, "sha256": {roleValue, Hash}, "sha512": {roleValue, Hash},
	"md5_hash": {roleValue, Hash}, "sha1_hash": {roleValue, Hash}, "sha256_hash": {roleValue, Hash},
	"type": {roleType, ""}, "ioc_type": {roleType, ""}, "indicator_type": {roleType, ""},
	"confidence": {roleConfidence, ""}, "confidence_level": {roleConfidence, ""},
	"expires": {roleExpires, ""}, "valid_until": {roleExpires, ""}, "expiration": {roleExpires, ""},
	"source": {roleSource, ""}, "reporter": {roleSource, ""}, "provider": {roleSource, ""}, "feed": {roleSource, ""},
	"description": {roleText, ""}, "comment": {roleText, ""}, "note": {roleText, ""}, "malware": {roleText, ""}, "malware_printable": {roleText, ""}, "threat": {roleText, ""}, "threat_type": {roleText, ""}, "signature": {roleText, ""}, "tags": {roleText, ""},
	"to_ids": {roleIDS, ""},
}

// table is a CSV file as its header says.
type table struct {
	roles []role
	types []Type
}

// tableOf reads a header. It is none when no column of values is in it.
func tableOf(names []string) (t table, ok bool) {
	for _, n := range names {
		c := columns[strings.ToLower(strings.Trim(strings.TrimSpace(n), `"' `))]
		t.roles, t.types = append(t.roles, c.role), append(t.types, c.t)
	}
	return t, slices.Contains(t.roles, roleValue)
}

func (r *reader) csv(text []byte) error {
	var t table
	known := false
	at, line := 0, 0
	for l := range bytes.Lines(text) { // a header may stand in a comment, and no comment is read as CSV
		s := bytes.TrimSpace(l)
		if len(s) > 0 && s[0] != '#' {
			break
		}
		if names, err := csv.NewReader(bytes.NewReader(bytes.TrimLeft(s, "# "))).Read(); err == nil && len(names) > 1 {
			if found, ok := tableOf(names); ok {
				t, known = found, true
			}
		}
		at, line = at+len(l), line+1
	}
	c := csv.NewReader(bytes.NewReader(text[at:]))
	c.TrimLeadingSpace, c.LazyQuotes, c.FieldsPerRecord, c.Comment, c.ReuseRecord = true, true, -1, '#', true
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			var broken *csv.ParseError
			if !errors.As(err, &broken) {
				return err
			}
			r.problem("line "+strconv.Itoa(line+broken.Line), "%v", broken.Err)
			continue
		}
		if !known {
			known = true
			var header bool
			if t, header = tableOf(row); header {
				continue
			}
			if _, err := New("", row[0]); err != nil {
				return fmt.Errorf("no column is known to hold indicators: want a header with indicator, ip, domain, url, sha256 or the like: %q", row)
			}
			t = table{roles: []role{roleValue}, types: []Type{""}}
		}
		n, _ := c.FieldPos(0)
		if err := r.row("line "+strconv.Itoa(line+n), &t, row); err != nil {
			return err
		}
	}
}

// row adds the indicators of a row: one for each column of values.
func (r *reader) row(where string, t *table, row []string) error {
	s, kind := said{confidence: Unrated}, ""
	for i, cell := range row[:min(len(row), len(t.roles))] {
		switch cell = strings.TrimSpace(cell); t.roles[i] {
		case roleType:
			kind = strings.ToLower(cell)
		case roleConfidence:
			s.confidence = confidenceOf(cell)
		case roleExpires:
			s.expires = momentOf(cell)
		case roleSource:
			s.source = strings.Clone(cell)
		case roleText:
			if cell != "" && !strings.EqualFold(cell, "none") && s.description == "" {
				s.description = strings.Clone(cell)
			}
		case roleIDS:
			if cell == "0" || strings.EqualFold(cell, "false") {
				return nil
			}
		}
	}
	for i, cell := range row[:min(len(row), len(t.roles))] {
		if cell = strings.TrimSpace(cell); t.roles[i] != roleValue || cell == "" {
			continue
		}
		if t.types[i] != "" || kind == "" {
			if err := r.add(where, t.types[i], cell, s); err != nil {
				return err
			}
		} else if err := r.typed(where, kind, cell, s); err != nil {
			return err
		}
	}
	return nil
}

// named are the types of feeds and of MISP, and what they are here. A type of two parts has a value of two parts.
var named = map[string]Type{
	"ip": Address, "ipv4": Address, "ipv6": Address, "ip-src": Address, "ip-dst": Address, "ipv4-addr": Address, "ipv6-addr": Address, "cidr": Address, "netblock": Address,
	"domain": Domain, "domain-name": Domain, "domain_name": Domain, "hostname": Domain, "fqdn": Domain,
	"url": URL, "uri": URL, "link": "", "file": Hash, "hash": Hash, "md5": Hash, "sha1": Hash, "sha256": Hash, "sha512": Hash,
	"md5_hash": Hash, "sha1_hash": Hash, "sha256_hash": Hash,
	"email": Email, "email-addr": Email, "email-src": Email, "email-dst": Email, "email-reply-to": Email, "email_address": Email,
}

// typed adds what a value of a named type says, or names the type as one that is not looked for.
func (r *reader) typed(where, kind, value string, s said) error {
	if t := named[kind]; t != "" {
		return r.add(where, t, value, s)
	}
	if kind == "ip:port" {
		if at := strings.LastIndexByte(value, ':'); at > 0 {
			value = value[:at]
		}
		return r.add(where, Address, value, s)
	}
	kinds, values := strings.Split(kind, "|"), strings.Split(value, "|")
	if len(kinds) != 2 || len(values) != 2 {
		r.problem(where, "type %.40q is not looked for", kind)
		return nil
	}
	known := false
	for i, k := range kinds {
		if t := named[k]; t != "" {
			known = true
			if err := r.add(where, t, values[i], s); err != nil {
				return err
			}
		}
	}
	if !known {
		r.problem(where, "type %.40q is not looked for", kind)
	}
	return nil
}

// confidenceOf reads a number from 0 to 100, or a word.
func confidenceOf(text string) int {
	if n, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64); err == nil && n >= 0 && n <= 100 {
		return int(n)
	}
	switch strings.ToLower(text) {
	case "low":
		return 15
	case "medium", "med", "moderate":
		return 50
	case "high":
		return 85
	}
	return Unrated
}

// momentOf reads a time; 0 when there is none.
func momentOf(text string) int64 {
	for _, form := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02 15:04:05 UTC", "2006-01-02"} {
		if t, err := time.Parse(form, text); err == nil && t.Year() > 1970 && t.Year() < 2262 {
			return t.UnixNano()
		}
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 0 && n < 1<<33 {
		return n * int64(time.Second)
	}
	return 0
}
