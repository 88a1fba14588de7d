package conform

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/vedette-siem/vedette/conformance/abi/protocol"
)

// op is one row of the guest keys. A value that is nil is absent.
type op struct {
	letter     string
	key        string
	value, new protocol.Bytes
	number     int64

	want int32  // result
	out  string // what was written, at most 8 bytes
}

func bytesOf(s string) protocol.Bytes { return protocol.Bytes(s) }

func rowsOf(ops []op) protocol.Call {
	c := protocol.Call{Seq: logSeq, At: logTime, Columns: 5}
	for _, o := range ops {
		number := binary.LittleEndian.AppendUint64(nil, uint64(o.number))
		c.Rows = append(c.Rows, protocol.Row{Time: logTime, Cells: []protocol.Bytes{bytesOf(o.letter), bytesOf(o.key), o.value, number, o.new}})
	}
	return c
}

// perform has the guest do ops in one batch, of which those with the letter "!" fail, and requires their results.
func (r *run) perform(ctx context.Context, module string, ops ...op) error {
	a, err := r.call(ctx, module, rowsOf(ops))
	if err != nil {
		return err
	}
	said, failed := map[int]string{}, map[int]string{}
	for _, f := range a.Findings {
		said[f.Row] = f.Reason
	}
	for _, p := range a.Poison {
		failed[p.Record] = p.Code
	}
	for i, o := range ops {
		if o.letter == "!" {
			if failed[i] != "E_TRAP" {
				return fmt.Errorf("row %d: %q, want E_TRAP", i, failed[i])
			}
			continue
		}
		want := binary.LittleEndian.AppendUint32(nil, uint32(o.want))
		want = append(append(want, o.out...), make([]byte, 8-len(o.out))...)
		if said[i] != hex.EncodeToString(want) {
			return fmt.Errorf("row %d, %s of %.20q: it says %q %s, want %x", i, o.letter, o.key, said[i], failed[i], want)
		}
	}
	return nil
}

func (r *run) ruleWithKeys(ctx context.Context) (string, error) {
	return r.loaded(ctx, "keys", protocol.Load{Kind: kindRule, Grants: []string{"vedette_kv_v1"}})
}

func number(n int64) string { return string(binary.LittleEndian.AppendUint64(nil, uint64(n))) }

func keys(ctx context.Context, r *run) error {
	m, err := r.ruleWithKeys(ctx)
	if err != nil {
		return err
	}
	const day, limit, absent, short = int64(86_400_000_000_000), -1, -2, -3
	long, highest := strings.Repeat("k", 512), int64(1<<63-1)
	for _, ops := range [][]op{
		{
			{letter: "g", key: "a", want: absent},
			{letter: "p", key: "a", value: bytesOf("one")},
			{letter: "g", key: "a", want: 3, out: "one"},
			{letter: "p", key: "a", value: bytesOf("")},
			{letter: "g", key: "a"},
			{letter: "p", key: "a", value: bytesOf("nine byte")},
			{letter: "g", key: "a", want: short},
			{letter: "d", key: "a", want: 1},
			{letter: "d", key: "a"},
			{letter: "g", key: "a", want: absent},
		}, {
			{letter: "i", key: "n", number: 5, out: number(5)},
			{letter: "i", key: "n", number: -7, out: number(-2)},
			{letter: "i", key: "m", number: highest, out: number(highest)},
			{letter: "i", key: "m", number: 1, want: limit},
			{letter: "g", key: "m", want: 8, out: number(highest)},
			{letter: "p", key: "t", value: bytesOf("text")},
			{letter: "i", key: "t", number: 1, want: limit},
			{letter: "g", key: "t", want: 4, out: "text"},
		}, {
			{letter: "c", key: "c", new: bytesOf("1"), want: 1},
			{letter: "c", key: "c", new: bytesOf("2")},
			{letter: "g", key: "c", want: 1, out: "1"},
			{letter: "c", key: "c", value: bytesOf("1"), new: bytesOf("2"), want: 1},
			{letter: "c", key: "c", value: bytesOf("1"), new: bytesOf("3")},
			{letter: "g", key: "c", want: 1, out: "2"},
			{letter: "c", key: "c", value: bytesOf("2"), want: 1},
			{letter: "g", key: "c", want: absent},
		}, {
			{letter: "p", key: "", value: bytesOf("x"), want: limit},
			{letter: "p", key: long + "k", value: bytesOf("x"), want: limit},
			{letter: "p", key: long, value: bytesOf("x")},
			{letter: "g", key: long, want: 1, out: "x"},
			{letter: "p", key: "v", value: bytesOf("x")},
			{letter: "p", key: "v", value: make(protocol.Bytes, 64<<10+1), want: limit},
			{letter: "g", key: "v", want: 1, out: "x"},
			{letter: "p", key: "v", value: bytesOf("y"), number: -1, want: limit},
			{letter: "p", key: "v", value: bytesOf("y"), number: 401 * day, want: limit},
			{letter: "p", key: "v", value: bytesOf("y"), number: highest, want: limit},
			{letter: "g", key: "v", want: 1, out: "x"},
			{letter: "p", key: "v", value: bytesOf("y"), number: 400 * day},
			{letter: "g", key: "v", want: 1, out: "y"},
		},
	} {
		if err := r.perform(ctx, m, ops...); err != nil {
			return err
		}
	}
	return nil
}

// keysUndone counts in rows beside one that fails: whatever was tried together, each of them is done once.
func keysUndone(ctx context.Context, r *run) error {
	m, err := r.ruleWithKeys(ctx)
	if err != nil {
		return err
	}
	count := func(n int64) op { return op{letter: "i", key: "n", number: 1, out: number(n)} }
	return r.perform(ctx, m, count(1), count(2), op{letter: "!"}, count(3), count(4), op{letter: "!"}, count(5), op{letter: "g", key: "n", want: 8, out: number(5)})
}

func keysMisused(ctx context.Context, r *run) error {
	_, reply, err := r.guest(ctx, "keys_early", protocol.Load{Kind: kindRule, Grants: []string{"vedette_kv_v1"}})
	if err != nil {
		return err
	}
	if reply.Code != "E_ABI" {
		return fmt.Errorf("state before an evaluation: %q %s, want E_ABI", reply.Code, clip(reply.Detail))
	}
	m, err := r.ruleWithKeys(ctx)
	if err != nil {
		return err
	}
	a, err := r.call(ctx, m, rowsOf([]op{{letter: "w"}}))
	if err == nil {
		err = allRefused(a, 1)
	}
	return err
}
