package indicator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// stixObject is what counts of an object.
type stixObject struct {
	Type        string   `json:"type"`
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	CreatedBy   string   `json:"created_by_ref"`
	Pattern     string   `json:"pattern"`
	PatternType string   `json:"pattern_type"`
	ValidUntil  string   `json:"valid_until"`
	Confidence  *int     `json:"confidence"`
	Revoked     bool     `json:"revoked"`
	Labels      []string `json:"labels"`
	Kinds       []string `json:"indicator_types"`
}

// stix reads the indicators of a bundle or an envelope, object by object.
func (r *reader) stix(text []byte) error {
	objects, err := stixObjects(text)
	if err != nil {
		return err
	}
	who := map[string]string{}
	for i := range objects {
		if objects[i].Type == "identity" {
			who[objects[i].ID] = objects[i].Name
		}
	}
	for i := range objects {
		if objects[i].Type == "indicator" {
			if err := r.stixOne(&objects[i], who); err != nil {
				return err
			}
		}
	}
	return nil
}

func stixObjects(text []byte) (all []stixObject, err error) {
	if firstOf(text) == '[' {
		return all, json.Unmarshal(text, &all)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("want a bundle of STIX 2.1")
	}
	found, other := false, false
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		if name != "objects" {
			other = other || name != "type" && name != "id" && name != "spec_version" && name != "more" && name != "next"
			var skip json.RawMessage
			if err := d.Decode(&skip); err != nil {
				return nil, err
			}
			continue
		}
		found = true
		if err := d.Decode(&all); err != nil {
			return nil, err
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if other && !found {
		return nil, errors.New("it has no objects: want a bundle of STIX 2.1, or an envelope of TAXII 2.1")
	}
	return all, nil
}

// stixOne adds what the pattern of an indicator looks for.
func (r *reader) stixOne(o *stixObject, who map[string]string) error {
	if o.PatternType != "" && o.PatternType != "stix" {
		r.problem(o.ID, "its pattern is of type %.40q, which is not looked for", o.PatternType)
		return nil
	}
	found, err := patternOf(o.Pattern)
	if err != nil {
		r.problem(o.ID, "%v", err)
		return nil
	}
	s := said{confidence: Unrated, expires: momentOf(o.ValidUntil), source: who[o.CreatedBy], description: o.Name}
	if o.Confidence != nil {
		s.confidence = min(max(*o.Confidence, 0), 100)
	}
	if s.description == "" {
		s.description = o.Description
	}
	if kinds := slices.Concat(o.Kinds, o.Labels); len(kinds) > 0 && s.description == "" {
		s.description = strings.Join(kinds, ", ")
	}
	from := len(r.Indicators)
	for _, f := range found {
		if err := r.add(o.ID, f.t, f.value, s); err != nil {
			return err
		}
	}
	if o.Revoked {
		r.Withdrawn = append(r.Withdrawn, r.Indicators[from:]...)
		r.Indicators = r.Indicators[:from]
	}
	return nil
}

// compared is a comparison of a pattern that alone tells of an attack.
type compared struct {
	t      Type
	value  string
	beside bool // it is no indicator, but says only more about a file whose hash is one
}

// patternOf returns the values of which a STIX pattern looks for any. A pattern that needs more than one value, or that looks
// for something else, is an error that says what.
func patternOf(text string) ([]compared, error) {
	if len(text) > MaxPatternBytes {
		return nil, fmt.Errorf("a pattern of %d bytes, at most %d are read", len(text), MaxPatternBytes)
	}
	p := &pattern{rest: text}
	p.next()
	found, err := p.observations(0)
	if err == nil && p.token != "" {
		err = fmt.Errorf("%.40q stands behind the pattern", p.token)
	}
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(c compared) bool { return c.beside })
	if len(found) == 0 {
		return nil, errors.New("its pattern looks for nothing that is looked for here")
	}
	return found, nil
}

// pattern is a pattern that is being read: the token at hand, "" at the end, and what follows it.
type pattern struct {
	rest, token string
	text        bool // the token is a string literal, without its quotes
}

func (p *pattern) next() {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	p.text = false
	n := 0
	switch {
	case p.rest == "":
		p.token = ""
		return
	case p.rest[0] == '\'':
		p.literal()
		return
	case strings.IndexByte("[]()=,", p.rest[0]) >= 0:
		n = 1
	case strings.HasPrefix(p.rest, "!=") || strings.HasPrefix(p.rest, "<=") || strings.HasPrefix(p.rest, ">="):
		n = 2
	case p.rest[0] == '<' || p.rest[0] == '>' || p.rest[0] == '!':
		n = 1
	default: // a word or a path, of which parts may be quoted
		for n < len(p.rest) && strings.IndexByte(" \t\r\n[]()=,!<>", p.rest[n]) < 0 {
			if p.rest[n] == '\'' {
				end := strings.IndexByte(p.rest[n+1:], '\'')
				if end < 0 {
					n = len(p.rest)
					break
				}
				n += end + 1
			}
			n++
		}
	}
	p.token, p.rest = p.rest[:n], p.rest[n:]
}

// literal reads a string literal, in which \ keeps a quote from ending it.
func (p *pattern) literal() {
	var b strings.Builder
	i := 1
	for ; i < len(p.rest) && p.rest[i] != '\''; i++ {
		if p.rest[i] == '\\' && i+1 < len(p.rest) {
			i++
		}
		b.WriteByte(p.rest[i])
	}
	p.token, p.text = b.String(), true
	p.rest = p.rest[min(i+1, len(p.rest)):]
}

