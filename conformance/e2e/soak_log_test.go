package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
)

// soakRecord is a record of the soak as the log has it, and what the control records before it say should become of it.
type soakRecord struct {
	n          int    // of its organization's lines
	generation uint64 // position of the last control record that changed what runs
	parser     string // "publisher/name" of who reads it; "" when its module is off
	digest     string // short
	mark       string // of the version
}

// soakLog is what the log says.
type soakLog struct {
	records  map[storage.Tenant]map[storage.EventID]soakRecord
	controls int // control records that changed what runs
	refused  int // that did not
}

var soakForm = regexp.MustCompile(`^ref n=(\d+) mod=(\w+) `)

// readLog reads the whole log in a stopped host's directory. marks are those of the versions, by digest.
func readLog(t testing.TB, dir string, marks map[string]string) soakLog {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	q, err := queue.Open(ctx, queue.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	out := soakLog{records: map[storage.Tenant]map[storage.EventID]soakRecord{}}
	var running module.Running
	var frame queue.Frame
	last := q.Last()
	for msg, err := range q.Read(ctx, 1) {
		if err != nil {
			t.Fatalf("read the log: %v", err)
		}
		switch msg.Kind {
		case queue.KindControl:
			running = out.control(t, running, &msg)
		case queue.KindFrame:
			if err := msg.Frame(&frame); err != nil {
				t.Fatal(err)
			}
			out.frame(t, &running, &frame, marks)
		}
		if msg.Seq == last {
			break
		}
	}
	return out
}

func (l *soakLog) control(t testing.TB, running module.Running, msg *queue.Message) module.Running {
	t.Helper()
	c, err := module.DecodeControl(msg.Data)
	if err != nil {
		t.Fatalf("control record %d: %v", msg.Seq, err)
	}
	if c.Kind == module.Incident {
		return running
	}
	next, err := running.Apply(msg.Seq, msg.LogTime, c)
	if err != nil {
		l.refused++
		return running
	}
	l.controls++
	return next
}

func (l *soakLog) frame(t testing.TB, running *module.Running, f *queue.Frame, marks map[string]string) {
	t.Helper()
	for s := range f.Segments {
		seg := &f.Segments[s]
		of := l.records[seg.Tenant]
		if of == nil {
			of = map[storage.EventID]soakRecord{}
			l.records[seg.Tenant] = of
		}
		for i := range seg.Records {
			m := soakForm.FindSubmatch(seg.Records[i].Raw)
			if m == nil {
				t.Fatalf("the log has a record that nobody sent: %q", seg.Records[i].Raw)
			}
			n, _ := strconv.Atoi(string(m[1])) // it was matched
			r := soakRecord{n: n, generation: running.Seq}
			if slot, ok := running.Layer(seg.Tenant).Slots[soakPublisher+"/"+string(m[2])]; ok && !slot.Off {
				r.parser, r.digest, r.mark = slot.Current.Name, registry.Digest(slot.Current.Digest).Short(), marks[slot.Current.Digest]
			}
			of[storage.EventID{Seq: f.Seq, Shard: f.Shard, Segment: uint16(s), Record: uint32(i)}] = r
		}
	}
}

// soakStore reads the rows of a stopped host.
type soakStore struct {
	t     testing.TB
	store *logs.Store
}

// openRows opens a stopped host's log store. A row that is there twice fails the test.
func openStore(t testing.TB, dir string) soakStore {
	t.Helper()
	store, err := logs.Open(context.Background(), logs.Config{Dir: filepath.Join(dir, "logs")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = store.Close(context.Background()) }) // nothing was written
	return soakStore{t, store}
}

// of returns all rows of an organization, those that no module of the soak has read with an empty parser.
func (s soakStore) of(tenant storage.Tenant) map[storage.EventID]soakRecord {
	s.t.Helper()
	rows := map[storage.EventID]soakRecord{}
	p := storage.Principal{User: "test", Role: storage.RoleAdmin, Tenants: []storage.Tenant{tenant}}
	progress, err := s.store.Search(context.Background(), p, logs.Query{Text: "*", Limit: logs.MaxSearchRows}, func(found []logs.Row) error {
		for i := range found {
			r, err := soakRow(&found[i])
			if err != nil {
				return err
			}
			if _, twice := rows[found[i].ID]; twice {
				s.t.Errorf("row %s is stored twice", found[i].ID)
			}
			rows[found[i].ID] = r
		}
		return nil
	})
	if err != nil || progress.Truncated {
		s.t.Fatalf("read the rows of organization %d: truncated %v, %v", tenant, progress.Truncated, err)
	}
	return rows
}

func soakRow(row *logs.Row) (r soakRecord, err error) {
	m := soakForm.FindStringSubmatch(row.Raw)
	if m == nil {
		return r, fmt.Errorf("row %s is of a record that nobody sent: %q", row.ID, row.Raw)
	}
	r.n, _ = strconv.Atoi(m[1]) // it was matched
	e := storage.Event{Fields: row.Fields}
	if r.generation, err = strconv.ParseUint(e.Get(storage.FieldGeneration), 10, 64); err != nil {
		return r, fmt.Errorf("row %s: %w", row.ID, err)
	}
	if parser := e.Get(storage.FieldParser); strings.HasPrefix(parser, soakPublisher+"/") {
		r.parser, r.digest, r.mark = parser, e.Get(storage.FieldDigest), e.Get(storage.FieldDataset)
	}
	return r, nil
}
