package logs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Quarantined is something that logstorage would have ended the process on, and that Open moved away.
type Quarantined struct {
	Name   string // of the partition ("20260131") or of a part in it ("20260131/datadb/17A…")
	Reason string
	Path   string // where it is now, "" when it was missing
}

// Files without which a part ends the process.
var (
	dataPartFiles  = []string{"columns_header.bin", "index.bin", "message_bloom.bin", "message_values.bin", "metaindex.bin", "timestamps.bin"}
	indexPartFiles = []string{"index.bin", "items.bin", "lens.bin", "metaindex.bin"}
)

// preflight checks every partition the way logstorage reads it, which panics in a goroutine where nobody can recover.
// One broken part of rows goes to quarantine alone; a partition whose index or part list is broken goes as a whole.
func preflight(data, quarantine string, now time.Time) ([]Quarantined, error) {
	partitions := filepath.Join(data, "partitions")
	entries, err := os.ReadDir(partitions)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("checking the log store: %w", err)
	}
	q := &quarantineDir{path: quarantine, suffix: "." + strconv.FormatInt(now.UnixNano(), 36)}
	for _, e := range entries {
		path := filepath.Join(partitions, e.Name())
		if reason := checkPartition(q, e, path); reason != nil {
			if err := q.move(e.Name(), path, reason); err != nil {
				return nil, err
			}
		}
		if q.err != nil {
			return nil, q.err
		}
	}
	return q.moved, nil
}

type quarantineDir struct {
	path, suffix string
	moved        []Quarantined
	err          error
}

func (q *quarantineDir) move(name, path string, reason error) error {
	if err := os.MkdirAll(q.path, 0o700); err != nil {
		return fmt.Errorf("making the quarantine: %w", err)
	}
	to := filepath.Join(q.path, strings.ReplaceAll(name, "/", "-")+q.suffix)
	err := os.Rename(path, to)
	if errors.Is(err, fs.ErrNotExist) {
		to = ""
	} else if err != nil {
		return fmt.Errorf("moving %s to quarantine: %w", name, err)
	}
	q.moved = append(q.moved, Quarantined{Name: name, Reason: reason.Error(), Path: to})
	return nil
}

// checkPartition returns why the whole partition must go; it has then not touched it.
func checkPartition(q *quarantineDir, e os.DirEntry, path string) error {
	if _, err := time.Parse("20060102", e.Name()); err != nil || !e.IsDir() {
		return errors.New("not a partition")
	}
	index, rows := filepath.Join(path, "indexdb"), filepath.Join(path, "datadb")
	if !isDir(index) {
		if isDir(rows) {
			return errors.New("the index is missing")
		}
		return nil // killed while it was being made: logstorage finishes that
	}
	parts, err := readParts(index)
	if err != nil {
		return fmt.Errorf("the index: %w", err)
	}
	for _, part := range parts {
		if err := checkIndexPart(filepath.Join(index, part)); err != nil {
			return fmt.Errorf("the index: part %s: %w", part, err)
		}
	}
	if !isDir(rows) {
		return nil
	}
	if parts, err = readParts(rows); err != nil {
		return fmt.Errorf("the rows: %w", err)
	}
	checkDataParts(q, e.Name(), rows, parts)
	return nil
}

// checkDataParts moves broken parts away and then takes them off the list, in this order: a crash in between is found
// by the next preflight as a missing part. What fails is in q.err.
func checkDataParts(q *quarantineDir, partition, rows string, parts []string) {
	good := make([]string, 0, len(parts))
	for _, part := range parts {
		path := filepath.Join(rows, part)
		err := checkDataPart(path)
		if err == nil {
			good = append(good, part)
			continue
		}
		if q.err = q.move(partition+"/datadb/"+part, path, err); q.err != nil {
			return
		}
	}
	if len(good) == len(parts) {
		return
	}
	list, err := json.Marshal(good)
	if err == nil {
		err = writeFile(filepath.Join(rows, "parts.json"), list)
	}
	if err != nil {
		q.err = fmt.Errorf("taking broken parts off the list of %s: %w", partition, err)
	}
}

func isDir(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

// readParts returns the names in parts.json. A missing list is one of no parts, if there are none.
func readParts(dir string) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(dir, "parts.json"))
	if errors.Is(err, fs.ErrNotExist) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, fmt.Errorf("reading its folder: %w", err)
		}
		if slices.ContainsFunc(entries, fs.DirEntry.IsDir) {
			return nil, errors.New("its list of parts is missing")
		}
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("reading its list of parts: %w", err)
	}
	var parts []string
	if err := json.Unmarshal(text, &parts); err != nil {
		return nil, fmt.Errorf("its list of parts: %w", err)
	}
	for _, part := range parts {
		if part == "" || part != filepath.Base(part) || part == ".." {
			return nil, fmt.Errorf("its list of parts names %q", part)
		}
	}
	return parts, nil
}

func checkDataPart(path string) error {
	var m struct {
		FormatVersion, RowsCount, BlocksCount uint64
		BloomValuesShardsCount                uint64
		MinTimestamp, MaxTimestamp            int64
	}
	if err := readMetadata(path, &m); err != nil {
		return err
	}
	files := slices.Clone(dataPartFiles)
	switch {
	case m.FormatVersion > 3 || m.MinTimestamp > m.MaxTimestamp || m.BlocksCount > m.RowsCount || m.BloomValuesShardsCount > 128:
		return errors.New("its metadata is inconsistent")
	case m.FormatVersion >= 3:
		files = append(files, "column_idxs.bin")
	}
	if m.FormatVersion >= 1 {
		files = append(files, "column_names.bin", "columns_header_index.bin")
	}
	for i := range m.BloomValuesShardsCount {
		n := strconv.FormatUint(i, 10)
		files = append(files, "bloom.bin"+n, "values.bin"+n)
	}
	return checkFiles(path, files)
}

func checkIndexPart(path string) error {
	var m struct{ ItemsCount, BlocksCount uint64 }
	if err := readMetadata(path, &m); err != nil {
		return err
	}
	if m.ItemsCount == 0 || m.BlocksCount == 0 || m.BlocksCount > m.ItemsCount {
		return errors.New("its metadata is inconsistent")
	}
	return checkFiles(path, indexPartFiles)
}

func readMetadata(path string, into any) error {
	text, err := os.ReadFile(filepath.Join(path, "metadata.json"))
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return fmt.Errorf("its metadata: %w", err)
	}
	return nil
}

func checkFiles(path string, names []string) error {
	for _, name := range names {
		st, err := os.Stat(filepath.Join(path, name))
		if err != nil {
			return fmt.Errorf("its files: %w", err)
		}
		if name == "metaindex.bin" && st.Size() == 0 {
			return errors.New("its files: metaindex.bin is empty")
		}
	}
	return nil
}
