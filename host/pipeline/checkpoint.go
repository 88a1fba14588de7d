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
	Stored    uint64         // last position whose events are on disk for certain
	Base      module.Running // what ran after position Stored
	Correlate []byte         // correlate.State
	Incidents []byte         // incident.Fold
}

const (
	checkpointMagic = "VEDCKPT1"
	checkpointName  = "checkpoint"
)

type checkpointHeader struct {
	Seq       uint64         `json:"seq"`
	Stored    uint64         `json:"stored"`
	Base      module.Running `json:"base"`
	Correlate int            `json:"correlate"` // bytes
	Incidents int            `json:"incidents"` // bytes
}

// encode returns magic, CRC-32C of the rest, length of the header, header (JSON), correlation state, incident state.
func (c *Checkpoint) encode() ([]byte, error) {
	head, err := json.Marshal(checkpointHeader{c.Seq, c.Stored, c.Base, len(c.Correlate), len(c.Incidents)})
	if err != nil {
		return nil, fmt.Errorf("encode checkpoint: %w", err)
	}
	b := make([]byte, 0, 16+len(head)+len(c.Correlate)+len(c.Incidents))
	b = append(b, checkpointMagic...)
	b = append(b, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(head)))
	b = append(b, head...)
	b = append(b, c.Correlate...)
	b = append(b, c.Incidents...)
	binary.LittleEndian.PutUint32(b[8:], crc32.Checksum(b[12:], castagnoli))
	return b, nil
}

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
	if h.Correlate < 0 || h.Incidents < 0 || h.Correlate > len(rest) || h.Incidents != len(rest)-h.Correlate {
		return bad("parts do not add up to the file")
	}
	return &Checkpoint{
		Seq: h.Seq, Stored: h.Stored, Base: h.Base,
		Correlate: rest[:h.Correlate], Incidents: rest[h.Correlate:],
	}, nil
}

// writeCheckpoint replaces the checkpoint in dir: after a kill there is either the old or the new one.
func writeCheckpoint(dir string, b []byte) error {
	tmp := filepath.Join(dir, checkpointName+".tmp")
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	_, err = f.Write(b)
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
