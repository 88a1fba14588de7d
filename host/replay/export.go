package replay

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/host/correlate"
	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/incident"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/sdk/manifest"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
)

// Store gives events: storage/logs. Rows come newest first, in portions that emit may keep.
type Store interface {
	// Durable returns a position up to which every row can be found, whatever happens; Flush makes all rows be found.
	Durable() uint64
	Flush(ctx context.Context) error
	Search(ctx context.Context, p storage.Principal, q logs.Query, emit func([]logs.Row) error) (logs.Progress, error)
}

// Incidents knows incidents: storage/meta. Errors of kind storage.ErrNotFound mean that the principal has no such.
type Incidents interface {
	GetIncident(ctx context.Context, p storage.Principal, id string) (storage.Incident, error)
	History(ctx context.Context, p storage.Principal, id string) ([]storage.HistoryEntry, error)
	Episodes(ctx context.Context, p storage.Principal, of storage.Incident, from, to int64) ([]storage.Incident, error)
}

// Host is what an export is made from. It may be used by many goroutines at once.
type Host struct {
	Incidents Incidents
	Store     Store
	Packages  module.Packages
	Past      Past
	KeptSince time.Time // events that came before may be gone by their age

	Generation *module.Generation // what runs now, with the versions that ran before
}

// export is one export on its way.
type export struct {
	Host
	who     storage.Principal
	in      storage.Incident
	opened  uint64 // position of the firing that opened it
	became  string // version that its rule became while it was counting
	past    *past
	rules   []*judged // the incident's first
	match   *detect.View
	scratch detect.Scratch
	tar     *tar.Writer
	part    bytes.Buffer
	lines   int    // in part
	parts   int    // files of one kind
	first   uint64 // position of the first event that counts
	readers map[readerKey]module.Install

	evidence map[storage.EventID]bool // events that were written
	out      Manifest
}

// readerKey names a parser under a generation.
type readerKey struct {
	generation   uint64
	name, digest string
}

// Export writes all that is needed to compute one of the principal's incidents again. The error wraps ErrCannot for
// one that cannot be; what was written until then is of no use.
func Export(ctx context.Context, h Host, who storage.Principal, id string, w io.Writer) error {
	x := &export{Host: h, who: who, tar: tar.NewWriter(w), readers: map[readerKey]module.Install{}, evidence: map[storage.EventID]bool{}}
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) (err error) { x.in, err = h.Incidents.GetIncident(ctx, who, id); return err },
		x.history, x.findRules, x.records, x.listed, x.tables, x.packages, x.manifest,
	} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("export incident %s: %w", id, err)
		}
	}
	return nil
}

// history takes from the incident's history what the replay has to know.
func (x *export) history(ctx context.Context) error {
	x.who.Tenants = []storage.Tenant{x.in.Tenant}
	list, err := x.Incidents.History(ctx, x.who, x.in.ID)
	if err != nil {
		return err
	}
	if x.in.Applied > x.Store.Durable() {
		if err := x.Store.Flush(ctx); err != nil {
			return err
		}
	}
	x.out.Format, x.out.Incident = format, x.in
	for _, h := range list {
		switch {
		case h.What == incident.RuleChanged && h.Who == incident.ByVedette:
			x.became = h.Detail
		case h.What == incident.KindOpened:
			x.opened = h.Seq
		case h.What == string(incident.SetSeverity) && h.Who != incident.ByVedette:
			x.out.SeveritySet = true
		}
	}
	return nil
}