func (p *pattern) word(w string) bool { return !p.text && strings.EqualFold(p.token, w) }

// take goes on behind a token.
func (p *pattern) take(w string) error {
	if p.text || p.token != w {
		return fmt.Errorf("its pattern has %.40q where %s should stand", p.token, w)
	}
	p.next()
	return nil
}

// observations reads observation expressions joined by OR.
func (p *pattern) observations(depth int) (all []compared, err error) {
	if depth > MaxPatternDepth {
		return nil, fmt.Errorf("its pattern is nested deeper than %d", MaxPatternDepth)
	}
	for {
		var found []compared
		if p.word("(") {
			p.next()
			if found, err = p.observations(depth + 1); err == nil {
				err = p.take(")")
			}
		} else if err = p.take("["); err == nil {
			if found, err = p.comparisons(depth + 1); err == nil {
				err = p.take("]")
			}
		}
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
		switch {
		case p.word("AND") || p.word("FOLLOWEDBY"):
			return nil, fmt.Errorf("its pattern needs several observations (%s)", strings.ToUpper(p.token))
		case p.word("WITHIN") || p.word("REPEATS") || p.word("START"):
			return nil, fmt.Errorf("its pattern has a qualifier (%s)", strings.ToUpper(p.token))
		case !p.word("OR"):
			return all, nil
		}
		p.next()
	}
}

// comparisons reads comparisons joined by OR.
func (p *pattern) comparisons(depth int) (all []compared, err error) {
	if depth > MaxPatternDepth {
		return nil, fmt.Errorf("its pattern is nested deeper than %d", MaxPatternDepth)
	}
	for {
		found, err := p.all(depth)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
		if !p.word("OR") {
			return all, nil
		}
		p.next()
	}
}

// all reads comparisons joined by AND. The hashes of one file are each an indicator, whatever else is said of the file;
// anything else that has to come together is not looked for.
func (p *pattern) all(depth int) (all []compared, err error) {
	terms, hashes := 0, 0
	for {
		var found []compared
		if p.word("(") {
			p.next()
			if found, err = p.comparisons(depth + 1); err == nil {
				err = p.take(")")
			}
		} else {
			found, err = p.comparison()
		}
		if err != nil {
			return nil, err
		}
		terms++
		if !slices.ContainsFunc(found, func(c compared) bool { return c.t != Hash && !c.beside }) {
			hashes++
		}
		all = append(all, found...)
		if !p.word("AND") {
			break
		}
		p.next()
	}
	switch {
	case terms == 1:
		return all, nil
	case hashes < terms:
		return nil, errors.New("its pattern needs several values at once (AND)")
	}
	return slices.DeleteFunc(all, func(c compared) bool { return c.beside }), nil
}

// comparison reads path, operator and value.
func (p *pattern) comparison() ([]compared, error) {
	path := p.token
	if p.text || path == "" || !strings.Contains(path, ":") {
		return nil, fmt.Errorf("its pattern has %.40q where a path should stand", path)
	}
	p.next()
	if p.word("NOT") || p.word("!=") {
		return nil, fmt.Errorf("its pattern looks for what is not so (%.80s)", path)
	}
	op := strings.ToUpper(p.token)
	if p.text || op != "=" && op != "IN" && op != "ISSUBSET" {
		return nil, fmt.Errorf("its pattern compares %.80s by %.20s", path, op)
	}
	p.next()
	values, err := p.values(op == "IN")
	if err != nil {
		return nil, err
	}
	t, beside, ok := typeOfPath(path)
	if !ok {
		return nil, fmt.Errorf("its pattern looks for %.80s", path)
	}
	if op == "ISSUBSET" && t != Address {
		return nil, fmt.Errorf("its pattern compares %.80s by %s", path, op)
	}
	found := make([]compared, len(values))
	for i, v := range values {
		found[i] = compared{t, v, beside}
	}
	return found, nil
}

func (p *pattern) values(list bool) (values []string, err error) {
	if !list {
		if p.token == "" && !p.text {
			return nil, errors.New("its pattern ends where a value should stand")
		}
		values = []string{p.token}
		p.next()
		return values, nil
	}
	if err := p.take("("); err != nil {
		return nil, err
	}
	for {
		if p.token == "" && !p.text {
			return nil, errors.New("its pattern ends where a value should stand")
		}
		values = append(values, p.token)
		p.next()
		if p.word(",") {
			p.next()
			continue
		}
		return values, p.take(")")
	}
}

// typeOfPath says what a path of STIX leads to; beside is what only adds to the hash of a file.
func typeOfPath(path string) (t Type, beside, ok bool) {
	object, property, _ := strings.Cut(path, ":")
	switch object {
	case "ipv4-addr", "ipv6-addr":
		return Address, false, property == "value"
	case "domain-name":
		return Domain, false, property == "value"
	case "url":
		return URL, false, property == "value"
	case "email-addr":
		return Email, false, property == "value"
	case "email-message":
		return Email, false, property == "from_ref.value" || property == "sender_ref.value"
	case "network-traffic":
		return Address, false, property == "dst_ref.value" || property == "src_ref.value"
	case "file":
		if name, found := strings.CutPrefix(property, "hashes."); found {
			switch strings.ToUpper(strings.ReplaceAll(strings.Trim(name, "'\""), "-", "")) {
			case "MD5", "SHA1", "SHA256", "SHA512":
				return Hash, false, true
			}
			return "", true, true // of another function
		}
		return "", true, property == "name" || property == "size" || property == "mime_type"
	}
	return "", false, false
}
