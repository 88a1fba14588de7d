package ssh_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/vedette-siem/vedette/sdk/go/ssh"
)

var result = ssh.Result{Exit: -1, ElapsedNs: 5, Cut: true, Out: []byte("out"), Err: []byte("err")}

func TestRoundTrip(t *testing.T) {
	b := make([]byte, 100)
	n := ssh.Encode(b, result)
	// ABI 16.2: status -1, cut, 5 ns, 3 and 3 bytes.
	want := []byte("\xff\xff\xff\xff\x01\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x03\x00\x00\x00outerr")
	if !bytes.Equal(b[:n], want) {
		t.Errorf("got %q", b[:n])
	}
	if r, err := ssh.Decode(b[:n]); err != nil || !reflect.DeepEqual(r, result) {
		t.Errorf("%+v %v", r, err)
	}
	whole := result
	whole.Cut = false
	short := make([]byte, ssh.Header+4)
	if r, err := ssh.Decode(short[:ssh.Encode(short, whole)]); err != nil || !r.Cut || string(r.Out) != "out" || string(r.Err) != "e" {
		t.Errorf("%+v %v", r, err)
	}
}

func FuzzDecode(f *testing.F) {
	b := make([]byte, 100)
	f.Add(b[:ssh.Encode(b, result)])
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := ssh.Decode(b); err == nil && len(r.Out)+len(r.Err)+ssh.Header > len(b) {
			t.Errorf("%d bytes hold %d and %d", len(b), len(r.Out), len(r.Err))
		}
	})
}
