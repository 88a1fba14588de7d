package incident

import (
	"cmp"
	"container/list"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"github.com/vedette-siem/vedette/storage"
)

// namespace makes incident ids UUIDs of version 5. It never changes: ids would.
var namespace = uuid.MustParse("6f0cb3de-6f2c-5d5e-9a3b-4c1f6f6d7a11")

// Config sets the fold's bounds. Zero means the default.
type Config struct {
	MaxTracked int // incidents per tenant; default MaxTrackedPerTenant
}

// Fold holds the incidents that can still take firings. It depends on nothing but the sequence of its calls: no
// clock, no order of maps. One goroutine uses it.
//
// Calls come in log order. Several may have the same sequence; one with a lower sequence than an earlier call has
// been folded already and is ignored. Take may come between records, not between two calls for one record.
type Fold struct {
	max     int
	seq     uint64 // of the newest call
	swept   int64  // log time of the last look for incidents to forget, ns
	tenants map[storage.Tenant]*organization
	dirty   []*episode // in order of first change since the last Take
	batch   Batch
}

// organization holds the episodes of one tenant.
type organization struct {
	current map[keyHash]*list.Element // the newest episode of each rule and key: the one that takes firings
	byID    map[string]*list.Element
	order   list.List // *episode, the one fired longest ago first
}

// keyHash identifies a rule and key within a tenant.
type keyHash [sha256.Size]byte

type episode struct {
	in    storage.Incident
	key   keyHash
	quiet int64            // ns
	peak  storage.Severity // highest severity of a firing: a person's lower one stays until a firing exceeds it
	told  int64            // log time of the last notice, ns
	owed  bool             // a notice about the severity is held back
	dirty bool
	tell  string // kind of notice to make at the end of the call
}

// New returns a fold that holds nothing.
func New(cfg Config) *Fold {
	if cfg.MaxTracked <= 0 {
		cfg.MaxTracked = MaxTrackedPerTenant
	}
	return &Fold{max: cfg.MaxTracked, tenants: map[storage.Tenant]*organization{}}
}

// Seq returns the sequence of the newest call.
func (f *Fold) Seq() uint64 { return f.seq }

// Tracked returns how many incidents the fold holds.
func (f *Fold) Tracked() (n int) {
	for _, o := range f.tenants {
		n += o.order.Len()
	}
	return n
}

// Fire folds the firings of the record at seq, in their order. logTime is the record's log time in ns. Firings
// without a tenant are ignored.
func (f *Fold) Fire(seq uint64, logTime int64, firings []Firing) {
	if seq < f.seq {
		return
	}
	f.seq = seq
	f.sweep(logTime)
	var tell []*episode
	for i := range firings {
		if firings[i].Tenant == storage.NoTenant {
			continue
		}
		if firings[i].Clears {
			f.clear(&firings[i], logTime)
			continue
		}
		if e := f.fire(&firings[i], logTime); e.tell != "" && !slices.Contains(tell, e) {
			tell = append(tell, e)
		}
	}
	// Told once per record, as it is after the record.
	for _, e := range tell {
		if e.told = logTime; e.tell == KindSeverity {
			e.owed = false
		}
		f.record(e.in.ID, logTime, ByVedette, e.tell, e.in.Severity.String())
		f.batch.Notices = append(f.batch.Notices, Notice{
			Tenant: e.in.Tenant, Kind: e.tell, At: logTime, Payload: encodePayload(e.tell, logTime, &e.in),
			Key: e.in.ID + "." + e.tell + "." + strconv.FormatUint(seq, 10),
		})
		e.tell = ""
	}
}

// clear ends the episode of a key: it takes no more firings. What fired after the clear pattern held goes on.
func (f *Fold) clear(fr *Firing, logTime int64) {
	o := f.tenants[fr.Tenant]
	if o == nil {
		return
	}
	hash := hashKey(fr)
	el := o.current[hash]
	if el == nil || fr.Time < el.Value.(*episode).in.LastSeen {
		return
	}
	e := el.Value.(*episode)
	delete(o.current, hash)
	f.record(e.in.ID, logTime, ByVedette, Cleared, "")
	f.touch(e, logTime)
}