// findRules loads the rule as it ran, and those whose firings it looks at.
func (x *export) findRules(ctx context.Context) (err error) {
	if x.in.RuleDigest == "" {
		return fmt.Errorf("the package of its rule is not known: %w", ErrCannot)
	}
	install, ok := x.install("", func(i module.Install) bool { return i.Digest == x.in.RuleDigest }, x.in.Applied)
	if !ok {
		return fmt.Errorf("the rule package %s ran so long ago that its settings are not known any more: %w", registry.Digest(x.in.RuleDigest).Short(), ErrCannot)
	}
	if x.past, err = newPast(ctx, x.Past, x.who, x.in.Tenant, x.in.Applied); err != nil {
		return err
	}
	j, err := x.judge(ctx, install, x.in.Rule)
	if err != nil {
		return err
	}
	if x.became != "" && j.begins.Seq > x.opened {
		return fmt.Errorf("its rule became version %s while it was counting, and a replay runs one version: %w", x.became, ErrCannot)
	}
	j.key = x.in.Key
	x.rules = []*judged{j}
	for n := 0; n < len(x.rules); n++ {
		if err := x.inner(ctx, x.rules[n]); err != nil {
			return err
		}
	}
	var rules []*rule.Rule
	var lists []string
	begins := j.begins.Seq
	for _, j := range x.rules {
		rules, lists, begins = append(rules, j.rule), append(lists, detect.ListsOf(j.rule)...), min(begins, j.begins.Seq)
	}
	set, err := detect.Compile(rules)
	if err != nil {
		return err
	}
	if x.match, err = detect.NewView(set, nil, nil); err != nil {
		return err
	}
	slices.Sort(lists)
	if err := x.past.ask(ctx, x.who, slices.Compact(lists), begins, x.in.Applied); err != nil {
		return err
	}
	x.match = x.match.WithLists(x.past.find)
	return x.since(ctx)
}

// fresh makes sure that the rule began with nothing remembered when it was activated: a version before it that keeps
// state in the same way has left what it remembered, and its records may be gone.
func (x *export) fresh(ctx context.Context, in *module.Install, m *manifest.Manifest) error {
	before, ok := x.install(in.Name, func(i module.Install) bool { return i.Seq < in.Seq }, in.Seq)
	if !ok {
		return nil
	}
	pkg, err := x.Packages.Pull(ctx, x.in.Tenant, registry.Digest(before.Digest))
	if err == nil && pkg.Manifest.Remembers() && pkg.Manifest.StateVersion() != m.StateVersion() {
		return nil
	}
	return fmt.Errorf("its rule went on with what it remembered when it was activated at %d, and a replay begins with nothing: %w", in.Seq, ErrCannot)
}

// install finds a version that runs or ran for the incident's organization: the one activated last before a position,
// else any. name "" is any name.
func (x *export) install(name string, is func(module.Install) bool, before uint64) (found module.Install, ok bool) {
	for _, t := range []storage.Tenant{x.in.Tenant, storage.NoTenant} {
		slots := x.Generation.Running.Layer(t).Slots
		for _, key := range slices.Sorted(maps.Keys(slots)) {
			if name != "" && key != name {
				continue
			}
			slot := slots[key]
			for _, i := range append([]module.Install{slot.Current}, slot.Previous...) {
				if !is(i) {
					continue
				}
				i.Who = "" // may be of the host: no concern of an organization
				if !ok || i.Seq <= before && (found.Seq > before || i.Seq > found.Seq) {
					found, ok = i, true
				}
			}
		}
		if ok {
			return found, true
		}
	}
	return found, false
}

// episodes returns the event time from which records count for the rule of the incident, and notes the other incidents of the key.
func (x *export) episodes(ctx context.Context) (int64, error) {
	span := x.rules[0].span()
	from, to := x.in.FirstSeen-span, x.in.LastSeen+max(span, int64(correlate.MaxLag)) // no replay goes on longer
	for {
		list, err := x.Incidents.Episodes(ctx, x.who, x.in, from, to)
		if err != nil {
			return 0, err
		}
		if len(list) >= MaxEpisodes {
			return 0, fmt.Errorf("%d incidents of its key are so close that one leads into the next: %w", len(list), ErrCannot)
		}
		x.out.Others = x.out.Others[:0]
		earlier := from
		for i := range list {
			if list[i].ID != x.in.ID {
				x.out.Others = append(x.out.Others, list[i].ID)
			}
			if list[i].FirstSeen < x.in.FirstSeen && span > 0 {
				earlier = min(earlier, list[i].FirstSeen-span)
			}
		}
		if earlier == from {
			return from, nil
		}
		from = earlier
	}
}

