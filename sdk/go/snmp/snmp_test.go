package snmp_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"reflect"
	"regexp"
	"testing"

	"github.com/vedette-siem/vedette/sdk/go/snmp"
)

// golden returns what stands in a file of hexadecimal text with comments.
func golden(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("../../testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`#.*|\s`).ReplaceAll(text, nil)
	b, err := hex.DecodeString(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var vector = []snmp.Variable{
	{OID: "1.3.6.1.2.1.1.1.0", Type: snmp.Text, Bytes: []byte("box")},
	{OID: "1.3.6.1.2.1.2.2.1.7.1", Type: snmp.Int, Number: ^uint64(0)},
	{OID: "1.3", Type: snmp.Absent},
}

// The vector was written by hand from ABI 15.3.
func TestGolden(t *testing.T) {
	want := golden(t, "capabilities/snmp.hex")
	b := make([]byte, 1<<10)
	if got := b[:snmp.Encode(b, vector, true)]; !bytes.Equal(got, want) {
		t.Errorf("got  %x\nwant %x", got, want)
	}
	vars, more, err := snmp.Decode(want)
	if err != nil || !more || !reflect.DeepEqual(vars, vector) || vars[1].Signed() != -1 {
		t.Errorf("%+v %t %v", vars, more, err)
	}
}

func TestEncodeCuts(t *testing.T) {
	b := make([]byte, snmp.Header+snmp.Row+20)
	vars, more, err := snmp.Decode(b[:snmp.Encode(b, vector, false)])
	if err != nil || !more || len(vars) != 1 {
		t.Errorf("%+v %t %v", vars, more, err)
	}
	if snmp.Encode(make([]byte, 3), vector, false) != 0 {
		t.Error("something fits in three bytes")
	}
}

func FuzzDecode(f *testing.F) {
	b := make([]byte, 1<<10)
	f.Add(b[:snmp.Encode(b, vector, true)])
	f.Fuzz(func(t *testing.T, b []byte) {
		vars, more, err := snmp.Decode(b)
		if err != nil {
			return
		}
		out := make([]byte, 64<<10+32*len(b))
		again, _, err := snmp.Decode(out[:snmp.Encode(out, vars, more)])
		if err != nil || len(again) > len(vars) {
			t.Errorf("%v", err)
		}
	})
}
