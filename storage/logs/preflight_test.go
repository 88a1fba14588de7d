package logs_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
	"github.com/vedette-siem/vedette/storage/storagetest"
)

// What ends the process of logstorage is moved away before, and the other days stay.
func TestPreflight(t *testing.T) {
	write := func(text string) func(string) error {
		return func(path string) error { return os.WriteFile(path, []byte(text), 0o600) }
	}
	for _, c := range []struct {
		name     string
		path     string // in the partition of yesterday; * is the first part
		damage   func(path string) error
		moved    []string // suffixes of Quarantined.Name
		rowsLeft int      // of 2 days, one row each
	}{
		{"nothing broken", "", nil, nil, 2},
		{"the index is missing", "indexdb", os.RemoveAll, []string{""}, 1},
		{"the index has no list", "indexdb/parts.json", os.Remove, []string{""}, 1},
		{"the index list is torn", "indexdb/parts.json", write(`["17`), []string{""}, 1},
		{"an index part is missing", "indexdb/*", os.RemoveAll, []string{""}, 1},
		{"an index part has no items", "indexdb/*/items.bin", os.Remove, []string{""}, 1},
		{"an index part has empty metadata", "indexdb/*/metadata.json", write(``), []string{""}, 1},
		{"an index part has wrong metadata", "indexdb/*/metadata.json", write(`{"ItemsCount":0}`), []string{""}, 1},
		{"the list of rows is missing", "datadb/parts.json", os.Remove, []string{""}, 1},
		{"the list of rows is empty", "datadb/parts.json", write(``), []string{""}, 1},
		{"the list of rows leads outside", "datadb/parts.json", write(`["../../x"]`), []string{""}, 1},
		{"a part is missing, as after a kill during deletion", "datadb/*", os.RemoveAll, []string{"/datadb/"}, 1},
		{"a part has empty metadata, as after a power cut", "datadb/*/metadata.json", write(``), []string{"/datadb/"}, 1},
		{"a part is of a newer version", "datadb/*/metadata.json", write(`{"FormatVersion":99}`), []string{"/datadb/"}, 1},
		{"a part misses values", "datadb/*/message_values.bin", os.Remove, []string{"/datadb/"}, 1},
		{"a part has an empty index", "datadb/*/metaindex.bin", write(``), []string{"/datadb/"}, 1},
		{"all rows are missing", "datadb", os.RemoveAll, nil, 1},
		{"a foreign folder", "../lost+found", func(p string) error { return os.Mkdir(p, 0o700) }, []string{"lost+found"}, 2},
		{"a foreign file", "../x", write("x"), []string{"x"}, 2},
		{"half a deletion", "", func(p string) error { return os.RemoveAll(filepath.Join(p, "indexdb")) }, []string{""}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s, err := logs.Open(t.Context(), logs.Config{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			yesterday := time.Now().Add(-24 * time.Hour)
			storagetest.Put(t, s, storagetest.Event(1, 0, 1, time.Now(), "today"), storagetest.Event(1, 1, 1, yesterday, "yesterday"))
			if _, err := s.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			partition := yesterday.UTC().Format("20060102")
			if c.damage != nil {
				if err := c.damage(part(t, filepath.Join(dir, "data", "partitions", partition), c.path)); err != nil {
					t.Fatal(err)
				}
			}
			s = open(t, logs.Config{Dir: dir})
			if rows := storagetest.Search(t, s, storagetest.Analyst(1), logs.Query{}); len(rows) != c.rowsLeft {
				t.Errorf("%d rows left, want %d", len(rows), c.rowsLeft)
			}
			moved := s.Opened().Quarantined
			if len(moved) != len(c.moved) {
				t.Fatalf("moved %+v, want %q", moved, c.moved)
			}
			for i, q := range moved {
				if !strings.Contains(q.Name, c.moved[i]) || q.Reason == "" {
					t.Errorf("moved %+v", q)
				}
				if _, err := os.Stat(q.Path); q.Path != "" && err != nil {
					t.Error(err)
				}
			}
			// The log has the rows: the day takes them again.
			storagetest.Put(t, s, storagetest.Event(1, 1, 1, yesterday, "yesterday"))
			if rows := storagetest.Search(t, s, storagetest.Analyst(1), logs.Query{}); len(rows) != 2 {
				t.Errorf("%d rows after the replay", len(rows))
			}
		})
	}
}

// part puts the name of the first part for the star.
func part(t *testing.T, partition, path string) string {
	t.Helper()
	before, after, found := strings.Cut(path, "*")
	if !found {
		return filepath.Join(partition, path)
	}
	entries, err := os.ReadDir(filepath.Join(partition, before))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(entries, os.DirEntry.IsDir)
	return filepath.Join(partition, before, entries[i].Name(), after)
}

// A clock that jumped ahead deletes nothing until it was true for an hour.
func TestClockJump(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	cfg := logs.Config{Dir: dir, RetentionDays: 2, Now: c.now}
	run := func(between time.Duration, wantJump time.Duration) {
		t.Helper()
		s, err := logs.Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if jump := s.Opened().ClockJump.Round(time.Hour); jump != wantJump {
			t.Errorf("jump %v, want %v", jump, wantJump)
		}
		e := storagetest.Event(1, 0, 1, time.Now(), "x")
		if err := s.Append(t.Context(), 1, []storage.Event{e}); err != nil {
			t.Fatal(err)
		}
		if d := s.Stats().Dropped; d != (logs.Dropped{}) {
			t.Errorf("dropped %+v", d)
		}
		c.advance(between)
		if _, err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	run(time.Minute, 0)
	c.advance(20 * time.Hour)
	run(time.Minute, 0)
	c.advance(240 * time.Hour)
	run(time.Minute, 240*time.Hour) // not believed
	run(time.Minute, 240*time.Hour)
	run(2*time.Hour, 240*time.Hour)
	c.advance(-264 * time.Hour)
	run(time.Minute, -264*time.Hour)
	if err := os.WriteFile(filepath.Join(dir, "clock"), []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(time.Minute, 0)
}
