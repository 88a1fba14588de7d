package list

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/vedette-siem/vedette/sdk/go/table/index"
)

// change makes another list. Shards that it has copied are its own until it is done.
type change struct {
	next *List
	own  map[int]bool // nil: all shards
	nets bool         // the widths are its own
}

func (l *List) change() *change {
	next := *l
	next.shards = slices.Clone(l.shards)
	return &change{next: &next, own: map[int]bool{}}
}

// shard returns the number of the shard of a hash, which may then be changed.
func (c *change) shard(hash uint64) int {
	n := int(hash & uint64(len(c.next.shards)-1))
	if c.own != nil && !c.own[n] {
		c.own[n] = true
		c.next.shards[n] = slices.Clone(c.next.shards[n])
	}
	return n
}

func (c *change) put(key string, e *Entry) {
	h := maphash.String(seed, key)
	n := c.shard(h)
	for i := range c.next.shards[n] {
		if s := &c.next.shards[n][i]; s.hash == h && s.key == key {
			s.entry = e
			return
		}
	}
	c.next.shards[n] = append(c.next.shards[n], slot{h, strings.Clone(key), e})
	c.next.len++
	c.width(key, 1)
	if c.next.len > perShard*len(c.next.shards) {
		c.grow()
	}
}

func (c *change) remove(key string) {
	h := maphash.String(seed, key)
	n := c.shard(h)
	at := slices.IndexFunc(c.next.shards[n], func(s slot) bool { return s.hash == h && s.key == key })
	if at < 0 {
		return
	}
	c.next.shards[n] = slices.Delete(c.next.shards[n], at, at+1)
	c.next.len--
	c.width(key, -1)
}

// grow doubles the shards.
func (c *change) grow() {
	old := c.next.shards
	c.next.shards, c.own = make([][]slot, 2*len(old)), nil
	for _, shard := range old {
		for _, s := range shard {
			n := int(s.hash & uint64(len(c.next.shards)-1))
			c.next.shards[n] = append(c.next.shards[n], s)
		}
	}
}

// width counts a network by the length of its prefix.
func (c *change) width(key string, by int32) {
	if c.next.kind != index.CIDR {
		return
	}
	if !c.nets {
		w := *c.next.widths
		c.next.widths, c.nets = &w, true
	}
	if bits := key[16]; key[17] == 4 {
		c.next.widths.v4[bits] += by
	} else {
		c.next.widths.v6[bits] += by
	}
}

// makeRoom removes entries that have ended, when the list has grown to twice what it was after the last time or is full,
// and then, if it is still full, the oldest.
func (c *change) makeRoom(now int64) (did Changed) {
	if c.next.len < c.next.look && c.next.len <= MaxEntries {
		return did
	}
	did.Ended = c.removeIf(func(e *Entry) bool { return e.Ended(now) })
	if c.next.len > MaxEntries {
		all := c.next.Entries()
		slices.SortStableFunc(all, func(a, b *Entry) int { return cmp.Compare(a.At, b.At) })
		gone := map[*Entry]bool{}
		for _, e := range all[:c.next.len-MaxEntries+roomMade] {
			gone[e] = true
		}
		did.Evicted = c.removeIf(func(e *Entry) bool { return gone[e] })
	}
	c.next.look = max(firstLooked, 2*c.next.len)
	return did
}

func (c *change) removeIf(gone func(*Entry) bool) int {
	was := c.next.len
	for n, shard := range c.next.shards {
		if !slices.ContainsFunc(shard, func(s slot) bool { return gone(s.entry) }) {
			continue
		}
		var kept []slot
		for _, s := range shard {
			if gone(s.entry) {
				c.next.len--
				c.width(s.key, -1)
			} else {
				kept = append(kept, s)
			}
		}
		c.next.shards[n] = kept
		if c.own != nil {
			c.own[n] = true
		}
	}
	return was - c.next.len
}
