package runtime

import (
	"context"
	"encoding/binary"

	"github.com/tetratelabs/wazero/api"

	"github.com/vedette-siem/vedette/sdk/go/table/index"
)

// Tables are those of an organization, as they are at the position of a batch. It is called by the goroutine that runs
// the module; nil is returned for a table that there is none of.
type Tables interface {
	Table(name string) *index.Table
}

// sets is the import module vedette_set_v1, lookups vedette_lookup_v1 (ABI 14).
var (
	sets    = map[string]function{"match": {"iiiii", "i", setMatch}}
	lookups = map[string]function{"get": {"iiiiii", "i", lookupGet}}
)

// cellBytes is the size of a key's place: address and length.
const cellBytes = 8

// table returns a table that was granted, nil when none of that name was. A granted one that the organization has not is
// empty, which a host does not let happen but in trials.
func (i *instance) table(name []byte) (t *index.Table, granted bool) {
	for _, n := range i.mod.spec.Tables {
		if n == string(name) {
			if i.env.Tables != nil {
				t = i.env.Tables.Table(n)
			}
			return t, true
		}
	}
	return nil, false
}

func setMatch(ctx context.Context, guest api.Module, s []uint64) {
	i := instanceOf(ctx)
	name, n := bytesAt(guest, s[0], s[1]), s[3]
	i.charge(chargeCall)
	t, granted := i.table(name)
	switch {
	case !granted:
		code(s, index.Denied)
		return
	case n > index.MaxKeys:
		code(s, index.Limit)
		return
	}
	cells, out := bytesAt(guest, s[2], n*cellBytes), bytesAt(guest, s[4], (n+7)/8)
	i.charge(int64(n) * chargeKey)
	found := int32(0)
	var bits [index.MaxKeys / 8]byte // out may overlap what is still to be read
	for k := range int(n) {
		cell := cells[k*cellBytes:]
		key := bytesAt(guest, uint64(binary.LittleEndian.Uint32(cell)), uint64(binary.LittleEndian.Uint32(cell[4:])))
		if _, ok := t.Find(key); ok {
			bits[k/8] |= 1 << (k % 8)
			found++
		}
	}
	copy(out, bits[:])
	code(s, found)
}

func lookupGet(ctx context.Context, guest api.Module, s []uint64) {
	i := instanceOf(ctx)
	name, key, out := bytesAt(guest, s[0], s[1]), bytesAt(guest, s[2], s[3]), bytesAt(guest, s[4], s[5])
	i.charge(chargeKey)
	t, granted := i.table(name)
	n := index.Denied
	switch {
	case granted && t == nil:
		n = index.Absent
	case granted:
		n = t.Get(key, out)
	}
	i.charge(int64(max(n, 0)) >> chargeByteShift)
	code(s, n)
}
