package incident

import (
	"bufio"
	"container/list"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/vedette-siem/vedette/storage"
)

// A snapshot is the header, then varints and length-prefixed texts in a fixed order: tenants by number, incidents by
// when they last fired. The same state gives the same bytes. Whoever stores it protects it with a checksum.
const snapshotHeader = "vedette incidents 3\n"

// Append appends a snapshot of the fold's state to b. Everything changed must have been taken before, and should be in
// the database: what a snapshot is ahead of the database by would never be written. ErrConflict if something is not taken.
func (f *Fold) Append(b []byte) ([]byte, error) {
	if len(f.dirty) > 0 || !f.batch.Empty() || len(f.batch.Forgotten) > 0 {
		return b, fmt.Errorf("snapshot incidents at %d: changes not taken: %w", f.seq, storage.ErrConflict)
	}
	e := encoder{b: append(b, snapshotHeader...)}
	e.uint(f.seq)
	e.int(f.swept)
	e.uint(uint64(len(f.tenants)))
	for _, t := range slices.Sorted(maps.Keys(f.tenants)) {
		o := f.tenants[t]
		e.uint(uint64(t))
		e.uint(uint64(o.order.Len()))
		for el := o.order.Front(); el != nil; el = el.Next() {
			ep := el.Value.(*episode)
			e.episode(ep, o.current[ep.key] == el)
		}
	}
	return e.b, nil
}

// Restore replaces the fold's state by a snapshot, which it reads to the end. On an error the fold is as it was;
// ErrInvalid means that the bytes are not a snapshot of this version.
func (f *Fold) Restore(r io.Reader) error {
	d := decoder{r: bufio.NewReader(io.LimitReader(r, MaxSnapshotBytes))}
	n := New(Config{MaxTracked: f.max})
	d.header()
	n.seq, n.swept = d.uint(), d.int()
	last := storage.NoTenant
	for range d.count(1 << 24) {
		t := storage.Tenant(d.max(1<<32 - 1))
		d.must(t > last, "tenants out of order")
		last = t
		o := &organization{current: map[keyHash]*list.Element{}, byID: map[string]*list.Element{}}
		for range d.count(1 << 24) {
			d.track(n.seq, t, o)
			if d.err != nil {
				break
			}
		}
		if d.err != nil {
			break
		}
		n.tenants[t] = o
	}
	if _, err := d.r.ReadByte(); d.err == nil && !errors.Is(err, io.EOF) {
		d.fail("bytes after the end")
	}
	if d.err != nil {
		return fmt.Errorf("restore incidents: %w", d.err)
	}
	*f = *n
	return nil
}

// track reads one episode into o.
func (d *decoder) track(seq uint64, t storage.Tenant, o *organization) {
	e, current := d.episode(t)
	d.must(e.in.ID != "" && o.byID[e.in.ID] == nil, "incident twice")
	d.must(!current || o.current[e.key] == nil, "two current incidents of one key")
	d.must(e.in.Applied > 0 && e.in.Applied <= seq, "incident newer than the snapshot")
	if d.err != nil {
		return
	}
	el := o.order.PushBack(e)
	o.byID[e.in.ID] = el
	if current {
		o.current[e.key] = el
	}
}

func (e *encoder) episode(ep *episode, current bool) {
	in := &ep.in
	e.text(in.ID)
	e.raw(string(ep.key[:]))
	e.bool(current)
	e.int(ep.quiet)
	e.uint(uint64(ep.peak))
	for _, s := range []string{in.Rule, in.RuleName, in.RuleVersion, in.Title, string(in.State), string(in.Verdict), in.Assignee, in.RuleDigest, in.MergedInto} {
		e.text(s)
	}
	e.uint(uint64(in.Severity))
	e.uint(in.Count)
	e.uint(in.Applied)
	for _, t := range []int64{in.FirstSeen, in.LastSeen, in.OpenedAt, in.UpdatedAt, in.Watermark} {
		e.int(t)
	}
	e.bool(in.Approximate)
	e.int(ep.told)
	e.bool(ep.owed)
	e.uint(uint64(len(in.Key)))
	for _, k := range in.Key {
		e.text(k.Name)
		e.text(k.Value)
	}
	e.uint(uint64(len(in.Techniques)))
	for _, t := range in.Techniques {
		e.text(t)
	}
	e.uint(uint64(len(in.Evidence)))
	for _, v := range in.Evidence {
		e.text(v.Sub)
		for _, n := range []uint64{v.ID.Seq, uint64(v.ID.Shard), uint64(v.ID.Segment), uint64(v.ID.Record), uint64(v.ID.Ordinal)} {
			e.uint(n)
		}
		e.int(v.Time)
	}
	e.uint(uint64(len(in.Conditions)))
	for _, c := range in.Conditions {
		for _, s := range []string{c.Sub, c.Expr, c.Actual, c.Threshold} {
			e.text(s)
		}
	}
	e.uint(uint64(len(in.Lists)))
	for _, l := range in.Lists {
		e.text(l.Name)
		e.uint(l.Seq)
	}
	e.uint(uint64(len(in.Entities)))
	for _, x := range in.Entities {
		for _, s := range []string{string(x.Kind), x.Value, x.Field} {
			e.text(s)
		}
	}
}

