// Package settings reads the settings of a module: a flat JSON object that the host has checked against its schema.
package settings

import "github.com/vedette-siem/vedette/sdk/go/jsontok"

// Values are the settings by their dotted names; of a list every element, in order.
type Values map[string][]string

// Read reads settings; none are no error.
func Read(b []byte) (Values, error) {
	v := Values{}
	if len(b) == 0 {
		return v, nil
	}
	var f jsontok.Flat
	for f.Reset(b); f.Next(); {
		name := string(f.Name)
		text := string(f.Value)
		if f.Escaped {
			text = string(jsontok.Unescape(nil, f.Value))
		}
		v[name] = append(v[name], text)
	}
	return v, f.Err()
}

// Text returns a setting, or what stands for it.
func (v Values) Text(name, fallback string) string {
	if list := v[name]; len(list) > 0 {
		return list[0]
	}
	return fallback
}

// Int returns a whole number, or what stands for it.
func (v Values) Int(name string, fallback int64) int64 {
	text := v.Text(name, "")
	if text == "" || len(text) > 18 {
		return fallback
	}
	var n int64
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return fallback
		}
		n = n*10 + int64(text[i]-'0')
	}
	return n
}

// Bool returns a truth value, or what stands for it.
func (v Values) Bool(name string, fallback bool) bool {
	switch v.Text(name, "") {
	case "true":
		return true
	case "false":
		return false
	}
	return fallback
}
