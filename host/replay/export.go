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
	Running   module.Running // with the versions that ran before
}

// export is one export on its way.
type export struct {
	Host
	who     storage.Principal
	in      storage.Incident
	rule    *rule.Rule
	recalls bool // its code remembers: all that it selects counts, from its beginning on
	match   *detect.Set
	scratch detect.Scratch
	tar     *tar.Writer
	part    bytes.Buffer
	lines   int // in part
	parts   int
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
		x.history, x.findRule, x.records, x.packages, x.manifest,
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
	x.out.Format, x.out.Incident = format, x.in
	for _, h := range list {
		switch {
		case h.What == incident.RuleChanged && h.Who == incident.ByVedette:
			return fmt.Errorf("its rule became version %s while it was counting, and a replay runs one version: %w", h.Detail, ErrCannot)
		case h.What == string(incident.SetSeverity) && h.Who != incident.ByVedette:
			x.out.SeveritySet = true
		}
	}
	return nil
}

// findRule loads the rule as it ran.
func (x *export) findRule(ctx context.Context) error {
	if x.in.RuleDigest == "" {
		return fmt.Errorf("the package of its rule is not known: %w", ErrCannot)
	}
	install, ok := x.install("", func(i module.Install) bool { return i.Digest == x.in.RuleDigest }, x.in.Applied)
	if !ok {
		return fmt.Errorf("the rule package %s ran so long ago that its settings are not known any more: %w", registry.Digest(x.in.RuleDigest).Short(), ErrCannot)
	}
	x.out.Rule = install
	pkg, err := x.Packages.Pull(ctx, x.in.Tenant, registry.Digest(install.Digest))
	if err != nil {
		return err
	}
	if x.rule, _, err = module.RuleOf(&pkg, x.in.Rule); err != nil {
		return err
	}
	if x.rule == nil {
		return fmt.Errorf("package %s has no rule %s: %w", install.Name, x.in.Rule, ErrCannot)
	}
	if tables := pkg.Manifest.Tables(); len(tables) > 0 {
		return fmt.Errorf("its rule looks into the table %s, and an export holds none: %w", tables[0], ErrCannot)
	}
	if lists := detect.ListsOf(x.rule); len(lists) > 0 {
		return fmt.Errorf("its rule asks the list %s, and an export holds none: %w", lists[0], ErrCannot)
	}
	for i := range x.rule.Subs {
		switch s := &x.rule.Subs[i]; {
		case s.Match.Rule != "":
			return fmt.Errorf("its rule looks at the firings of %s, and an export holds the events of one rule: %w", s.Match.Rule, ErrCannot)
		case s.FirstSeen != nil || s.Baseline != nil:
			return fmt.Errorf("its rule has learnt from events of before, and an export holds none of them: %w", ErrCannot)
		}
	}
	if x.recalls = pkg.Manifest.Remembers(); x.recalls {
		if err := x.fresh(ctx, &pkg.Manifest); err != nil {
			return err
		}
	}
	if err := x.exceptions(); err != nil {
		return err
	}
	x.match, err = detect.Compile([]*rule.Rule{x.rule})
	return err
}

// exceptions narrows the rule by those of the organization that were in force while the incident counted. One that was made
// meanwhile would have counted for some of its events only.
func (x *export) exceptions() (err error) {
	first := x.in.Applied
	for _, e := range x.in.Evidence {
		first = min(first, e.ID.Seq)
	}
	for _, e := range x.Running.Layer(x.in.Tenant).Exceptions[x.in.Rule] {
		switch {
		case e.Seq > x.in.Applied:
		case e.Seq > first:
			return fmt.Errorf("an exception from its rule was made while it was counting: %w", ErrCannot)
		default:
			x.out.Exceptions = append(x.out.Exceptions, e)
		}
	}
	x.rule, err = module.WithExceptions(x.rule, x.out.Exceptions)
	return err
}

// fresh makes sure that the rule began with nothing remembered when it was activated: a version before it that keeps
// state in the same way has left what it remembered, and its records may be gone.
func (x *export) fresh(ctx context.Context, m *manifest.Manifest) error {
	before, ok := x.install(x.out.Rule.Name, func(i module.Install) bool { return i.Seq < x.out.Rule.Seq }, x.out.Rule.Seq)
	if !ok {
		return nil
	}
	pkg, err := x.Packages.Pull(ctx, x.in.Tenant, registry.Digest(before.Digest))
	if err == nil && pkg.Manifest.Remembers() && pkg.Manifest.StateVersion() != m.StateVersion() {
		return nil
	}
	return fmt.Errorf("its rule went on with what it remembered when it was activated at %d, and a replay begins with nothing: %w", x.out.Rule.Seq, ErrCannot)
}

