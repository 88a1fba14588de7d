package rule

import (
	"fmt"
	"strings"
)

// parseCondition reads a Sigma condition over the named searches: and, or, not, parentheses, and "1 of", "any of" or
// "all of" followed by them or a pattern of names. Not binds strongest, then and.
func parseCondition(text string, names []string, searches map[string]Pred) (Pred, error) {
	if len(text) > maxExpressionBytes {
		return nil, fmt.Errorf("%d bytes, the limit is %d", len(text), maxExpressionBytes)
	}
	c := &condition{names: names, searches: searches}
	for _, r := range []string{"(", ")", "|"} {
		text = strings.ReplaceAll(text, r, " "+r+" ")
	}
	c.words = strings.Fields(text)
	p, err := c.or(0)
	switch {
	case err != nil:
		return nil, err
	case c.peek() == "|":
		return nil, fmt.Errorf("an aggregation of Sigma 1 after |: write a correlation rule in its place")
	case c.peek() != "":
		return nil, fmt.Errorf("%q where and, or or the end was expected", c.peek())
	}
	return p, nil
}

type condition struct {
	words    []string
	names    []string
	searches map[string]Pred
}

func (c *condition) peek() string {
	if len(c.words) == 0 {
		return ""
	}
	return c.words[0]
}

func (c *condition) is(word string) bool {
	if !strings.EqualFold(c.peek(), word) {
		return false
	}
	c.words = c.words[1:]
	return true
}

func (c *condition) or(depth int) (Pred, error) {
	p, err := c.and(depth)
	any := AnyOf{p}
	for err == nil && c.is("or") {
		p, err = c.and(depth)
		any = append(any, p)
	}
	if err != nil || len(any) > 1 {
		return any, err
	}
	return p, nil
}

func (c *condition) and(depth int) (Pred, error) {
	p, err := c.not(depth)
	all := AllOf{p}
	for err == nil && c.is("and") {
		p, err = c.not(depth)
		all = append(all, p)
	}
	if err != nil || len(all) > 1 {
		return all, err
	}
	return p, nil
}

func (c *condition) not(depth int) (Pred, error) {
	if depth > MaxNestingDepth {
		return nil, fmt.Errorf("nested deeper than %d", MaxNestingDepth)
	}
	if c.is("not") {
		p, err := c.not(depth + 1)
		return Not{p}, err
	}
	if c.is("(") {
		p, err := c.or(depth + 1)
		if err == nil && !c.is(")") {
			err = fmt.Errorf("a parenthesis is not closed")
		}
		return p, err
	}
	return c.term()
}

func (c *condition) term() (Pred, error) {
	word := c.peek()
	if len(c.words) > 1 && strings.EqualFold(c.words[1], "of") {
		return c.quantified()
	}
	if word == "" {
		return nil, fmt.Errorf("it ends where a search identifier was expected")
	}
	p, ok := c.searches[word]
	if !ok {
		return nil, fmt.Errorf("there is no search identifier %q: %s", word, suggest(word, c.names))
	}
	c.words = c.words[1:]
	return p, nil
}

// quantified reads "1 of selection*".
func (c *condition) quantified() (Pred, error) {
	how := strings.ToLower(c.words[0])
	c.words = c.words[2:]
	if how != "1" && how != "any" && how != "all" {
		return nil, fmt.Errorf("%q of: write 1 of, any of or all of", how)
	}
	what := c.peek()
	if what == "" {
		return nil, fmt.Errorf("%s of: them or a pattern of names is missing", how)
	}
	c.words = c.words[1:]
	pattern := ParsePattern(what)
	if strings.EqualFold(what, "them") {
		pattern = Pattern{{Wild: AnyRun}}
	}
	hidden := strings.HasPrefix(what, "_") // the pattern means names that are kept out otherwise
	var of []Pred
	for _, name := range c.names {
		if (hidden || !strings.HasPrefix(name, "_")) && pattern.Match(name) {
			of = append(of, c.searches[name])
		}
	}
	switch {
	case len(of) == 0:
		return nil, fmt.Errorf("%s of %s: no search identifier has such a name: %s", how, what, suggest(what, c.names))
	case how == "all":
		return AllOf(of), nil
	}
	return AnyOf(of), nil
}
