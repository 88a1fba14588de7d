package indicator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

// taxii is a server of TAXII 2.1 with one collection. It demands what the specification lets it demand.
type taxii struct {
	objects []map[string]any
	added   []time.Time
	page    int
	asked   []string
}

const added = "2006-01-02T15:04:05.000Z"

func (s *taxii) put(id, pattern string, revoked bool) {
	s.objects = append(s.objects, map[string]any{"type": "indicator", "id": id, "pattern": pattern, "pattern_type": "stix", "revoked": revoked, "confidence": 60})
	s.added = append(s.added, time.Date(2026, 1, 1, 0, 0, len(s.objects), 0, time.UTC))
}

func (s *taxii) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked = append(s.asked, r.URL.String())
	user, password, _ := r.BasicAuth()
	switch {
	case user != "vedette" || password != "secret":
		w.WriteHeader(http.StatusUnauthorized)
		return
	case r.Header.Get("Accept") != "application/taxii+json;version=2.1":
		w.WriteHeader(http.StatusNotAcceptable)
		return
	}
	w.Header().Set("Content-Type", "application/taxii+json;version=2.1")
	answer := func(v any) { _ = json.NewEncoder(w).Encode(v) }
	switch r.URL.Path {
	case "/taxii2/":
		answer(map[string]any{"title": "test", "api_roots": []string{"/root/", "https://elsewhere.example/root/"}})
	case "/root/collections/":
		answer(map[string]any{"collections": []map[string]any{{"id": "c1", "title": "Indicators", "can_read": true}, {"id": "c2", "title": "Closed"}}})
	case "/root/collections/c1/objects/":
		s.serve(w, r, answer)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (s *taxii) serve(w http.ResponseWriter, r *http.Request, answer func(any)) {
	after, _ := time.Parse(time.RFC3339Nano, r.URL.Query().Get("added_after"))
	from, _ := strconv.Atoi(r.URL.Query().Get("next"))
	var page []map[string]any
	at := from
	for ; at < len(s.objects) && len(page) < s.page; at++ {
		if s.added[at].After(after) {
			page = append(page, s.objects[at])
			w.Header().Set("X-TAXII-Date-Added-Last", s.added[at].Format(added))
		}
	}
	if page == nil {
		answer(map[string]any{})
		return
	}
	out := map[string]any{"objects": page, "more": at < len(s.objects)}
	if at < len(s.objects) {
		out["next"] = strconv.Itoa(at)
	}
	answer(out)
}

func values(all []Indicator) string {
	var list []string
	for _, x := range all {
		list = append(list, x.Value)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// A collection is read page by page, then only what is new, and what is revoked goes away.
func TestTAXII(t *testing.T) {
	s := &taxii{page: 2}
	for n := range 5 {
		s.put(fmt.Sprint("indicator--", n), fmt.Sprintf("[ipv4-addr:value = '192.0.2.%d']", n), false)
	}
	server := httptest.NewServer(s)
	defer server.Close()
	c, o := Client{server.Client()}, Origin{Kind: FromTAXII, URL: server.URL + "/taxii2/", Username: "vedette", Secret: "secret"}
	found, err := c.Discover(t.Context(), o)
	if err != nil || len(found) != 2 || found[0].ID != "c1" || !found[0].CanRead || found[0].Root != server.URL+"/root/" {
		t.Fatalf("%+v %v", found, err)
	}
	o.URL, o.Collection = found[0].Root, found[0].ID
	first, err := c.Fetch(t.Context(), o, "", Defaults{Source: "test"})
	if err != nil || values(first.Indicators) != "192.0.2.0 192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4" || first.Whole || first.Indicators[0].Confidence != 60 {
		t.Fatalf("%+v %v", first, err)
	}
	if pages := len(s.asked) - 2; pages != 3 {
		t.Errorf("%d pages: %q", pages, s.asked)
	}
	old := setOf(t, Merge(nil, &first, 0)...)
	nothing, err := c.Fetch(t.Context(), o, first.Since, Defaults{})
	if err != nil || len(nothing.Indicators) != 0 || nothing.Since != first.Since {
		t.Errorf("%+v %v", nothing, err)
	}
	s.put("indicator--5", "[domain-name:value = 'evil.example']", false)
	s.put("indicator--1", "[ipv4-addr:value = '192.0.2.1']", true)
	more, err := c.Fetch(t.Context(), o, first.Since, Defaults{})
	if err != nil || values(more.Indicators) != "evil.example" || values(more.Withdrawn) != "192.0.2.1" {
		t.Errorf("%+v %v", more, err)
	}
	if got := values(Merge(old, &more, 0)); got != "192.0.2.0 192.0.2.2 192.0.2.3 192.0.2.4 evil.example" {
		t.Error(got)
	}
	o.Secret = "wrong"
	if _, err := c.Fetch(t.Context(), o, "", Defaults{}); !errors.Is(err, storage.ErrUnavailable) || !strings.Contains(err.Error(), "401") {
		t.Errorf("a wrong password: %v", err)
	}
	if _, err := c.Discover(t.Context(), o); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("a wrong password: %v", err)
	}
}

// A MISP feed is read by its manifest, the events that have changed first; a document as a whole.
func TestFeeds(t *testing.T) {
	files := map[string]string{
		"/feed/manifest.json": `{"a": {"timestamp": "10", "info": "x"}, "b": {"timestamp": 20}, "../c": {"timestamp": 30}}`,
		"/feed/a.json":        `{"Event": {"info": "A", "Attribute": [{"type": "domain", "value": "a.example", "to_ids": true}]}}`,
		"/feed/b.json":        `{"Event": {"info": "B", "Attribute": [{"type": "domain", "value": "b.example", "to_ids": true}]}}`,
		"/list.txt":           "192.0.2.7\n",
		"/endless":            `{"more": true, "objects": []}`,
	}
	var bearer string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		bearer = r.Header.Get("Authorization")
		text, ok := files[r.URL.Path]
		if strings.HasSuffix(r.URL.Path, "/objects/") {
			text, ok = files["/endless"], true
		}
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte(text))
	}))
	defer server.Close()
	c := Client{server.Client()}
	feed := Origin{Kind: FromMISP, URL: server.URL + "/feed"}
	first, err := c.Fetch(t.Context(), feed, "", Defaults{})
	if err != nil || values(first.Indicators) != "a.example b.example" || first.Since != "20" {
		t.Fatalf("%+v %v", first, err)
	}
	files["/feed/manifest.json"] = `{"a": {"timestamp": "25"}, "b": {"timestamp": 20}}`
	next, err := c.Fetch(t.Context(), feed, first.Since, Defaults{})
	if err != nil || values(next.Indicators) != "a.example" || next.Since != "25" {
		t.Errorf("%+v %v", next, err)
	}
	whole, err := c.Fetch(t.Context(), Origin{Kind: FromFile, URL: server.URL + "/list.txt", Secret: "token"}, "", Defaults{Expires: 5})
	if err != nil || !whole.Whole || values(whole.Indicators) != "192.0.2.7" || bearer != "Bearer token" {
		t.Errorf("%+v %v %q", whole, err, bearer)
	}
	if got := Merge(setOf(t, indicators(t, "198.51.100.1")...), &whole, 4); values(got) != "192.0.2.7" {
		t.Error(got)
	}
	if got := Merge(nil, &whole, 5); len(got) != 0 {
		t.Error("what has ended is kept")
	}
	for what, o := range map[string]Origin{
		"no such document":    {Kind: FromFile, URL: server.URL + "/nothing"},
		"no such feed":        {Kind: FromMISP, URL: server.URL},
		"a page without next": {Kind: FromTAXII, URL: server.URL, Collection: "x"},
		"a kind":              {Kind: "ftp", URL: server.URL},
		"a scheme":            {Kind: FromFile, URL: "ftp://x/"},
		"a password":          {Kind: FromFile, URL: "https://a:b@x/"},
		"a secret":            {Kind: FromFile, URL: "http://x.example/", Secret: "x"},
		"no collection":       {Kind: FromTAXII, URL: server.URL},
		"a format":            {Kind: FromFile, URL: server.URL, Format: "xml"},
	} {
		if f, err := c.Fetch(t.Context(), o, "", Defaults{}); err == nil {
			t.Errorf("%s: %+v", what, f)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := c.Fetch(ctx, feed, "", Defaults{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a call that was given up: %v", err)
	}
}