func (d *decoder) episode(t storage.Tenant) (*episode, bool) {
	ep := &episode{in: storage.Incident{Tenant: t, ID: d.text()}}
	in := &ep.in
	d.fill(ep.key[:])
	current := d.max(1) == 1
	ep.quiet = d.int()
	ep.peak = storage.Severity(d.max(uint64(storage.Critical)))
	var state, verdict string
	for _, s := range []*string{&in.Rule, &in.RuleName, &in.RuleVersion, &in.Title, &state, &verdict, &in.Assignee, &in.RuleDigest, &in.MergedInto} {
		*s = d.text()
	}
	in.State, in.Verdict = storage.State(state), storage.Verdict(verdict)
	d.must(in.State == storage.Open || in.State == storage.Acknowledged || in.State == storage.Resolved, "unknown state")
	in.Severity = storage.Severity(d.max(uint64(storage.Critical)))
	d.must(in.Severity >= storage.Informational && ep.peak >= storage.Informational, "no severity")
	in.Count, in.Applied = d.max(1<<63-1), d.uint()
	for _, n := range []*int64{&in.FirstSeen, &in.LastSeen, &in.OpenedAt, &in.UpdatedAt, &in.Watermark} {
		*n = d.int()
	}
	in.Approximate = d.max(1) == 1
	ep.told, ep.owed = d.int(), d.max(1) == 1
	in.Key = []storage.Field{} // the form that a fold gives it
	for range d.count(MaxKeyFields) {
		in.Key = append(in.Key, storage.Field{Name: d.text(), Value: d.text()})
	}
	for range d.count(MaxTechniques) {
		in.Techniques = append(in.Techniques, d.text())
	}
	for range d.count(MaxSubs * storage.MaxEvidence) {
		in.Evidence = append(in.Evidence, storage.Evidence{Sub: d.text(), ID: storage.EventID{
			Seq: d.uint(), Shard: uint16(d.max(1<<16 - 1)),
			Segment: uint16(d.max(1<<16 - 1)), Record: uint32(d.max(1<<32 - 1)), Ordinal: uint16(d.max(1<<16 - 1)),
		}, Time: d.int()})
	}
	in.Conditions = []storage.Condition{}
	for range d.count(MaxConditions) {
		in.Conditions = append(in.Conditions, storage.Condition{Sub: d.text(), Expr: d.text(), Actual: d.text(), Threshold: d.text()})
	}
	for range d.count(MaxLists) {
		in.Lists = append(in.Lists, storage.ListAsked{Name: d.text(), Seq: d.uint()})
	}
	in.Entities = []storage.Entity{}
	for range d.count(storage.MaxEntities) {
		in.Entities = append(in.Entities, storage.Entity{Kind: storage.EntityKind(d.text()), Value: d.text(), Field: d.text()})
	}
	return ep, current
}

type encoder struct{ b []byte }

func (e *encoder) raw(s string) { e.b = append(e.b, s...) }

func (e *encoder) uint(n uint64) { e.b = binary.AppendUvarint(e.b, n) }

func (e *encoder) int(n int64) { e.b = binary.AppendVarint(e.b, n) }

func (e *encoder) text(s string) {
	e.uint(uint64(len(s)))
	e.raw(s)
}

func (e *encoder) bool(b bool) {
	if b {
		e.uint(1)
	} else {
		e.uint(0)
	}
}

// decoder reads until its first error, after which it returns zeros.
type decoder struct {
	r   *bufio.Reader
	err error
}

func (d *decoder) fail(why string) {
	if d.err == nil {
		d.err = fmt.Errorf("%s: %w", why, storage.ErrInvalid)
	}
}

func (d *decoder) must(ok bool, why string) {
	if !ok {
		d.fail(why)
	}
}

func (d *decoder) header() {
	var b [len(snapshotHeader)]byte
	d.fill(b[:])
	d.must(string(b[:]) == snapshotHeader, "unknown header")
}

func (d *decoder) fill(b []byte) {
	if d.err == nil {
		if _, err := io.ReadFull(d.r, b); err != nil {
			d.fail("short: " + err.Error())
		}
	}
	if d.err != nil {
		clear(b)
	}
}

func (d *decoder) uint() uint64 {
	if d.err != nil {
		return 0
	}
	n, err := binary.ReadUvarint(d.r)
	if err != nil {
		d.fail("number: " + err.Error())
		return 0
	}
	return n
}

func (d *decoder) int() int64 {
	if d.err != nil {
		return 0
	}
	n, err := binary.ReadVarint(d.r)
	if err != nil {
		d.fail("number: " + err.Error())
		return 0
	}
	return n
}

// max reads a number that may not exceed limit.
func (d *decoder) max(limit uint64) uint64 {
	n := d.uint()
	if n > limit {
		d.fail(fmt.Sprintf("%d, at most %d", n, limit))
		return 0
	}
	return n
}

// count reads how many of something follow. Each takes at least a byte, so what a lying count costs is bounded by
// what is there to read.
func (d *decoder) count(limit int) func(yield func() bool) {
	n := d.max(uint64(limit))
	return func(yield func() bool) {
		for ; n > 0 && d.err == nil && yield(); n-- {
		}
	}
}

func (d *decoder) text() string {
	b := make([]byte, d.max(maxStringBytes))
	d.fill(b)
	return string(b)
}
