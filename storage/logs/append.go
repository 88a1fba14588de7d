package logs

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/VictoriaMetrics/VictoriaMetrics/lib/logstorage"
	"github.com/vedette-siem/vedette/storage"
)

const (
	day        = int64(24 * time.Hour)
	receivedAs = "2006-01-02T15:04:05.000000000Z" // of fixed width: sorts as text
)

var streamFields = []string{storage.FieldDataset}

// groupKey is what logstorage wants side by side: rows of 200 interleaved tenants cost 3 to 5 times those of runs.
type groupKey struct {
	tenant storage.Tenant
	day    int32 // since the epoch, UTC
	stream string
}

type group struct {
	key  groupKey
	rows *logstorage.LogRows
}

// pending holds the rows of some frames, grouped, until they are handed over together.
type pending struct {
	groups map[groupKey]*group
	last   *group // of the row before: events come in runs
	order  []*group
	bytes  int
	rows   int
	seq    uint64 // highest frame
}

func newPending() *pending { return &pending{groups: map[groupKey]*group{}} }

func (p *pending) group(key groupKey) *group {
	if p.last != nil && p.last.key == key {
		return p.last
	}
	g := p.groups[key]
	if g == nil {
		key.stream = strings.Clone(key.stream)
		g = &group{key: key, rows: logstorage.GetLogRows(streamFields, nil, nil, nil, "")}
		p.groups[key] = g
	}
	p.last = g
	return g
}

// reset forgets the rows and, so that memory follows the load, the groups that had none.
func (p *pending) reset() {
	for key, g := range p.groups {
		if g.rows.RowsCount() == 0 {
			logstorage.PutLogRows(g.rows)
			delete(p.groups, key)
			continue
		}
		g.rows.ResetKeepSettings()
	}
	clear(p.order)
	p.order, p.last, p.bytes, p.rows = p.order[:0], nil, 0, 0
}

// rowBuilder turns events into rows without allocating.
type rowBuilder struct {
	fields     []logstorage.Field
	id         []byte
	received   []byte
	receivedNs int64
}

// build returns the fields of e, valid until the next call. Those that all rows have come first, because logstorage
// stores a value that equals the one at the same place in the row before only once.
func (b *rowBuilder) build(e *storage.Event) (fields []logstorage.Field, bytes int) {
	if e.Received != b.receivedNs || len(b.received) == 0 {
		b.receivedNs = e.Received
		b.received = time.Unix(0, e.Received).UTC().AppendFormat(b.received[:0], receivedAs)
	}
	b.id = e.ID.Append(b.id[:0])
	dash := slices.Index(b.id, '-')
	b.fields = append(b.fields[:0],
		logstorage.Field{Name: storage.FieldDataset, Value: e.Stream},
		logstorage.Field{Name: storage.FieldReceived, Value: unsafeString(b.received)},
		logstorage.Field{Name: storage.FieldSeq, Value: unsafeString(b.id[:dash])},
		logstorage.Field{Name: storage.FieldID, Value: unsafeString(b.id)},
		logstorage.Field{Name: "_msg", Value: e.Raw})
	for i := range e.Fields {
		b.fields = append(b.fields, logstorage.Field{Name: e.Fields[i].Name, Value: e.Fields[i].Value})
	}
	for i := range b.fields {
		bytes += len(b.fields[i].Name) + len(b.fields[i].Value)
	}
	return b.fields, bytes
}

// unsafeString lends bytes to a callee that copies them.
func unsafeString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Append takes the events of the frame at position seq, in ascending order of seq; a frame without events counts too.
// Events are put into canonical form in place and copied. They are searchable about a second later and on disk when
// Durable reaches seq. Rows outside the time that is kept are counted in Stats, not stored. The error wraps
// ErrUnavailable when the disk is nearly full (nothing was taken, the log still has it: try again), ErrInvalid when an
// event has no tenant.
func (s *Store) Append(ctx context.Context, seq uint64, events []storage.Event) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("appending frame %d: %w", seq, err)
	}
	s.life.RLock()
	defer s.life.RUnlock()
	if s.closed {
		return fmt.Errorf("appending frame %d: %w", seq, errClosed)
	}
	if s.db.IsReadOnly() {
		return fmt.Errorf("appending frame %d: less than %d bytes free on disk: %w", seq, s.cfg.MinFreeBytes, storage.ErrUnavailable)
	}
	for i := range events {
		if events[i].Tenant == storage.NoTenant {
			return fmt.Errorf("appending frame %d: event %s has no tenant: %w", seq, events[i].ID, storage.ErrInvalid)
		}
		if i == 0 || events[i].Tenant != events[i-1].Tenant {
			if err := s.tenants.add(events[i].Tenant); err != nil {
				return fmt.Errorf("appending frame %d: %w: %w", seq, storage.ErrUnavailable, err)
			}
		}
	}
	if s.add(seq, events) {
		s.handOverLocked()
		return nil
	}
	select {
	case s.dirty <- struct{}{}:
	default:
	}
	return nil
}