// records writes the events that the rules select, the newest first.
func (x *export) records(ctx context.Context) error {
	from, to, strays := x.rules[0].begins.Time, x.in.LastSeen+1, int64(0)
	for _, j := range x.rules {
		if from, to = min(from, j.begins.Time), to+j.span(); j.recalls || j.learns {
			strays = strayed
		}
	}
	if err := x.search(ctx, anyOf(x.rules), from, max(to, x.in.LastSeen+strays), x.record); err != nil {
		return err
	}
	for _, e := range x.in.Evidence {
		if !x.evidence[e.ID] {
			return fmt.Errorf("event %s of its evidence is not in the store: it is past its retention: %w", e.ID, ErrCannot)
		}
	}
	for _, j := range x.rules {
		if err := x.steady(j); err != nil {
			return err
		}
	}
	return x.flush("records")
}

// strayed is how far the time of an event and its place in the log may be apart, ns: the pipeline believes no more.
const strayed = int64(25 * time.Hour)

// record adds an event if it counts for one of the rules.
func (x *export) record(e *storage.Event) (err error) {
	if e.ID.Seq > x.in.Applied { // it had no part in it
		return nil
	}
	x.past.seq = e.ID.Seq
	counts := false
	for _, h := range x.match.Match(e, &x.scratch) {
		for _, j := range x.rules {
			if h.Rule == j.rule && j.begins.has(e) {
				counts = true
				if j.first == 0 || e.ID.Seq < j.first {
					j.first = e.ID.Seq
				}
			}
		}
	}
	if !counts {
		return nil
	}
	x.past.touch(e)
	if x.first == 0 || e.ID.Seq < x.first {
		x.first = e.ID.Seq
	}
	r := Record{ID: e.ID.String(), Time: e.Time, Received: e.Received, Raw: e.Raw, Dataset: e.Stream, Flags: pipeline.RecordOf(e).Flags}
	for _, f := range e.Fields {
		switch f.Name {
		case storage.FieldSource:
			r.Source = f.Value
		case storage.FieldParser:
			r.Parser = f.Value
		case storage.FieldDigest:
			r.Digest = f.Value
		case storage.FieldGeneration:
			if r.Generation, err = strconv.ParseUint(f.Value, 10, 64); err != nil {
				return fmt.Errorf("event %s: generation %q: %w", r.ID, f.Value, storage.ErrInvalid)
			}
		}
		r.Fields = append(r.Fields, [2]string{f.Name, f.Value})
	}
	if err := x.reader(&r); err != nil {
		return err
	}
	x.evidence[e.ID] = true
	x.out.Events++
	return x.line("records", &r)
}

// line adds a line to the files of one kind.
func (x *export) line(kind string, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	x.part.Write(append(line, '\n'))
	if x.lines++; x.lines == partEvents || x.part.Len() >= partBytes {
		return x.flush(kind)
	}
	return nil
}

// listed writes the values of lists that events have.
func (x *export) listed(ctx context.Context) error {
	if len(x.past.asked) > 0 {
		known, err := x.Past.ListsKnownFrom(ctx, x.who)
		if err != nil {
			return err
		}
		if x.first <= known {
			return fmt.Errorf("what was in the lists that its rule asks is known from position %d on, and its first event is at %d: %w", known, x.first, ErrCannot)
		}
	}
	list := x.past.listed()
	if x.out.Listed = len(list); x.out.Listed > MaxListed {
		return fmt.Errorf("%d values of lists are in its events, at most %d are exported: %w", len(list), MaxListed, ErrCannot)
	}
	x.parts = 0
	for i := range list {
		if err := x.line("lists", &list[i]); err != nil {
			return err
		}
	}
	return x.flush("lists")
}

