package e2e

import (
	"fmt"
	"slices"
	"strings"

	"connectrpc.com/connect"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// facetValue is one that can be ticked, and how many rows it promises.
type facetValue struct {
	Label string
	Count int
}

const facetValues = `function() { return [...this.querySelectorAll('label')].map((l) => ({
  Label: l.children[1].innerText.trim(), Count: Number(l.children[2].innerText.replaceAll(',', '')) })) }`

// narrows ticks values of every facet: there are as many rows as it says.
func (d *desk) narrows() {
	p := d.p
	p.open(d.s.url + "/queue?state=any")
	p.pointAway()
	all := d.total()
	p.awaitRows(all)
	p.until("the counts", func() (bool, error) {
		sum := 0
		for _, v := range on[[]facetValue](p.find("group", "State"), facetValues) {
			sum += v.Count
		}
		return sum == all, nil
	})
	for _, facet := range []string{"Severity", "State", "Organization", "Rule", "ATT&CK", "Host", "User"} {
		values := on[[]facetValue](p.find("group", facet), facetValues)
		slices.SortStableFunc(values, func(a, b facetValue) int { return b.Count - a.Count })
		ticked := 0
		for _, v := range values[:min(2, len(values))] {
			if v.Count == 0 {
				continue
			}
			ticked++
			p.tick(facet, v)
			p.awaitRows(v.Count)
			p.tick(facet, v)
			p.awaitRows(all)
		}
		if ticked == 0 {
			d.Errorf("the facet %s has no values", facet)
		}
	}
	// Two facets narrow each other.
	p.tick("Severity", facetValue{Label: "High"})
	var both facetValue
	p.until("the rules of severity high", func() (bool, error) {
		both = on[[]facetValue](p.find("group", "Rule"), facetValues)[0]
		return both.Label != "e2e.probe", nil
	})
	p.tick("Rule", both)
	p.awaitRows(both.Count)
	p.picture("triage-facets")
}

// total is how many incidents the host has.
func (d *desk) total() (n int) {
	d.Helper()
	req := &v1.ListIncidentsRequest{Limit: 1000}
	for {
		r, err := d.s.incidents().ListIncidents(d.Context(), connect.NewRequest(req))
		if err != nil {
			d.Fatal(err)
		}
		n += len(r.Msg.Incidents)
		if req.PageToken = r.Msg.NextPageToken; req.PageToken == "" {
			return n
		}
	}
}

// tick ticks a value of a facet.
func (p *page) tick(facet string, v facetValue) {
	p.t.Helper()
	name := on[string](p.find("group", facet), fmt.Sprintf(`function() {
  const label = [...this.querySelectorAll('label')].find((l) => l.children[1].innerText.trim() === %s);
  label.scrollIntoView({ block: 'nearest' });
  label.querySelector('input').click();
  return label.innerText;
}`, quote(v.Label)))
	if name == "" {
		p.t.Fatalf("the facet %s has no %q", facet, v.Label)
	}
}

// savesAView names what is shown, finds it again after a reload, and sends it to somebody else.
func (d *desk) savesAView() {
	p := d.p
	d.raise("view 1", "view 2", "view 2", "view 3", "view 3", "view 3")
	p.open(d.s.url + "/queue")
	p.fill("textbox", "Filter by title.*", "probe view")
	p.awaitRows(3)
	p.tick("Severity", facetValue{Label: "Critical"})
	p.click("button", "Count.*")
	p.awaitTitles("probe view 3", "probe view 2", "probe view 1")
	address := p.path()
	p.click("button", "Custom")
	p.click("menuitem", "Save what is shown as a view…")
	p.fill("textbox", "Name", "Many views")
	p.press(keyEnter)
	p.find("button", "Many views")
	p.noDialog()
	p.picture("triage-view")
	p.click("button", "Open")
	p.await("other rows", rowCount+" > 3")
	p.open(d.s.url + p.path())
	p.click("button", "Saved")
	p.click("menuitem", "Many views")
	p.awaitTitles("probe view 3", "probe view 2", "probe view 1")
	for _, part := range []string{"q=probe+view", "sev=critical", "sort=-count"} {
		if at := p.path(); !strings.Contains(at, part) || !strings.Contains(address, part) {
			d.Errorf("the saved view is %s and was %s: want %s in it", at, address, part)
		}
	}
	d.other.open(d.s.url + address)
	d.other.awaitTitles("probe view 3", "probe view 2", "probe view 1")
}
