package correlate

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sort"

	"github.com/vedette-siem/vedette/storage"
)

// A snapshot is: magic, then everything in a fixed order as varints and length-prefixed text, then the CRC-32C of all
// before it. Chains ahead of the watermark are not written: they follow from what is settled and pending.
// The third version did not tell what led to a stage, and had one pool of peers for all sub-patterns of a rule.
const (
	snapshotMagic = "vedette correlate 4\n"
	thirdMagic    = "vedette correlate 3\n"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Append appends a snapshot of the state to b. The same state gives the same bytes.
func (s *State) Append(b []byte) []byte {
	from := len(b)
	e := &encoder{b: append(b, snapshotMagic...)}
	e.uint(s.seq)
	e.int(s.logTime)
	e.uint(uint64(len(s.order)))
	for _, t := range s.order {
		e.tenant(t)
	}
	return binary.LittleEndian.AppendUint32(e.b, crc32.Checksum(e.b[from:], castagnoli))
}

type encoder struct{ b []byte }

func (e *encoder) uint(v uint64) { e.b = binary.AppendUvarint(e.b, v) }

func (e *encoder) int(v int64) { e.b = binary.AppendVarint(e.b, v) }

func (e *encoder) text(s string) {
	e.uint(uint64(len(s)))
	e.b = append(e.b, s...)
}

func (e *encoder) id(id storage.EventID) {
	e.uint(id.Seq)
	e.uint(uint64(id.Shard))
	e.uint(uint64(id.Segment))
	e.uint(uint64(id.Record))
	e.uint(uint64(id.Ordinal))
}

func (e *encoder) tenant(t *tenant) {
	e.uint(uint64(t.id))
	e.int(t.clock.frontier)
	e.int(t.clock.swept)
	e.int(t.moved)
	names := make([]string, 0, len(t.clock.sources))
	for n := range t.clock.sources {
		names = append(names, n)
	}
	sort.Strings(names)
	e.uint(uint64(len(names)))
	for _, n := range names {
		e.text(n)
		e.int(t.clock.sources[n].newest)
		e.int(t.clock.sources[n].seen)
	}
	e.uint(uint64(len(t.order)))
	for _, tb := range t.order {
		e.table(tb)
	}
}

func (e *encoder) table(tb *table) {
	e.text(tb.prog.rule.ID)
	e.uint(tb.prog.shape)
	e.uint(uint64(len(tb.prog.subs)))
	for _, h := range tb.prog.subs {
		e.uint(h)
	}
	e.int(tb.watermark)
	e.uint(uint64(tb.lost.keys))
	e.uint(uint64(tb.lost.undecided))
	e.int(tb.lost.oldest)
	e.int(tb.reported)
	e.uint(uint64(len(tb.prog.pool)))
	for _, peers := range sortedKeys(tb.prog.pool) {
		e.text(peers)
		e.slots(*tb.prog.pool[peers])
	}
	e.uint(uint64(len(tb.machines)))
	for level := range tb.levels {
		for mc := tb.levels[level].head; mc != nil; mc = mc.links[inTable].next {
			e.uint(uint64(level))
			e.machine(mc)
		}
	}
}

func (e *encoder) machine(mc *machine) {
	e.text(mc.key)
	e.int(mc.first)
	e.int(mc.until)
	e.int(mc.due) // which may be earlier than what follows from the rest
	e.uint(uint64(mc.lead))
	switch c := mc.settled.(type) {
	case *chain:
		e.uint(chainRun)
		e.chain(c)
	case *growth:
		e.uint(treeRun)
		e.growth(c)
	}
	e.uint(uint64(len(mc.pending)))
	for i := range mc.pending {
		m := &mc.pending[i]
		e.int(m.time)
		e.id(m.id)
		e.uint(m.subs)
		e.texts(m.vals)
	}
	e.uint(uint64(len(mc.about)))
	for i := range mc.about {
		e.text(mc.about[i].field)
		e.text(mc.about[i].value)
		e.int(mc.about[i].time)
	}
	e.uint(uint64(len(mc.traces)))
	for i := range mc.traces {
		e.int(mc.traces[i].time)
		e.id(mc.traces[i].id)
		e.uint(uint64(len(mc.traces[i].events)))
		for _, x := range mc.traces[i].events {
			e.id(x.ID)
			e.int(x.Time)
		}
	}
}

// The runs of a snapshot.
const (
	chainRun = iota
	treeRun
)

func (e *encoder) chain(c *chain) {
	e.uint(uint64(len(c.rings)))
	for _, r := range c.rings {
		e.uint(uint64(len(r)))
		for i := range r {
			e.int(r[i].time)
			e.id(r[i].id)
			e.text(r[i].val)
		}
	}
	e.uint(uint64(len(c.held)))
	for i := range c.held {
		e.held(&c.held[i])
	}
}

func (e *encoder) held(h *held) {
	if !h.set {
		e.uint(0)
		return
	}
	e.uint(1)
	e.int(h.time)
	e.id(h.id)
	e.texts(h.vals)
	e.flag(h.saw != nil)
	if h.saw != nil {
		e.uint(uint64(h.saw.count))
		e.uint(uint64(len(h.saw.events)))
		for _, x := range h.saw.events {
			e.int(x.time)
			e.id(x.id)
		}
	}
	e.flag(h.led != nil)
	if h.led != nil {
		e.held(h.led)
	}
}

func (e *encoder) texts(v []string) {
	e.uint(uint64(len(v)))
	for _, s := range v {
		e.text(s)
	}
}

// ErrSnapshot marks a snapshot that is damaged, or of another version.
var ErrSnapshot = errors.New("not a snapshot of correlation state")

// decoder keeps the first fault and returns zero values after it. Nothing is allocated by a length before as many bytes
// have been read.
type decoder struct {
	r     *bufio.Reader
	crc   uint32
	err   error
	third bool // it is of the third version
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: "+format, append([]any{ErrSnapshot}, args...)...)
	}
}

