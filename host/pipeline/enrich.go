package pipeline

import (
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/host/indicator"
	"github.com/vedette-siem/vedette/storage"
)

// Fields that an event gets which holds an indicator of compromise; of several, lists. The names are those of ECS.
const (
	FieldIndicator           = "threat.indicator.name" // its value
	FieldIndicatorType       = "threat.indicator.type" // of STIX 2.1: ipv4-addr, ipv6-addr, domain-name, url, file, email-addr
	FieldIndicatorConfidence = "threat.indicator.confidence"
	FieldIndicatorProvider   = "threat.indicator.provider"
	FieldIndicatorText       = "threat.indicator.description"
	FieldFeed                = "threat.feed.name" // the indicator set
	FieldMatchedField        = "threat.enrichments.matched.field"
)

var indicatorFields = [...]string{
	FieldIndicator, FieldIndicatorType, FieldIndicatorConfidence, FieldIndicatorProvider, FieldIndicatorText, FieldFeed, FieldMatchedField,
}

// enrich compares an event with the indicators of its organization. What one says about the event takes the place of what
// the sender said.
func (p *Parser) enrich(e *storage.Event) {
	feeds := p.view.Feeds()
	if len(feeds) == 0 {
		return
	}
	found := p.indicators.Match(feeds, e)
	if len(found) == 0 {
		return
	}
	e.Fields = slices.DeleteFunc(e.Fields, func(f storage.Field) bool { return slices.Contains(indicatorFields[:], f.Name) })
	var values [len(indicatorFields)][]string
	surest := &found[0]
	for i := range found {
		x := &found[i]
		if x.Confidence > surest.Confidence {
			surest = x
		}
		for n, v := range [...]string{x.Value, stixType(&x.Indicator), "", x.Source, x.Description, x.Feed, x.Field} {
			if v != "" && !slices.Contains(values[n], v) {
				values[n] = append(values[n], v)
			}
		}
	}
	values[2] = []string{surest.Rating()}
	for n, name := range indicatorFields {
		switch of := values[n]; len(of) {
		case 0:
		case 1:
			e.Fields = append(e.Fields, storage.Field{Name: name, Value: of[0]})
		default:
			e.Fields = append(e.Fields, storage.Field{Name: name, Value: listOf(of)})
		}
	}
	storage.Canonical(e)
}

// TakeEnriched gives an event that was parsed again what indicators added to it when it was stored, and reports whether
// they had: which sets there were then is not asked.
func TakeEnriched(stored, parsed *storage.Event) bool {
	of := func(e *storage.Event) (list []storage.Field) {
		for _, f := range e.Fields {
			if slices.Contains(indicatorFields[:], f.Name) {
				list = append(list, f)
			}
		}
		slices.SortFunc(list, func(a, b storage.Field) int { return strings.Compare(a.Name, b.Name) })
		return list
	}
	had := of(stored)
	if stored.Get(FieldMatchedField) == "" || slices.Equal(had, of(parsed)) { // the sender may say such things too
		return false
	}
	parsed.Fields = append(slices.DeleteFunc(parsed.Fields, func(f storage.Field) bool { return slices.Contains(indicatorFields[:], f.Name) }), had...)
	storage.Canonical(parsed)
	return true
}

// stixType is the type of an indicator in the words of STIX.
func stixType(x *indicator.Indicator) string {
	switch x.Type {
	case indicator.Address:
		if strings.Contains(x.Value, ":") {
			return "ipv6-addr"
		}
		return "ipv4-addr"
	case indicator.Domain:
		return "domain-name"
	case indicator.Email:
		return "email-addr"
	}
	return string(x.Type)
}

// listOf writes a list as a JSON array of strings, as long as a value may be.
func listOf(of []string) string {
	t := []byte{'['}
	for i, v := range of {
		end := len(t)
		if i > 0 {
			t = append(t, ',')
		}
		if t = appendJSON(t, v); len(t) >= storage.MaxFieldValueBytes {
			t = t[:end]
			break
		}
	}
	return string(append(t, ']'))
}
