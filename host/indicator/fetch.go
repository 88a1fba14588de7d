package indicator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/vedette-siem/vedette/storage"
)

// Kinds of origins.
const (
	FromTAXII = "taxii" // a collection of a TAXII 2.1 server
	FromMISP  = "misp"  // a feed of MISP: a folder with a manifest
	FromFile  = "file"  // one document
)

// Origin is where indicators are fetched from.
type Origin struct {
	Kind       string
	URL        string // of TAXII the API root, of MISP the folder, of a file the document
	Collection string // of TAXII: its id
	Format     Format // of a file; "": by how it begins
	Username   string
	Secret     string // a password, or without a username a bearer token
}

// Check refuses what cannot be fetched from. The error wraps storage.ErrInvalid.
func (o *Origin) Check() error {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(o.URL) > MaxValueBytes:
		return fmt.Errorf("want a URL that begins with https:// and has no password in it: %w", storage.ErrInvalid)
	case o.Kind != FromTAXII && o.Kind != FromMISP && o.Kind != FromFile:
		return fmt.Errorf("kind %.40q: want taxii, misp or file: %w", o.Kind, storage.ErrInvalid)
	case o.Kind == FromTAXII && (o.Collection == "" || strings.ContainsAny(o.Collection, "/?#")):
		return fmt.Errorf("want the id of a collection: %w", storage.ErrInvalid)
	case o.Format != "" && !slices.Contains(Formats, o.Format):
		return fmt.Errorf("format %.40q: want csv, list, stix or misp: %w", o.Format, storage.ErrInvalid)
	case o.Secret != "" && u.Scheme != "https" && !isLocal(u.Hostname()):
		return fmt.Errorf("a secret is sent over https only: %w", storage.ErrInvalid)
	}
	return nil
}

func isLocal(host string) bool {
	return host == "localhost" || host == "127.0.0.1" || host == "::1"
}

// Fetched is what an origin says.
type Fetched struct {
	Read
	Whole bool   // it is all that the origin says; else what is new since the last time
	Since string // what to ask with the next time
}

// Limits of fetching.
const (
	maxPages     = 10_000 // of a collection in one fetch
	maxEvents    = 2_000  // of a MISP feed in one fetch; the next goes on
	pageObjects  = 1_000  // asked for in one page
	maxPageBytes = 64 << 20
	maxErrorText = 200
	mediaTAXII   = "application/taxii+json;version=2.1"
)

// Client fetches indicators over HTTP. Any number of goroutines may use it.
type Client struct {
	HTTP *http.Client // its transport decides who may be reached
}

// Fetch asks an origin. since is what it said the last time, "" at first. The error wraps storage.ErrUnavailable where
// asking again may help.
func (c Client) Fetch(ctx context.Context, o Origin, since string, d Defaults) (Fetched, error) {
	if err := o.Check(); err != nil {
		return Fetched{}, err
	}
	switch o.Kind {
	case FromTAXII:
		return c.taxii(ctx, o, since, d)
	case FromMISP:
		return c.mispFeed(ctx, o, since, d)
	}
	text, _, err := c.get(ctx, o, o.URL, "*/*", MaxFeedBytes)
	if err != nil {
		return Fetched{}, err
	}
	f := o.Format
	if f == "" {
		f = FormatOf(text)
	}
	read, err := Parse(f, text, d)
	return Fetched{Read: read, Whole: true}, err
}

// get asks for one document.
func (c Client) get(ctx context.Context, o Origin, at, accept string, limit int64) ([]byte, http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("ask %s: %w: %w", at, err, storage.ErrInvalid)
	}
	req.Header.Set("Accept", accept)
	switch {
	case o.Username != "":
		req.SetBasicAuth(o.Username, o.Secret)
	case o.Secret != "":
		req.Header.Set("Authorization", "Bearer "+o.Secret)
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", err, storage.ErrUnavailable)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("ask %s: %w: %w", at, err, storage.ErrUnavailable)
	case resp.StatusCode != http.StatusOK:
		return nil, nil, fmt.Errorf("ask %s: it says %s: %.*q: %w", at, resp.Status, maxErrorText, body, storage.ErrUnavailable)
	case int64(len(body)) > limit:
		return nil, nil, fmt.Errorf("ask %s: more than %d bytes: %w", at, limit, storage.ErrExhausted)
	}
	return body, resp.Header, nil
}

// add joins what one of several documents says.
func (f *Fetched) add(r Read) error {
	f.Indicators, f.Withdrawn = append(f.Indicators, r.Indicators...), append(f.Withdrawn, r.Withdrawn...)
	f.Problems = append(f.Problems, r.Problems[:min(len(r.Problems), MaxProblems-len(f.Problems))]...)
	f.Total += r.Total
	if len(f.Indicators) > MaxIndicators {
		return fmt.Errorf("more than %d indicators: %w", MaxIndicators, storage.ErrExhausted)
	}
	return nil
}

// envelope is a page of objects.
type envelope struct {
	More bool   `json:"more"`
	Next string `json:"next"`
}