func (d *decoder) ReadByte() (byte, error) {
	b, err := d.r.ReadByte()
	if err == nil {
		d.crc = crc32.Update(d.crc, castagnoli, []byte{b})
	}
	return b, err
}

func (d *decoder) uint() uint64 {
	if d.err != nil {
		return 0
	}
	v, err := binary.ReadUvarint(d)
	if err != nil {
		d.fail("%v", err)
	}
	return v
}

// count reads a number that may not be over limit.
func (d *decoder) count(what string, limit int) int {
	n := d.uint()
	if n > uint64(limit) {
		d.fail("%d %s, the limit is %d", n, what, limit)
		return 0
	}
	return int(n)
}

// time reads a time whose differences to others cannot overflow.
func (d *decoder) time() int64 {
	if d.err != nil {
		return 0
	}
	v, err := binary.ReadVarint(d)
	if err != nil || v < never-1 || v > -never {
		d.fail("time %d: %v", v, err)
		return 0
	}
	return v
}

func (d *decoder) fixed(n int) string {
	if d.err != nil {
		return ""
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(d.r, b); err != nil {
		d.fail("%v", err)
		return ""
	}
	d.crc = crc32.Update(d.crc, castagnoli, b)
	return string(b)
}

func (d *decoder) text() string { return d.fixed(d.count("bytes of text", MaxSnapshotString)) }

func (d *decoder) texts() (v []string) {
	for range d.count("values", 4096) {
		v = append(v, d.text())
	}
	return v
}

func (d *decoder) id() storage.EventID {
	return storage.EventID{
		Seq: d.uint(), Shard: uint16(d.count("shard", 1<<16-1)), Segment: uint16(d.count("segment", 1<<16-1)),
		Record: uint32(d.count("record", 1<<32-1)), Ordinal: uint16(d.count("ordinal", 1<<16-1)),
	}
}