// install finds a version that runs or ran for the incident's organization: the one activated last before a position,
// else any. name "" is any name.
func (x *export) install(name string, is func(module.Install) bool, before uint64) (found module.Install, ok bool) {
	for _, t := range []storage.Tenant{x.in.Tenant, storage.NoTenant} {
		slots := x.Running.Layer(t).Slots
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

// since returns the event time from which records count, and notes the other incidents of the key.
func (x *export) since(ctx context.Context) (int64, error) {
	span, _ := correlate.Horizon(x.rule)
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

// records writes the events of the incident's key that its rule selects, the newest first.
func (x *export) records(ctx context.Context) error {
	from, err := x.since(ctx)
	if err != nil {
		return err
	}
	span, _ := correlate.Horizon(x.rule)
	to, text := x.in.LastSeen+span+1, selection(x.rule, x.in.Key)
	if x.recalls {
		from, to, text = x.out.Rule.At-strayed, x.in.LastSeen+strayed, "*"
	}
	done, err := x.Store.Search(ctx, x.who, logs.Query{
		Text: text, From: time.Unix(0, from), To: time.Unix(0, to), Limit: MaxEvents,
	}, func(rows []logs.Row) error {
		for i := range rows {
			if err := x.record(&rows[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if done.Truncated {
		if x.recalls {
			return fmt.Errorf("more than %d events came since its rule began to remember: %w", MaxEvents, ErrCannot)
		}
		return fmt.Errorf("more than %d events of its key lie in its time: %w", MaxEvents, ErrCannot)
	}
	for _, e := range x.in.Evidence {
		if !x.evidence[e.ID] {
			return fmt.Errorf("event %s of its evidence is not in the store: it is past its retention, or came a moment ago and cannot be found yet: %w", e.ID, ErrCannot)
		}
	}
	return x.flush()
}

// strayed is how far the time of an event and its place in the log may be apart, ns: the pipeline believes no more.
const strayed = int64(25 * time.Hour)

// selection returns a query for at least the events of a key: each sub-pattern names the key's fields in its own way.
func selection(r *rule.Rule, key []storage.Field) string {
	first := r.Subs[0].Match.By
	var any []string
	for i := range r.Subs {
		var all []string
		for _, k := range key {
			name := k.Name
			if at := slices.Index(first, k.Name); at >= 0 {
				name = r.Subs[i].Match.By[at]
			} else if !slices.Contains(r.Root.Incident.Key, k.Name) {
				continue // of a code rule: no field of the event
			}
			if name == storage.FieldDataset || name == rule.FieldOriginal || len(k.Value) >= incident.MaxKeyValueBytes-4 {
				continue // the rule's own filter decides
			}
			all = append(all, strconv.Quote(name)+":="+strconv.Quote(k.Value))
		}
		if len(all) == 0 {
			return "*"
		}
		any = append(any, "("+strings.Join(all, " ")+")")
	}
	slices.Sort(any)
	return strings.Join(slices.Compact(any), " or ")
}

// record adds a row if the rule selects it.
func (x *export) record(row *logs.Row) error {
	e, err := row.Event()
	if err != nil {
		return err
	}
	// A row after the incident's position, or before its rule ran, had no part in it.
	if e.ID.Seq > x.in.Applied || e.ID.Seq < x.out.Rule.Seq || len(x.match.Match(&e, &x.scratch)) == 0 {
		return nil
	}
	r := Record{ID: e.ID.String(), Time: e.Time, Received: e.Received, Raw: e.Raw, Dataset: e.Stream, Flags: pipeline.RecordOf(&e).Flags}
	for _, f := range e.Fields {
		switch f.Name {
		case pipeline.FieldMatchedField:
			return fmt.Errorf("event %s has a value that an indicator set held, and an export holds none: %w", r.ID, ErrCannot)
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
	line, err := json.Marshal(&r)
	if err != nil {
		return err
	}
	x.part.Write(append(line, '\n'))
	x.lines++
	if x.out.Events++; x.lines == partEvents || x.part.Len() >= partBytes {
		return x.flush()
	}
	return nil
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
func (x *export) flush() error {
	if x.lines == 0 {
		return nil
	}
	x.parts++
	err := x.file(fmt.Sprintf("records/%05d.jsonl", x.parts), x.part.Bytes())
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
	digests := map[string]bool{x.out.Rule.Digest: true}
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
	data, err := json.MarshalIndent(&x.out, "", " ")
	if err != nil {
		return err
	}
	if err := x.file("manifest.json", append(data, '\n')); err != nil {
		return err
	}
	return x.tar.Close()
}
