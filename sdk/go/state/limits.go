package state

import "time"

// Limits bound what one module keeps for one organization. Zero means the default beside the field.
type Limits struct {
	Keys  int // 100,000
	Bytes int // 16 MiB: keys, values and EntryBytes for each
	Calls int // 65,536 in one session
}

// Limits of single calls (sdk/ABI.md 12.2 and 13.2). What exceeds one is answered with Limit and changes nothing.
const (
	MaxKeyBytes   = 512
	MaxValueBytes = 64 << 10
	MaxTTL        = 400 * 24 * time.Hour // of a key, and the longest window
	MaxBuckets    = 64                   // of one count
	MaxExact      = 1024                 // values that Distinct counts one by one
	MaxStep       = 1<<16 - 1            // the highest state of a sequence
)

// EntryBytes is what a key counts for beside its own bytes and those of its value.
const EntryBytes = 128

func (l Limits) withDefaults() Limits {
	if l.Keys == 0 {
		l.Keys = 100_000
	}
	if l.Bytes == 0 {
		l.Bytes = 16 << 20
	}
	if l.Calls == 0 {
		l.Calls = 65_536
	}
	return l
}

// Budget is bytes that several spaces share. Its parent, if there is one, bounds it too.
type Budget struct {
	Max    int
	Parent *Budget
	used   int
}

// Used returns the bytes that are taken.
func (b *Budget) Used() int { return b.used }

func (b *Budget) fits(n int) bool {
	for ; b != nil; b = b.Parent {
		if b.used+n > b.Max {
			return false
		}
	}
	return true
}

func (b *Budget) add(n int) {
	for ; b != nil; b = b.Parent {
		b.used += n
	}
}