// add groups the events and reports whether so much is pending that it should not wait.
func (s *Store) add(seq uint64, events []storage.Event) (full bool) {
	now := s.cfg.Now()
	oldest := now.Add(-s.retention).UnixNano() / day * day
	newest := now.Add(MaxFutureSkewHours * time.Hour).UnixNano()
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pending
	p.seq = max(p.seq, seq)
	for i := range events {
		e := &events[i]
		if e.Time < oldest {
			s.dropped.TooOld++
			continue
		}
		if e.Time > newest {
			s.dropped.TooNew++
			continue
		}
		if n := storage.Canonical(e); n > 0 {
			s.changed++
		}
		g := p.group(groupKey{e.Tenant, int32(e.Time / day), e.Stream})
		fields, bytes := s.rows.build(e)
		before := g.rows.RowsCount()
		g.rows.MustAdd(tenantID(e.Tenant), e.Time, fields, nil)
		if g.rows.RowsCount() == before { // a limit of logstorage that Canonical does not know
			s.dropped.Refused++
			continue
		}
		p.rows++
		p.bytes += bytes
	}
	return p.bytes > maxPendingBytes
}

func tenantID(t storage.Tenant) logstorage.TenantID { return logstorage.TenantID{AccountID: uint32(t)} }

func (s *Store) handOver() {
	s.life.RLock()
	defer s.life.RUnlock()
	if !s.closed {
		s.handOverLocked()
	}
}

// handOverLocked gives the pending rows to logstorage, group by group, while Append fills the other set. The caller
// holds life.
func (s *Store) handOverLocked() {
	s.handing.Lock()
	defer s.handing.Unlock()
	s.mu.Lock()
	p := s.pending
	s.spare.seq = p.seq
	s.pending, s.spare = s.spare, p
	s.mu.Unlock()
	for _, g := range p.groups {
		if g.rows.RowsCount() > 0 {
			p.order = append(p.order, g)
		}
	}
	slices.SortFunc(p.order, func(a, b *group) int {
		if a.key.day != b.key.day {
			return int(a.key.day) - int(b.key.day)
		}
		if a.key.tenant != b.key.tenant {
			return int(int64(a.key.tenant) - int64(b.key.tenant))
		}
		return strings.Compare(a.key.stream, b.key.stream)
	})
	for _, g := range p.order {
		s.db.MustAddRows(g.rows)
	}
	s.marks.add(p.seq, s.cfg.Now())
	p.reset()
}

// Flush makes every appended row searchable now. It writes nothing to disk.
func (s *Store) Flush(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("flushing log store: %w", err)
	}
	s.life.RLock()
	defer s.life.RUnlock()
	if s.closed {
		return fmt.Errorf("flushing log store: %w", errClosed)
	}
	s.handOverLocked()
	s.db.DebugFlush()
	return nil
}

// marks turns the times of handing over into the position up to which everything is on disk.
type marks struct {
	mu      sync.Mutex
	queue   []mark
	handed  uint64
	durable uint64
}

type mark struct {
	seq uint64
	at  time.Time
}

func (m *marks) add(seq uint64, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if seq > m.handed {
		m.handed = seq
		m.queue = append(m.queue, mark{seq, at})
	}
}

func (m *marks) until(limit time.Time) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for n < len(m.queue) && !m.queue[n].at.After(limit) {
		m.durable = m.queue[n].seq
		n++
	}
	m.queue = slices.Delete(m.queue, 0, n)
	return m.durable
}

func (m *marks) last() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.handed
}

// Durable returns the highest position such that every row of every frame up to it is on disk, 0 when none is known to
// be. logstorage tells nobody when it has written, so this is an age: rows are written within about three flush
// intervals of being handed over, and count after Config.DurableAfter.
func (s *Store) Durable() uint64 { return s.marks.until(s.cfg.Now().Add(-s.cfg.DurableAfter)) }
