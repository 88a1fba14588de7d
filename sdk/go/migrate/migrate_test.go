package migrate_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/migrate"
)

const now = int64(1_700_000_000_000_000_000)

// page returns a page of keys of state version 1.
func page(t testing.TB, list ...abi.Key) []byte {
	t.Helper()
	out := make([]byte, 1<<18)
	var e abi.KeysEncoder
	e.Begin(out[:1<<16:len(out)], out[1<<16:])
	for _, k := range list {
		if !e.Add(k) {
			t.Fatal("the page is full")
		}
	}
	n, _ := e.Finish(1, now)
	return out[:n]
}

func key(kind uint32, name, value string, ttl time.Duration) abi.Key {
	return abi.Key{Kind: kind, Name: []byte(name), Value: []byte(value), Ends: now + int64(ttl)}
}

func TestRun(t *testing.T) {
	in := page(t, key(abi.KeyValue, "Ann", "7", time.Hour), key(abi.KeyStep, "s:ann", "\x01\x00\x00\x00", time.Minute), key(abi.KeySeen, "old", "", time.Second))
	var b sdk.Buffers
	status, out := migrate.Run(func(from uint32, k migrate.Key, to *migrate.Keys) error {
		switch {
		case from != 1:
			return errors.New("it is of another version")
		case k.Kind == migrate.Value:
			to.Replace(k, []byte(strings.ToLower(string(k.Name))), append([]byte("v2 "), k.Value...))
			to.Put([]byte("since"), k.Value, 0)
			to.Put([]byte("soon"), nil, time.Minute)
		case k.Kind == migrate.Step:
			to.Rename(k, k.Name[2:])
		}
		return nil
	}, in, b.Grow(len(in), 1<<16))
	page, err := abi.DecodeKeys(out)
	if status != abi.StatusOK || err != nil {
		t.Fatal(status, err)
	}
	var got []string
	for i := range page.Len {
		k := page.Key(i)
		ttl := time.Duration(k.Ends - now).String()
		if k.Ends == abi.NoEnd {
			ttl = "ever"
		}
		got = append(got, fmt.Sprintf("%d %s=%q for %s", k.Kind, k.Name, k.Value, ttl))
	}
	want := `0 ann="v2 7" for 1h0m0s, 0 since="7" for ever, 0 soon="" for 1m0s, 4 ann="\x01\x00\x00\x00" for 1m0s`
	if strings.Join(got, ", ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), want)
	}
}

func TestRunFails(t *testing.T) {
	keep := func(_ uint32, k migrate.Key, to *migrate.Keys) error {
		to.Keep(k)
		return nil
	}
	in := page(t, key(abi.KeyValue, "k", strings.Repeat("v", 3000), time.Hour))
	for _, c := range []struct {
		name string
		f    migrate.Func
		in   []byte
		out  int
		want abi.Status
		text string
	}{
		{"no page", keep, in[:20], 1 << 16, abi.StatusBadInput, ""},
		{"no room", keep, in, 2048, abi.StatusOutTooShort, ""},
		{"too many", func(_ uint32, k migrate.Key, to *migrate.Keys) error {
			for range abi.MaxKeysPerPage + 1 {
				to.Put(k.Name, nil, 0)
			}
			return nil
		}, in, 1 << 18, abi.StatusOutTooShort, ""},
		{"an error", func(uint32, migrate.Key, *migrate.Keys) error { return errors.New(strings.Repeat("why ", 500)) }, in, 1 << 16, abi.StatusFailed, strings.Repeat("why ", 256)},
	} {
		b := &sdk.Buffers{In: make([]byte, 8), Out: make([]byte, c.out)}
		if status, out := migrate.Run(c.f, c.in, b); status != c.want || string(out) != c.text {
			t.Errorf("%s: %d %q", c.name, status, out)
		}
	}
}

func BenchmarkRun(b *testing.B) {
	var list []abi.Key
	for i := range 256 {
		list = append(list, key(abi.KeyValue, fmt.Sprintf("host-%d", i), "some value", time.Hour))
	}
	in := page(b, list...)
	buf := (&sdk.Buffers{}).Grow(len(in), 320<<10)
	b.ReportAllocs()
	for b.Loop() {
		if s, _ := migrate.Run(func(_ uint32, k migrate.Key, to *migrate.Keys) error { to.Keep(k); return nil }, in, buf); s != abi.StatusOK {
			b.Fatal(s)
		}
	}
}
