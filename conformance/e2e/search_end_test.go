package e2e

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// exports writes everything into files that hold as many as the page has found, and no formulas.
func (f *searcher) exports() {
	f.openAll(url.Values{"cols": {"host.name", "user.name"}})
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(exported(f.page, "CSV.*", "csv"), []byte("\ufeff")))).ReadAll()
	if err != nil {
		f.Fatal(err)
	}
	if len(rows) != f.found()+1 || !slices.Equal(rows[0], []string{"time", "host.name", "user.name"}) {
		f.Fatalf("the CSV has %d lines, the first is %q; the page has found %d", len(rows), rows[0], f.found())
	}
	for i, row := range rows[1:] {
		want := []string{stamped(f.signs[i].at), f.signs[i].host, f.signs[i].user}
		if strings.HasPrefix(want[2], "=") {
			want[2] = "'" + want[2]
		}
		if !slices.Equal(row, want) {
			f.Fatalf("line %d of the CSV is %q, want %q", i+1, row, want)
		}
	}
	data := exported(f.page, "NDJSON.*", "ndjson")
	objects := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	if len(objects) != f.found() {
		f.Errorf("the NDJSON has %d lines, the page has found %d", len(objects), f.found())
	}
	for i, line := range objects {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil || o["user.name"] != f.signs[i].user || o["@timestamp"] != stamped(f.signs[i].at) {
			f.Fatalf("line %d of the NDJSON (%v): %s", i+1, err, line)
		}
	}
}

// slowly makes a search of signs slow: for each of them it counts to a quarter of a million.
func slowly() string {
	times := ""
	for _, name := range []string{"a", "b", "c"} {
		times += fmt.Sprintf(" | format %q as %s | unroll by (%[2]s)", "["+strings.Repeat("0,", 62)+"0]", name)
	}
	return fmt.Sprintf(`%s user.name:in(%[1]s%s | stats by (user.name) count() n | fields user.name)`, allSigns, times)
}

// queriesRunning is how many queries the log store runs at this moment.
func (s *server) queriesRunning(t *testing.T) int {
	t.Helper()
	h, err := s.health().GetHealth(t.Context(), connect.NewRequest(&v1.GetHealthRequest{}))
	if err != nil {
		t.Fatal(err)
	}
	return int(h.Msg.StoreQueriesRunning)
}

// cancels ends a search that takes long: what it has found stays, and the host ends it too.
func (f *searcher) cancels() {
	f.openAll(url.Values{})
	f.fill("textbox", "Query, LogsQL", slowly())
	from := time.Now()
	f.press(keyEnter)
	f.says(`covered to \d\d-\d\d \d\d:\d\d:\d\d, [1-9]\d* event`)
	f.Logf("progress after %v, %d queries run", time.Since(from), f.s.queriesRunning(f.T))
	f.s.until("the host to run a query", patience, func() bool { return f.s.queriesRunning(f.T) > 0 })
	f.picture("search-13-running")
	f.click("button", "Cancel")
	f.says(`Cancelled: [1-9]\d* events? of what came after \d{4}-`)
	from = time.Now()
	f.s.until("the host to run no query", patience, func() bool { return f.s.queriesRunning(f.T) == 0 })
	f.Logf("the host ended it after %v", time.Since(from))
	if n := len(f.column("Time")); n == 0 || n >= signCount {
		f.Errorf("%d rows have stayed, want some", n)
	}
	f.picture("search-14-cancelled")
}