// tables writes the tables that rules and modules looked into.
func (x *export) tables(ctx context.Context) error {
	names := slices.Clone(x.past.asked)
	for _, j := range x.rules {
		names = append(names, j.manifest.Tables()...)
	}
	seen := map[string]bool{}
	for _, r := range x.out.Parsers {
		if seen[r.Install.Digest] {
			continue
		}
		seen[r.Install.Digest] = true
		pkg, err := x.Packages.Pull(ctx, x.in.Tenant, registry.Digest(r.Install.Digest))
		if err != nil {
			return err
		}
		names = append(names, pkg.Manifest.Tables()...)
	}
	slices.Sort(names)
	x.out.Tables = x.past.tablesOf(slices.Compact(names), x.first)
	if len(x.out.Tables) > MaxTables {
		return fmt.Errorf("tables had %d versions meanwhile, at most %d are exported: %w", len(x.out.Tables), MaxTables, ErrCannot)
	}
	return x.past.contents(ctx, x.out.Tables, func(digest string, text []byte) error {
		return x.file("tables/"+strings.TrimPrefix(digest, "sha256:"), text)
	})
}

// reader notes the parser of a record.
func (x *export) reader(r *Record) error {
	key := readerKey{r.Generation, r.Parser, r.Digest}
	if _, known := x.readers[key]; known || r.Parser == "" {
		return nil
	}
	install, ok := x.install(r.Parser, func(i module.Install) bool { return registry.Digest(i.Digest).Short() == r.Digest }, r.Generation)
	if !ok {
		return fmt.Errorf("the parser %s (%s) of event %s ran so long ago that its settings are not known any more: %w", r.Parser, r.Digest, r.ID, ErrCannot)
	}
	x.readers[key] = install
	x.out.Parsers = append(x.out.Parsers, Reader{r.Generation, install})
	return nil
}

// flush writes what has gathered as a file.
func (x *export) flush(kind string) error {
	if x.lines == 0 {
		return nil
	}
	x.parts++
	err := x.file(fmt.Sprintf("%s/%05d.jsonl", kind, x.parts), x.part.Bytes())
	x.part.Reset()
	x.lines = 0
	return err
}

func (x *export) file(name string, data []byte) error {
	// Without times: the same incident gives the same bytes.
	if err := x.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data)), Format: tar.FormatPAX}); err != nil {
		return err
	}
	_, err := x.tar.Write(data)
	return err
}

// packages writes each package once, as an OCI image layout.
func (x *export) packages(ctx context.Context) error {
	digests := map[string]bool{}
	for _, j := range x.rules {
		digests[j.install.Digest] = true
	}
	for _, r := range x.out.Parsers {
		digests[r.Install.Digest] = true
	}
	if len(digests) > MaxPackages {
		return fmt.Errorf("%d modules had a part in it, at most %d are exported: %w", len(digests), MaxPackages, ErrCannot)
	}
	for _, d := range slices.Sorted(maps.Keys(digests)) {
		pkg, err := x.Packages.Pull(ctx, x.in.Tenant, registry.Digest(d))
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := layout.Pack(pkg, &b); err != nil {
			return err
		}
		if err := x.file("packages/"+strings.TrimPrefix(d, "sha256:")+".tar", b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// manifest ends the export.
func (x *export) manifest(context.Context) error {
	slices.SortFunc(x.out.Parsers, func(a, b Reader) int {
		return cmp.Or(cmp.Compare(a.Generation, b.Generation), cmp.Compare(a.Install.Name, b.Install.Name))
	})
	last := map[string]module.Install{} // each change of a list is another generation
	x.out.Parsers = slices.DeleteFunc(x.out.Parsers, func(r Reader) bool {
		before, there := last[r.Install.Name]
		last[r.Install.Name] = r.Install
		return there && reflect.DeepEqual(before, r.Install)
	})
	first := x.rules[0]
	x.out.Rule, x.out.Exceptions, x.out.Begins = first.install, first.exceptions, first.begins
	x.out.Asks = len(x.past.asked) > 0
	for _, j := range x.rules {
		x.out.Learns = x.out.Learns || j.learns
	}
	for _, j := range x.rules[1:] {
		x.out.Inner = append(x.out.Inner, Inner{ID: j.rule.ID, Rule: j.install, Exceptions: j.exceptions, Begins: j.begins})
	}
	slices.SortFunc(x.out.Forgets, func(a, b Forget) int { return cmp.Compare(a.Seq, b.Seq) })
	data, err := json.MarshalIndent(&x.out, "", " ")
	if err != nil {
		return err
	}
	if err := x.file("manifest.json", append(data, '\n')); err != nil {
		return err
	}
	return x.tar.Close()
}
