package pipeline

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/storage"
)

// Checkpoint is everything that recovery needs beside the log itself. Correlation is at Seq; events are in the store
// up to Stored, which is earlier, since the store makes rows durable later. The log is read again from Stored on, so
// Base is what ran there: later control records are still in the log.
type Checkpoint struct {
	Seq       uint64         // last position whose findings are in Correlate and Incidents
	At        int64          // its log time, ns; 0 in what earlier versions wrote
	Stored    uint64         // last position whose events are on disk for certain
	Base      module.Running // what ran after position Stored
	Correlate []byte         // correlate.State
	Incidents []byte         // incident.Fold
	State     []byte         // state.State: what rules with code remember; none in what earlier versions wrote
	Drift     driftState     // what versions did, to be compared with the next

	Due []module.Control // control records that follow from what is before Seq and were not in the log yet
}

const (
	checkpointMagic = "VEDCKPT1"
	checkpointName  = "checkpoint"
)

type checkpointHeader struct {
	Seq       uint64         `json:"seq"`
	Stored    uint64         `json:"stored"`
	Base      module.Running `json:"base"`
	Correlate int            `json:"correlate"`       // bytes
	Incidents int            `json:"incidents"`       // bytes
	State     int            `json:"state,omitempty"` // bytes
	Drift     driftState     `json:"drift,omitzero"`

	Due []module.Control `json:"due,omitempty"`
	At  int64            `json:"at,omitempty"`
}

// head returns what stands before the parts in the file: magic, CRC-32C of the rest, length of the header, header (JSON).
// The parts are the correlation state, the incident state, the module state.
func (c *Checkpoint) head() ([]byte, error) {
	head, err := json.Marshal(checkpointHeader{c.Seq, c.Stored, c.Base, len(c.Correlate), len(c.Incidents), len(c.State), c.Drift, c.Due, c.At})
	if err != nil {
		return nil, fmt.Errorf("encode checkpoint: %w", err)
	}
	b := make([]byte, 0, 16+len(head))
	b = append(b, checkpointMagic...)
	b = append(b, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(head)))
	b = append(b, head...)
	sum := crc32.Checksum(b[12:], castagnoli)
	for _, part := range c.parts() {
		sum = crc32.Update(sum, castagnoli, part)
	}
	binary.LittleEndian.PutUint32(b[8:], sum)
	return b, nil
}

func (c *Checkpoint) parts() [3][]byte { return [...][]byte{c.Correlate, c.Incidents, c.State} }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func decodeCheckpoint(b []byte) (*Checkpoint, error) {
	bad := func(what string) (*Checkpoint, error) {
		return nil, fmt.Errorf("decode checkpoint: %s: %w", what, storage.ErrInvalid)
	}
	if len(b) < 16 || string(b[:8]) != checkpointMagic {
		return bad("not a checkpoint of this version")
	}
	if crc32.Checksum(b[12:], castagnoli) != binary.LittleEndian.Uint32(b[8:]) {
		return bad("checksum differs")
	}
	n := uint64(binary.LittleEndian.Uint32(b[12:]))
	if 16+n > uint64(len(b)) {
		return bad("header is longer than the file")
	}
	var h checkpointHeader
	if err := json.NewDecoder(bytes.NewReader(b[16 : 16+n])).Decode(&h); err != nil {
		return bad("header: " + err.Error())
	}
	rest := b[16+n:]
	most := len(rest)
	if h.Correlate < 0 || h.Incidents < 0 || h.State < 0 || h.Correlate > most || h.Incidents > most || h.State > most ||
		h.Correlate+h.Incidents+h.State != most {
		return bad("parts do not add up to the file")
	}
	return &Checkpoint{
		Seq: h.Seq, At: h.At, Stored: h.Stored, Base: h.Base, Drift: h.Drift, Due: h.Due,
		Correlate: rest[:h.Correlate], Incidents: rest[h.Correlate : h.Correlate+h.Incidents], State: rest[h.Correlate+h.Incidents:],
	}, nil
}

// tables returns the digests of the tables of everything that ran since a start would read the log again.
func (s *sequencer) tables() map[string]bool {
	used := map[string]bool{}
	var before module.Running
	for _, r := range s.p.bases {
		for _, l := range r.Layers.Since(before.Layers) {
			l.Digests(used)
		}
		before = r
	}
	return used
}

// Past returns what ran at each change from where a start would read the log to the newest checkpoint, the oldest first;
// false before there is one of this run.
func (p *Pipeline) Past() ([]module.Running, bool) {
	past := p.past.Load()
	if past == nil {
		return nil, false
	}
	return *past, true
}

// TablesInUse returns the digests of the tables that the log speaks of, from where a start would read it to the newest
// checkpoint; false before there is one of this run. What was set since is younger than any limit.
func (p *Pipeline) TablesInUse() (digests map[string]bool, known bool) {
	used := p.tables.Load()
	if used == nil {
		return nil, false
	}
	return *used, true
}

// writeCheckpoint replaces the checkpoint in dir: after a kill there is either the old or the new one.
func writeCheckpoint(dir string, c *Checkpoint) error {
	head, err := c.head()
	if err != nil {
		return err
	}
	tmp := filepath.Join(dir, checkpointName+".tmp")
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	_, err = f.Write(head)
	for _, part := range c.parts() {
		if err == nil {
			_, err = f.Write(part)
		}
	}
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(tmp, filepath.Join(dir, checkpointName))
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// readCheckpoint returns the checkpoint in dir, nil when there is none. One that cannot be read is an error: starting
// without it would replay a log whose beginning is cut.
func readCheckpoint(dir string) (*Checkpoint, error) {
	path := filepath.Join(dir, checkpointName)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	if info.Size() > MaxCheckpointBytes {
		return nil, fmt.Errorf("read checkpoint %s: %d bytes, at most %d are read: %w", path, info.Size(), int64(MaxCheckpointBytes), storage.ErrExhausted)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read checkpoint: %w", err)
	}
	c, err := decodeCheckpoint(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}
