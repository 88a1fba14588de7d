package portable

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/sdk/go/table/index"
	"github.com/vedette-siem/vedette/storage"
)

// List is the values of a list as they are when rules are compiled. A module asks no host for lists: it holds them.
type List struct {
	Kind   index.Kind // how values are compared
	Values []string
}

// Lists are the lists that rules may ask, by name.
type Lists map[string]List

// values makes of a test that asks lists one of their values.
func (l Lists) values(t *rule.Test) (rule.Pred, error) {
	var each []rule.Pred
	for _, name := range t.Lists {
		list, ok := l[name]
		if !ok {
			return nil, fmt.Errorf("field %s: it asks the list %s, which has no values here; hand them in, --list %s=FILE: %w", t.Field, name, name, storage.ErrNotFound)
		}
		in, err := list.test(t.Field)
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", name, err)
		}
		each = append(each, in)
	}
	if t.Every {
		return rule.AllOf(each), nil
	}
	return rule.AnyOf(each), nil
}

// test is whether a value of a field is in the list.
func (l *List) test(field string) (*rule.Test, error) {
	t := &rule.Test{Field: field, Op: rule.OpMatch, Cased: l.Kind == index.Exact}
	for _, v := range l.Values {
		switch l.Kind {
		case index.CIDR:
			p, err := network(v)
			if err != nil {
				return nil, fmt.Errorf("%.80q is neither an address nor a network: %w", v, storage.ErrInvalid)
			}
			t.Op, t.Nets = rule.OpCIDR, append(t.Nets, p)
		case index.Domain:
			name := rule.Token{Text: strings.TrimPrefix(strings.TrimPrefix(strings.TrimSuffix(v, "."), "*"), ".")}
			below := rule.Token{Text: "." + name.Text}
			any, dot := rule.Token{Wild: rule.AnyRun}, "."
			t.Patterns = append(t.Patterns, rule.Pattern{name}, rule.Pattern{any, below},
				rule.Pattern{{Text: name.Text + dot}}, rule.Pattern{any, {Text: below.Text + dot}})
		case index.Exact, index.NoCase:
			t.Patterns = append(t.Patterns, rule.Pattern{{Text: v}})
		default:
			return nil, fmt.Errorf("kind %q: want exact, nocase, cidr or domain: %w", l.Kind, storage.ErrInvalid)
		}
	}
	return t, nil
}

func network(v string) (netip.Prefix, error) {
	if strings.Contains(v, "/") {
		p, err := netip.ParsePrefix(v)
		return p.Masked(), err
	}
	a, err := netip.ParseAddr(v)
	a = a.Unmap()
	return netip.PrefixFrom(a, a.BitLen()), err
}
