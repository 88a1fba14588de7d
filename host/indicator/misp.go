package indicator

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// mispAttribute is what counts of an attribute.
type mispAttribute struct {
	UUID    string `json:"uuid"`
	Type    string `json:"type"`
	Value   string `json:"value"`
	Comment string `json:"comment"`
	ToIDS   bool   `json:"to_ids"`
	Deleted bool   `json:"deleted"`
}

type mispEvent struct {
	Info string `json:"info"`
	Orgc struct {
		Name string `json:"name"`
	} `json:"Orgc"`
	Attribute []mispAttribute `json:"Attribute"`
	Object    []struct {
		Attribute []mispAttribute `json:"Attribute"`
	} `json:"Object"`
}

// mispDocument is each of the forms in which MISP exports.
type mispDocument struct {
	Event     *mispEvent      `json:"Event"`
	Attribute []mispAttribute `json:"Attribute"`
	Response  json.RawMessage `json:"response"`
}

func (r *reader) misp(text []byte) error {
	if firstOf(text) == '[' {
		var list []mispDocument
		if err := json.Unmarshal(text, &list); err != nil {
			return err
		}
		for i := range list {
			if err := r.mispOne(&list[i]); err != nil {
				return err
			}
		}
		return nil
	}
	var d mispDocument
	if err := json.Unmarshal(text, &d); err != nil {
		return err
	}
	if len(d.Response) > 0 {
		return r.misp(d.Response)
	}
	if d.Event == nil && d.Attribute == nil {
		return errors.New("want an Event, a response or attributes of MISP")
	}
	return r.mispOne(&d)
}

func (r *reader) mispOne(d *mispDocument) error {
	if err := r.attributes(d.Attribute, said{confidence: Unrated}); err != nil || d.Event == nil {
		return err
	}
	s := said{confidence: Unrated, source: d.Event.Orgc.Name, description: d.Event.Info}
	if err := r.attributes(d.Event.Attribute, s); err != nil {
		return err
	}
	for i := range d.Event.Object {
		if err := r.attributes(d.Event.Object[i].Attribute, s); err != nil {
			return err
		}
	}
	return nil
}

// attributes adds those that are meant for detection.
func (r *reader) attributes(all []mispAttribute, s said) error {
	for i := range all {
		a := &all[i]
		if !a.ToIDS && !a.Deleted {
			continue
		}
		one := s
		if a.Comment != "" {
			one.description = strings.TrimPrefix(fmt.Sprintf("%s: %s", s.description, a.Comment), ": ")
		}
		from := len(r.Indicators)
		if err := r.typed(a.UUID, strings.ToLower(a.Type), a.Value, one); err != nil {
			return err
		}
		if a.Deleted {
			r.Withdrawn = append(r.Withdrawn, r.Indicators[from:]...)
			r.Indicators = r.Indicators[:from]
		}
	}
	return nil
}

// firstOf returns the first character that is no white space.
func firstOf(text []byte) byte {
	for _, c := range text {
		if c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return c
		}
	}
	return 0
}