// taxii fetches the objects of a collection that were added since the last time, page by page.
func (c Client) taxii(ctx context.Context, o Origin, since string, d Defaults) (Fetched, error) {
	out := Fetched{Since: since}
	q := url.Values{"limit": {strconv.Itoa(pageObjects)}}
	if since != "" {
		q.Set("added_after", since)
	}
	at := strings.TrimSuffix(o.URL, "/") + "/collections/" + url.PathEscape(o.Collection) + "/objects/?"
	for range maxPages {
		body, head, err := c.get(ctx, o, at+q.Encode(), mediaTAXII, maxPageBytes)
		if err != nil {
			return out, err
		}
		var page envelope
		if err := json.Unmarshal(body, &page); err != nil {
			return out, fmt.Errorf("read a page of %s: %w: %w", at, err, storage.ErrInvalid)
		}
		read, err := Parse(STIX, body, d)
		if err == nil {
			err = out.add(read)
		}
		if err != nil {
			return out, err
		}
		if last := head.Get("X-TAXII-Date-Added-Last"); last > out.Since {
			out.Since = last
		}
		switch {
		case !page.More:
			return out, nil
		case page.Next != "" && page.Next != q.Get("next"):
			q.Set("next", page.Next)
		case page.Next == "" && out.Since > q.Get("added_after"): // a server that has no cursor goes on by time
			q.Set("added_after", out.Since)
		default:
			return out, fmt.Errorf("ask %s: it says that there is more, and not where: %w", at, storage.ErrInvalid)
		}
	}
	return out, fmt.Errorf("ask %s: more than %d pages: %w", at, maxPages, storage.ErrExhausted)
}

// Collection is a collection of a TAXII server.
type Collection struct {
	Root        string `json:"-"`
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description"`
	CanRead     bool   `json:"can_read"`
}

const maxRoots = 32

// Discover asks a TAXII server, or one API root of it, for its collections.
func (c Client) Discover(ctx context.Context, o Origin) ([]Collection, error) {
	o.Kind, o.Collection = FromTAXII, "discovery"
	if err := o.Check(); err != nil {
		return nil, err
	}
	body, _, err := c.get(ctx, o, o.URL, mediaTAXII, maxPageBytes)
	if err != nil {
		return nil, err
	}
	var server struct {
		Roots []string `json:"api_roots"`
	}
	if err := json.Unmarshal(body, &server); err != nil {
		return nil, fmt.Errorf("%s is no TAXII server: %w: %w", o.URL, err, storage.ErrInvalid)
	}
	if len(server.Roots) == 0 { // it is an API root
		server.Roots = []string{o.URL}
	}
	base, err := url.Parse(o.URL)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, storage.ErrInvalid)
	}
	var all []Collection
	for _, root := range server.Roots[:min(len(server.Roots), maxRoots)] {
		at, err := base.Parse(root)
		if err != nil || at.Host != base.Host { // a secret is for the server that it was given for
			continue
		}
		body, _, err := c.get(ctx, o, strings.TrimSuffix(at.String(), "/")+"/collections/", mediaTAXII, maxPageBytes)
		if err != nil {
			return nil, err
		}
		var list struct {
			Collections []Collection `json:"collections"`
		}
		if err := json.Unmarshal(body, &list); err != nil {
			return nil, fmt.Errorf("read the collections of %s: %w: %w", at, err, storage.ErrInvalid)
		}
		for _, x := range list.Collections {
			x.Root = at.String()
			all = append(all, x)
		}
	}
	return all, nil
}

// mispFeed fetches the events that have changed since the last time, the oldest first.
func (c Client) mispFeed(ctx context.Context, o Origin, since string, d Defaults) (Fetched, error) {
	out := Fetched{Since: since}
	folder := strings.TrimSuffix(strings.TrimSuffix(o.URL, "manifest.json"), "/") + "/"
	body, _, err := c.get(ctx, o, folder+"manifest.json", "application/json", maxPageBytes)
	if err != nil {
		return out, err
	}
	var manifest map[string]struct {
		Timestamp json.Number `json:"timestamp"`
	}
	if err := json.Unmarshal(body, &manifest); err != nil {
		return out, fmt.Errorf("read the manifest of %s: %w: %w", folder, err, storage.ErrInvalid)
	}
	after, _ := strconv.ParseInt(since, 10, 64)
	changed := func(id string) int64 { n, _ := manifest[id].Timestamp.Int64(); return n }
	ids := slices.DeleteFunc(slices.Sorted(maps.Keys(manifest)), func(id string) bool { return changed(id) <= after || strings.ContainsAny(id, "/?#%") })
	slices.SortStableFunc(ids, func(a, b string) int { return int(min(max(changed(a)-changed(b), -1), 1)) })
	for n, id := range ids {
		if n >= maxEvents && changed(id) > changed(ids[n-1]) {
			break // those of one second stay together
		}
		body, _, err := c.get(ctx, o, folder+id+".json", "application/json", maxPageBytes)
		if err != nil {
			return out, err
		}
		read, err := Parse(MISP, body, d)
		if err == nil {
			err = out.add(read)
		}
		if err != nil && !errors.Is(err, storage.ErrInvalid) {
			return out, err
		} else if err != nil {
			out.Total++
		}
		out.Since = strconv.FormatInt(changed(id), 10)
	}
	return out, nil
}

// Merge returns what a set holds after a fetch: what is there already and was not withdrawn, and what came, without what has
// ended.
func Merge(old *Set, f *Fetched, now int64) []Indicator {
	type key struct {
		t     Type
		value string
	}
	gone := make(map[key]bool, len(f.Withdrawn))
	for _, x := range f.Withdrawn {
		gone[key{x.Type, x.Value}] = true
	}
	came := make(map[key]bool, len(f.Indicators))
	all := make([]Indicator, 0, len(f.Indicators))
	for _, x := range f.Indicators {
		if !x.ended(now) {
			came[key{x.Type, x.Value}] = true
			all = append(all, x)
		}
	}
	if old == nil || f.Whole {
		return all
	}
	for x := range old.All {
		if k := (key{x.Type, x.Value}); !gone[k] && !came[k] && !x.ended(now) {
			all = append(all, x)
		}
	}
	return all
}
