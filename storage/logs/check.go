package logs

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

// Checked is what can be said of a query without running it.
type Checked struct {
	Message string // what is wrong, for the person who wrote it; "" when it can be run
	Offset  int    // bytes of the text that could be read before that
	Table   bool   // it has pipes: rows come out as lines of a table
}

// Check reads a query and says where it is wrong. It runs nothing, and does not look at who asks: a query that passes may
// still be refused to a principal with a forced filter.
func Check(text string, now time.Time) (c Checked) {
	if len(text) > storage.MaxQueryBytes {
		return Checked{Message: fmt.Sprintf("a query has at most %d bytes", storage.MaxQueryBytes), Offset: storage.MaxQueryBytes}
	}
	if strings.TrimSpace(text) == "" {
		return Checked{}
	}
	defer func() {
		if r := recover(); r != nil { // its parsers panic on what they cannot quote
			c = Checked{Message: fmt.Sprint(r), Offset: len(text)}
		}
	}()
	at := now.UnixNano()
	parsed, err := parseQuery(text, at)
	if err != nil {
		for e := err; e != nil; e = errors.Unwrap(e) { // the innermost that logstorage wrote
			err = e
			if joined, ok := e.(interface{ Unwrap() []error }); ok {
				err = joined.Unwrap()[len(joined.Unwrap())-1]
				break
			}
		}
		return explain(text, err.Error())
	}
	parsed = parsed.Clone(at)
	whole := parsed.String()
	parsed.DropAllPipes()
	return Checked{Table: parsed.String() != whole}
}

// logstorage ends its errors with the text that it had read, at most the last 50 bytes of it.
const contextBytes = 50

var (
	contextOf = regexp.MustCompile(`(?s); context: \[(.*?)\](; tail: \[(.*)\]|; see https?://\S+)?$`)
	lastToken = regexp.MustCompile(`(\w+|\W)$`)
	badToken  = regexp.MustCompile(`(?:unexpected (?:token|pipe|keyword|closing token)|unknown stats func):? "((?:[^"\\]|\\.)*)"`)
)

// explain turns an error of logstorage into a message and the place that it is about.
func explain(text, message string) Checked {
	c := Checked{Message: message, Offset: len(text)}
	m := contextOf.FindStringSubmatchIndex(message)
	if m == nil {
		return c
	}
	read := message[m[2]:m[3]]
	c.Message = strings.Replace(message[:m[0]], `unexpected token ""`, "unexpected end", 1)
	switch {
	case m[6] >= 0: // with the rest
		c.Offset = len(text) - len(message[m[6]:m[7]]) - len(lastToken.FindString(read))
		c.Message = "the query should end here"
	case len(read) < contextBytes:
		c.Offset = len(read)
	default:
		c.Offset = strings.LastIndex(text, read) + len(read)
	}
	if token := badToken.FindStringSubmatch(c.Message); token != nil {
		if t, err := strconv.Unquote(`"` + token[1] + `"`); err == nil && c.Offset >= len(t) && c.Offset <= len(text) && strings.HasSuffix(text[:c.Offset], t) {
			c.Offset -= len(t) // it is the token itself that is wrong
		}
	}
	c.Offset = min(max(c.Offset, 0), len(text))
	return c
}
