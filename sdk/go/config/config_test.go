package config_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/vedette-siem/vedette/sdk/go/config"
)

var difference = config.Difference{State: config.Changed, Added: 2, Removed: 1, Version: "v1", Base: "b", Diff: []byte("+x\n")}

func TestRoundTrip(t *testing.T) {
	b := make([]byte, 100)
	n := config.Encode(b, difference)
	// ABI 18.2: changed, whole, 2 lines added and 1 removed, texts of 2, 1 and 3 bytes.
	want := []byte("\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00v1b+x\n")
	if !bytes.Equal(b[:n], want) {
		t.Errorf("got %q", b[:n])
	}
	if d, err := config.Decode(b[:n]); err != nil || !reflect.DeepEqual(d, difference) {
		t.Errorf("%+v %v", d, err)
	}
}

func FuzzDecode(f *testing.F) {
	b := make([]byte, 100)
	f.Add(b[:config.Encode(b, difference)])
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, err := config.Decode(b); err == nil && len(d.Version)+len(d.Base)+len(d.Diff)+config.Header > len(b) {
			t.Errorf("%d bytes hold %+v", len(b), d)
		}
	})
}
