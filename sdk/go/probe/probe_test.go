package probe_test

import (
	"reflect"
	"testing"

	"github.com/vedette-siem/vedette/sdk/go/probe"
)

func TestRoundTrip(t *testing.T) {
	b := make([]byte, 24)
	n := probe.Encode(b, []probe.Fact{{Name: "a", Value: "1"}, {Name: "a", Value: "t\x00wo"}, {Name: "long", Value: "that does not fit"}})
	if string(b[:n]) != "a\x001\x00a\x00two\x00" {
		t.Errorf("got %q", b[:n])
	}
	f, err := probe.Decode(b[:n])
	if err != nil || f.Get("a") != "1" || !reflect.DeepEqual(f.All("a"), []string{"1", "two"}) || f.Int("a") != 1 || f.Int("b") != 0 {
		t.Errorf("%v %v", f, err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("a\x001\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		facts, err := probe.Decode(b)
		if err != nil {
			return
		}
		out := make([]byte, len(b))
		if n := probe.Encode(out, facts); string(out[:n]) != string(b) {
			t.Errorf("%q became %q", b, out[:n])
		}
	})
}