func (f *Fold) fire(fr *Firing, logTime int64) *episode {
	o := f.tenants[fr.Tenant]
	if o == nil {
		o = &organization{current: map[keyHash]*list.Element{}, byID: map[string]*list.Element{}}
		f.tenants[fr.Tenant] = o
	}
	if fr.QuietFor <= 0 {
		fr.QuietFor = DefaultQuiet
	}
	fr.Severity = min(max(fr.Severity, storage.Informational), storage.Critical)
	hash := hashKey(fr)
	el := o.current[hash]
	if el != nil {
		e := el.Value.(*episode)
		// What was merged goes on counting: its case is worked under another incident, and is no new one.
		if e.in.State == storage.Resolved && e.in.MergedInto == "" || fr.Time-e.in.LastSeen > int64(fr.QuietFor) {
			el = nil
		}
	}
	if el == nil {
		el = f.open(o, hash, fr, logTime)
	}
	o.order.MoveToBack(el)
	e := el.Value.(*episode)
	if changed := e.count(fr); changed {
		f.record(e.in.ID, logTime, ByVedette, RuleChanged, e.in.RuleVersion)
	}
	e.hush(int64(fr.Suppress), logTime)
	f.touch(e, logTime)
	return e
}

// hush holds a notice about a severity back until enough time has passed since the last one.
func (e *episode) hush(suppress, logTime int64) {
	if e.tell == "" && e.owed {
		e.tell = KindSeverity
	}
	if e.tell == KindSeverity && suppress > 0 && logTime-e.told < suppress {
		e.tell, e.owed = "", true
	}
}

// open starts an episode, forgetting the one fired longest ago when there is no room.
func (f *Fold) open(o *organization, hash keyHash, fr *Firing, logTime int64) *list.Element {
	id := incidentID(fr.Tenant, hash, fr.Trigger)
	if el := o.byID[id]; el != nil {
		// The same trigger cannot open an incident twice; its firing belongs to the one that it opened.
		return el
	}
	for o.order.Len() >= f.max {
		oldest := o.order.Front()
		f.batch.Forgotten = append(f.batch.Forgotten, oldest.Value.(*episode).in)
		o.forget(oldest)
	}
	el := o.order.PushBack(&episode{key: hash, peak: fr.Severity, tell: KindOpened, in: storage.Incident{
		ID: id, Tenant: fr.Tenant, Rule: cut(fr.Rule, MaxNameBytes), Key: shownKey(fr.Key), Severity: fr.Severity, State: storage.Open,
		FirstSeen: fr.Time, LastSeen: fr.Time, OpenedAt: logTime,
	}})
	o.current[hash], o.byID[id] = el, el
	return el
}

func (o *organization) forget(el *list.Element) {
	e := el.Value.(*episode)
	o.order.Remove(el)
	delete(o.byID, e.in.ID)
	if o.current[e.key] == el {
		delete(o.current, e.key)
	}
}

// count takes a firing into the incident, and reports whether another version of the rule fired before. What describes
// the incident is as of the last firing.
func (e *episode) count(fr *Firing) (changed bool) {
	in := &e.in
	changed = in.Count > 0 && in.RuleDigest != cut(fr.RuleDigest, MaxNameBytes)
	in.RuleDigest = cut(fr.RuleDigest, MaxNameBytes)
	in.Entities = shownEntities(fr.Entities)
	in.Count++
	in.FirstSeen, in.LastSeen = min(in.FirstSeen, fr.Time), max(in.LastSeen, fr.Time)
	in.RuleName, in.RuleVersion = cut(fr.RuleName, MaxNameBytes), cut(fr.RuleVersion, MaxNameBytes)
	in.Title = cut(fr.Title, MaxTitleBytes)
	in.Conditions = shownConditions(fr.Conditions)
	in.Techniques = mergeTechniques(in.Techniques, fr.Techniques)
	in.Evidence = mergeEvidence(in.Evidence, fr.Evidence)
	in.Watermark, in.Approximate, in.Lists = fr.Watermark, fr.Approximate, fr.Lists[:min(len(fr.Lists), MaxLists)]
	e.quiet = int64(fr.QuietFor)
	if fr.Severity > e.peak {
		e.peak = fr.Severity
		if fr.Severity > in.Severity {
			in.Severity = fr.Severity
			e.tell = cmp.Or(e.tell, KindSeverity)
		}
	}
	return changed
}

// touch notes that the incident has to be written.
func (f *Fold) touch(e *episode, logTime int64) {
	e.in.UpdatedAt, e.in.Applied = logTime, f.seq
	if !e.dirty {
		e.dirty = true
		f.dirty = append(f.dirty, e)
	}
}

func (f *Fold) record(incident string, at int64, who, what, detail string) {
	f.batch.History = append(f.batch.History, storage.HistoryEntry{Incident: incident, Seq: f.seq, At: at, Who: who, What: what, Detail: detail})
}

