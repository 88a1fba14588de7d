// Package index finds keys in tables: the one implementation of vedette_set_v1 and vedette_lookup_v1 (sdk/ABI.md 14).
//
// A table is immutable, so any number of callers may read it at once. A host keeps the tables of an organization, and the
// native tests of a module set Native.
package index

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unsafe"
)

// Kind says how a table's keys are compared.
type Kind string

// The kinds of table.
const (
	Exact  Kind = "exact"  // byte for byte
	NoCase Kind = "nocase" // without regard to the case of ASCII letters
	CIDR   Kind = "cidr"   // keys are addresses and networks; an address is found in the narrowest network that holds it
	Domain Kind = "domain" // keys are domains; a name is found in the longest domain that is the name or ends it
)

// Limits of a table.
const (
	MaxRows      = 1_000_000
	MaxColumns   = 32
	MaxKeyBytes  = 512
	MaxCellBytes = 4 << 10
	MaxNameBytes = 128 // of a column
)

// The negative results of the imports (ABI 14.4).
const (
	Limit  int32 = -1 // a bound of 14.2
	Absent int32 = -2 // the key is in no row
	Short  int32 = -3 // the row is longer than the room for it
	Denied int32 = -4 // no such table was granted
)

// MaxKeys bounds the keys of one match.
const MaxKeys = 1024

// Native holds the tables of a module that runs natively, in tests, by name.
var Native map[string]*Table

// Table is rows by their keys. The first column is the key.
type Table struct {
	kind    Kind
	columns []string
	cells   []string // row after row
	rows    map[string]int32
	nets    map[netip.Prefix]int32
	v4, v6  []int // prefix lengths that there are, the longest first
	twice   int
}

// New makes a table of columns and rows, which it keeps. Of several rows with one key the first counts. The error names
// the row, by its number from 1, and what is wrong with it.
func New(kind Kind, columns []string, rows [][]string) (*Table, error) {
	t := &Table{kind: kind, columns: columns, cells: make([]string, 0, len(rows)*len(columns))}
	if err := t.checkShape(len(rows)); err != nil {
		return nil, err
	}
	if kind == CIDR {
		t.nets = make(map[netip.Prefix]int32, len(rows))
	} else {
		t.rows = make(map[string]int32, len(rows))
	}
	for n, row := range rows {
		if len(row) != len(columns) {
			return nil, fmt.Errorf("row %d: %d cells, want %d", n+1, len(row), len(columns))
		}
		for i, cell := range row {
			if len(cell) > MaxCellBytes {
				return nil, fmt.Errorf("row %d, %s: %d bytes, at most %d are allowed", n+1, columns[i], len(cell), MaxCellBytes)
			}
		}
		if err := t.add(int32(n), row[0]); err != nil {
			return nil, fmt.Errorf("row %d: %w", n+1, err)
		}
		t.cells = append(t.cells, row...)
	}
	t.widths()
	return t, nil
}

func (t *Table) checkShape(rows int) error {
	switch t.kind {
	case Exact, NoCase, CIDR, Domain:
	default:
		return fmt.Errorf("kind %q: want exact, nocase, cidr or domain", t.kind)
	}
	if len(t.columns) == 0 || len(t.columns) > MaxColumns {
		return fmt.Errorf("%d columns, want 1 to %d", len(t.columns), MaxColumns)
	}
	if rows > MaxRows {
		return fmt.Errorf("%d rows, at most %d are allowed", rows, MaxRows)
	}
	for i, c := range t.columns {
		if c == "" || len(c) > MaxNameBytes {
			return fmt.Errorf("column %d: a name of %d bytes, want 1 to %d", i+1, len(c), MaxNameBytes)
		}
		if slices.Contains(t.columns[:i], c) {
			return fmt.Errorf("column %s stands there twice", c)
		}
	}
	return nil
}

func (t *Table) add(n int32, key string) error {
	if key == "" || len(key) > MaxKeyBytes {
		return fmt.Errorf("a key of %d bytes, want 1 to %d", len(key), MaxKeyBytes)
	}
	switch t.kind {
	case CIDR:
		p, err := network(key)
		if err != nil {
			return err
		}
		if _, there := t.nets[p]; there {
			t.twice++
			return nil
		}
		t.nets[p] = n
		return nil
	case NoCase:
		key = lower(key)
	case Domain:
		if key = domain(key); key == "" {
			return fmt.Errorf("the key is no domain")
		}
	}
	if _, there := t.rows[key]; there {
		t.twice++
		return nil
	}
	t.rows[key] = n
	return nil
}

