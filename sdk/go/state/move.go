package state

import (
	"errors"
	"fmt"

	"github.com/vedette-siem/vedette/sdk/go/abi"
)

// ErrRoom is wrapped by what Take refuses because of a quota.
var ErrRoom = errors.New("E_LIMIT: there is no room for it")

// spans is how many bytes behind the name distinguish the keys of a kind: window and bucket, or the window. In a page of
// keys they stand before the value, so that a module may give the key another name.
var spans = [kinds]int{kindCount: 16, kindDistinct: 8}

// Each calls f with every key, in the order of a snapshot, until it returns false. f must not keep the texts. There must
// be no open session.
func (s *Space) Each(f func(abi.Key) bool) {
	var buf []byte
	for _, e := range s.sorted() {
		at := len(e.key) - spans[e.kind]
		value := e.value
		if spans[e.kind] > 0 {
			buf = append(append(buf[:0], e.key[at:]...), value...)
			value = buf
		}
		if !f(abi.Key{Kind: uint32(e.kind), Ends: e.expires, Name: []byte(e.key[:at]), Value: value}) {
			return
		}
	}
}

// Take puts a key that Each has given, as a module has changed it, in the place of what is there under its name. One
// that has ended is left out; a timer whose time has come is due next. There is an open session, of a space that is freed when this fails. Errors wrap ErrRoom, or
// say why no call can have left such a key.
func (s *Space) Take(k abi.Key) error {
	if k.Kind >= uint32(kinds) || !goodKey(k.Name) || len(k.Value) < spans[k.Kind] {
		return errors.New("it is no key of any kind")
	}
	n := spans[k.Kind]
	e := &entry{kind: kind(k.Kind), key: string(k.Name) + string(k.Value[:n]), value: append([]byte(nil), k.Value[n:]...), expires: k.Ends}
	endless := e.kind == kindValue && k.Ends == forever
	if !endless && k.Ends > s.now+2*int64(MaxTTL) || len(e.value) > maxStored || !e.wellFormed() {
		return fmt.Errorf("no call leaves such a key: kind %d, %d bytes, end at %d", k.Kind, len(k.Value), k.Ends)
	}
	switch {
	case k.Ends > s.now:
	case e.kind == kindTimer: // it is due
		e.expires = s.now + 1
	default:
		return nil
	}
	if old := s.find(e.kind, []byte(e.key)); old != nil {
		s.remove(old)
	}
	if !s.room(e.size(), 1, e.kind, nil) {
		return ErrRoom
	}
	s.attach(e)
	return nil
}