// sweep forgets, about once an hour of log time, the incidents that can take no more firings. People can still work
// them: see Patch.
func (f *Fold) sweep(logTime int64) {
	if logTime-f.swept < sweepEvery {
		return
	}
	f.swept = logTime
	for t, o := range f.tenants {
		for el := o.order.Front(); el != nil; {
			next := el.Next()
			if e := el.Value.(*episode); logTime-e.in.LastSeen > e.quiet+lateness {
				o.forget(el)
			}
			el = next
		}
		if o.order.Len() == 0 {
			delete(f.tenants, t)
		}
	}
}

// Take returns what changed since the last Take.
func (f *Fold) Take() Batch {
	b := f.batch
	for _, e := range f.dirty {
		b.Incidents = append(b.Incidents, e.in)
		e.dirty = false
	}
	f.batch, f.dirty = Batch{}, nil
	return b
}

// hashKey tells incidents of a tenant apart. Lengths stand before texts, so no two keys run together.
func hashKey(fr *Firing) (out keyHash) {
	h := sha256.New()
	var n [8]byte
	put := func(s string) {
		binary.LittleEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	put(fr.Rule)
	for _, f := range fr.Key {
		put(f.Name)
		put(f.Value)
	}
	h.Sum(out[:0])
	return out
}

// Opens returns the id of the incident that a firing opens, if it opens one.
func (fr *Firing) Opens() string { return incidentID(fr.Tenant, hashKey(fr), fr.Trigger) }

func incidentID(t storage.Tenant, key keyHash, trigger storage.EventID) string {
	name := append([]byte(t.String()+"|"), key[:]...)
	return uuid.NewSHA1(namespace, trigger.Append(append(name, '|'))).String()
}

func shownKey(key []storage.Field) []storage.Field {
	out := make([]storage.Field, 0, min(len(key), MaxKeyFields))
	for _, f := range key[:min(len(key), MaxKeyFields)] {
		out = append(out, storage.Field{Name: cut(f.Name, storage.MaxFieldNameBytes), Value: cut(f.Value, MaxKeyValueBytes)})
	}
	return out
}

func shownEntities(list []storage.Entity) []storage.Entity {
	out := make([]storage.Entity, 0, min(len(list), storage.MaxEntities))
	for _, e := range list[:min(len(list), storage.MaxEntities)] {
		out = append(out, storage.Entity{Kind: e.Kind, Value: cut(e.Value, storage.MaxEntityBytes), Field: cut(e.Field, storage.MaxFieldNameBytes)})
	}
	return out
}

func shownConditions(list []storage.Condition) []storage.Condition {
	out := make([]storage.Condition, 0, min(len(list), MaxConditions))
	for _, c := range list[:min(len(list), MaxConditions)] {
		out = append(out, storage.Condition{
			Sub: cut(c.Sub, MaxSubBytes), Expr: cut(c.Expr, MaxConditionBytes),
			Actual: cut(c.Actual, MaxConditionBytes), Threshold: cut(c.Threshold, MaxConditionBytes),
		})
	}
	return out
}

// mergeTechniques returns the sorted union, the same slice when there is nothing new.
func mergeTechniques(have, more []string) []string {
	for _, t := range more {
		t = cut(t, MaxSubBytes)
		if i, found := slices.BinarySearch(have, t); !found && len(have) < MaxTechniques {
			have = slices.Insert(slices.Clip(have), i, t)
		}
	}
	return have
}

func compareEvidence(a, b storage.Evidence) int {
	if c := cmp.Compare(a.Sub, b.Sub); c != 0 {
		return c
	}
	if a.ID.Less(b.ID) {
		return -1
	}
	if b.ID.Less(a.ID) {
		return 1
	}
	return cmp.Compare(a.Time, b.Time)
}

// mergeEvidence returns, sorted by sub-pattern and position, the storage.MaxEvidence newest events of each
// sub-pattern. It never writes into have, which a batch may hold.
func mergeEvidence(have, more []storage.Evidence) []storage.Evidence {
	if len(more) == 0 {
		return have
	}
	all := append(make([]storage.Evidence, 0, len(have)+len(more)), have...)
	for _, e := range more {
		e.Sub = cut(e.Sub, MaxSubBytes)
		all = append(all, e)
	}
	slices.SortFunc(all, compareEvidence)
	all = slices.CompactFunc(all, func(a, b storage.Evidence) bool { return a.Sub == b.Sub && a.ID == b.ID })
	out, subs := all[:0], 0
	for start := 0; start < len(all) && subs < MaxSubs; subs++ {
		end := start + 1
		for end < len(all) && all[end].Sub == all[start].Sub {
			end++
		}
		out = append(out, all[max(start, end-storage.MaxEvidence):end]...)
		start = end
	}
	return out
}

// cut shortens s to at most n bytes without splitting a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}