// network reads an address or a network.
func network(key string) (netip.Prefix, error) {
	if strings.Contains(key, "/") {
		p, err := netip.ParsePrefix(key)
		if err != nil {
			return p, fmt.Errorf("%q is no network", key)
		}
		if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
		}
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(key)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is neither an address nor a network", key)
	}
	a = a.Unmap().WithZone("")
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// domain takes off what people write around a domain: "*.Example.com." is example.com.
func domain(key string) string {
	key = strings.TrimSuffix(lower(key), ".")
	return strings.TrimPrefix(strings.TrimPrefix(key, "*"), ".")
}

// lower returns s with small ASCII letters; the others are left alone, so that no two keys become one by the rules of a
// language.
func lower(s string) string {
	for i := range len(s) {
		if c := s[i]; c-'A' < 26 {
			return string(lowered([]byte(s)))
		}
	}
	return s
}

func lowered(b []byte) []byte {
	for i, c := range b {
		if c-'A' < 26 {
			b[i] = c | 0x20
		}
	}
	return b
}

// widths notes which prefix lengths there are.
func (t *Table) widths() {
	for p := range t.nets {
		list := &t.v6
		if p.Addr().Is4() {
			list = &t.v4
		}
		if !slices.Contains(*list, p.Bits()) {
			*list = append(*list, p.Bits())
		}
	}
	for _, list := range [][]int{t.v4, t.v6} {
		slices.SortFunc(list, func(a, b int) int { return b - a })
	}
}

// Kind returns how keys are compared.
func (t *Table) Kind() Kind { return t.kind }

// Columns returns the names of the columns, which the caller must not change.
func (t *Table) Columns() []string { return t.columns }

// Len returns the number of rows.
func (t *Table) Len() int { return len(t.cells) / len(t.columns) }

// Twice returns how many rows have the key of an earlier one, and are never found.
func (t *Table) Twice() int { return t.twice }

// Row returns the cells of a row, which the caller must not change.
func (t *Table) Row(n int) []string { return t.cells[n*len(t.columns) : (n+1)*len(t.columns)] }

// Find returns the row of a key. What is no key of the table's kind, such as a name in a table of networks, is in none.
func (t *Table) Find(key []byte) (row int, ok bool) {
	if t == nil || len(key) == 0 || len(key) > MaxKeyBytes {
		return 0, false
	}
	var n int32
	switch t.kind {
	case Exact:
		n, ok = t.rows[string(key)]
	case NoCase:
		var buf [MaxKeyBytes]byte
		n, ok = t.rows[string(lowered(append(buf[:0], key...)))]
	case CIDR:
		n, ok = t.findNetwork(key)
	case Domain:
		n, ok = t.findDomain(key)
	}
	return int(n), ok
}

func (t *Table) findNetwork(key []byte) (int32, bool) {
	a, err := netip.ParseAddr(unsafe.String(unsafe.SliceData(key), len(key))) // it keeps no part of it but a zone
	if err != nil {
		return 0, false
	}
	a = a.Unmap().WithZone("")
	list := t.v6
	if a.Is4() {
		list = t.v4
	}
	for _, bits := range list {
		p, err := a.Prefix(bits)
		if err != nil {
			continue
		}
		if n, ok := t.nets[p]; ok {
			return n, true
		}
	}
	return 0, false
}

func (t *Table) findDomain(key []byte) (int32, bool) {
	var buf [MaxKeyBytes]byte
	name := lowered(append(buf[:0], key...))
	if name[len(name)-1] == '.' {
		name = name[:len(name)-1]
	}
	for len(name) > 0 {
		if n, ok := t.rows[string(name)]; ok {
			return n, true
		}
		dot := 0
		for dot < len(name) && name[dot] != '.' {
			dot++
		}
		name = name[min(dot+1, len(name)):]
	}
	return 0, false
}

// Sizes of an encoded row (ABI 14.3).
const (
	RowHeader = 8
	RowCell   = 16
)

// Get writes the row of a key to out (ABI 14.3) and returns its length; Limit, Absent or Short otherwise.
func (t *Table) Get(key, out []byte) int32 {
	if len(key) > MaxKeyBytes {
		return Limit
	}
	n, ok := t.Find(key)
	if !ok {
		return Absent
	}
	return Encode(out, t.columns, t.Row(n))
}

// Encode writes a row and returns its length, or Short.
func Encode(out []byte, columns, cells []string) int32 {
	at := RowHeader + RowCell*len(columns)
	size := at
	for i := range columns {
		size += len(columns[i]) + len(cells[i])
	}
	if size > len(out) {
		return Short
	}
	le := binary.LittleEndian
	le.PutUint32(out, uint32(len(columns)))
	le.PutUint32(out[4:], 0)
	for i := range columns {
		head := out[RowHeader+RowCell*i:]
		for k, text := range [2]string{columns[i], cells[i]} {
			le.PutUint32(head[8*k:], uint32(at))
			le.PutUint32(head[8*k+4:], uint32(len(text)))
			at += copy(out[at:], text)
		}
	}
	return int32(size)
}
