// Package migrate takes over what an earlier version of a rule has kept in another way (ABI 19): the host hands its keys
// over page by page, and what the rule makes of them is its state from then on.
//
// The manifest names the oldest version that can be read, "state: {version: 3, compatible_from: 1}", and the module
// registers one function:
//
//	func init() { migrate.Register(func(from uint32, k migrate.Key, to *migrate.Keys) error { … }) }
//
// It sees one key at a time, and neither records nor the calls of packages keys and window. The state that it reads stays
// as it was until the new version has proven itself, so that one can go back to it; when it fails, all of it stays.
package migrate

import (
	"time"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
)

// Kind says what keeps a key.
type Kind uint32

// The kinds. The value of any but Value is opaque: such a key is kept as it is, renamed or left out.
const (
	Value    = Kind(abi.KeyValue)    // package keys
	Count    = Kind(abi.KeyCount)    // window.Count
	Distinct = Kind(abi.KeyDistinct) // window.Distinct
	Seen     = Kind(abi.KeySeen)     // window.FirstSeen
	Step     = Kind(abi.KeyStep)     // window.Step
	Timer    = Kind(abi.KeyTimer)    // package timer: it ends when it is due
)

// Key is one key of the state before. Its texts are valid during the call.
type Key struct {
	Kind  Kind
	Name  []byte
	Value []byte
	ends  int64
}

// Func makes keys of this version of one key of the state version from. What it does not put is left out. An error ends
// the migration: the version before goes on with all that it kept.
type Func func(from uint32, k Key, to *Keys) error

//nolint:unused // export_wasm.go reads it, which is compiled for wasip1 only
var registered Func

// Register makes f the module's migration.
func Register(f Func) { registered = f }

// Keys takes the keys of this version. Of two under one name the later one counts.
type Keys struct {
	enc  abi.KeysEncoder
	at   int64
	full bool
}

// Keep takes a key over as it is.
func (t *Keys) Keep(k Key) { t.add(k.Kind, k.Name, k.Value, k.ends) }

// Rename takes a key over under another name.
func (t *Keys) Rename(k Key, name []byte) { t.add(k.Kind, name, k.Value, k.ends) }

// Replace takes a key of package keys over with another name and value; it ends when k does.
func (t *Keys) Replace(k Key, name, value []byte) { t.add(Value, name, value, k.ends) }

// Put adds a key of package keys that lives for ttl of log time from now; keys.Forever is 0.
func (t *Keys) Put(name, value []byte, ttl time.Duration) {
	ends := int64(abi.NoEnd)
	if ttl != 0 {
		ends = t.at + int64(ttl)
	}
	t.add(Value, name, value, ends)
}

func (t *Keys) add(kind Kind, name, value []byte, ends int64) {
	if !t.enc.Add(abi.Key{Kind: uint32(kind), Ends: ends, Name: name, Value: value}) {
		t.full = true
	}
}

// Run answers a page of keys with another, as the guest's vedette_migrate does. It is the native path of tests.
func Run(f Func, in []byte, b *sdk.Buffers) (abi.Status, []byte) {
	s, n := run(f, in, b)
	return s, b.Out[:n]
}

func run(f Func, in []byte, b *sdk.Buffers) (abi.Status, int) {
	page, err := abi.DecodeKeys(in)
	if err != nil {
		return abi.StatusBadInput, 0
	}
	tables := len(b.Out) / 4 &^ 7
	to := &Keys{at: page.At}
	to.enc.Begin(b.Out[:tables:len(b.Out)], b.Out[tables:])
	for i := range page.Len {
		k := page.Key(i)
		if err := f(page.Version, Key{Kind(k.Kind), k.Name, k.Value, k.Ends}, to); err != nil {
			text := err.Error()
			return abi.StatusFailed, copy(b.Out, text[:min(len(text), abi.MaxMessageBytes)])
		}
		if to.full {
			return abi.StatusOutTooShort, 0
		}
	}
	n, ok := to.enc.Finish(0, 0)
	if !ok {
		return abi.StatusOutTooShort, 0
	}
	return abi.StatusOK, n
}
