// Package attack names the tactics and techniques of MITRE ATT&CK that rules refer to by number.
//
// ATT&CK is a registered trademark of The MITRE Corporation; its numbers and names are used under its terms of use.
package attack

import (
	_ "embed"
	"strings"
	"sync"
)

// Version is that of the matrix whose names these are.
const Version = "16"

// Tactic is a column of the matrix.
type Tactic struct {
	ID         string // "TA0006"
	Name       string // "Credential Access"
	Techniques []*Technique
}

// Technique is a technique, or a sub-technique of one.
type Technique struct {
	ID      string // "T1110", "T1110.001"
	Name    string
	Tactics []*Tactic // of a sub-technique those of its technique
	Subs    []*Technique
}

//go:embed enterprise.txt
var enterprise string

// matrix is the text, read.
type matrix struct {
	tactics    []*Tactic
	techniques map[string]*Technique
}

var read = sync.OnceValue(func() matrix { return parse(enterprise) })

func parse(text string) matrix {
	m := matrix{techniques: map[string]*Technique{}}
	short := map[string]*Tactic{}
	var last *Technique
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		id, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "" || line[0] == '#':
		case id == "tactic":
			word, rest, _ := strings.Cut(rest, " ")
			number, name, _ := strings.Cut(rest, " ")
			t := &Tactic{ID: number, Name: name}
			short[word], m.tactics = t, append(m.tactics, t)
		case id[0] == '.':
			sub := &Technique{ID: last.ID + id, Name: rest, Tactics: last.Tactics}
			last.Subs = append(last.Subs, sub)
			m.techniques[sub.ID] = sub
		default:
			words, name, _ := strings.Cut(rest, " ")
			last = &Technique{ID: id, Name: name}
			for word := range strings.SplitSeq(words, ",") {
				tactic := short[word]
				last.Tactics = append(last.Tactics, tactic)
				tactic.Techniques = append(tactic.Techniques, last)
			}
			m.techniques[id] = last
		}
	}
	return m
}

// Tactics returns the matrix: its columns in their order. It must not be changed.
func Tactics() []*Tactic { return read().tactics }

// Find returns a technique by its number. One that is not known is no error: ATT&CK grows.
func Find(id string) (*Technique, bool) {
	t, ok := read().techniques[id]
	return t, ok
}
