package conform

import (
	"context"
	"fmt"
	"strings"

	"github.com/vedette-siem/vedette/conformance/abi/protocol"
)

const hourNs = int64(3_600_000_000_000)

// moved has the guest take over keys.
func (r *run) moved(ctx context.Context, module string, keys ...protocol.Key) (protocol.Reply, error) {
	return r.tell(ctx, module, protocol.Call{From: 1, Keys: keys})
}

func kept(kind uint32, name, value string) protocol.Key {
	return protocol.Key{Kind: kind, Name: bytesOf(name), Value: bytesOf(value), Ends: logTime + hourNs}
}

func (r *run) ruleThatMoves(ctx context.Context) (string, error) {
	return r.loaded(ctx, "moves", protocol.Load{Kind: kindRule, Grants: []string{"vedette_kv_v1"}})
}

// migrates hands over keys of several kinds, few and many, and expects them back as they were.
func migrates(ctx context.Context, r *run) error {
	m, err := r.ruleThatMoves(ctx)
	if err != nil {
		return err
	}
	few := []protocol.Key{kept(0, "a", "value"), kept(0, "b", strings.Repeat("v", 65_536)), kept(3, "a", ""), kept(4, "a", "\x01\x00\x00\x00")}
	few[0].Ends = 1<<63 - 1
	var many []protocol.Key
	for i := range 1500 {
		many = append(many, kept(0, fmt.Sprintf("key %05d", i), strings.Repeat("v", i%700)))
	}
	for _, keys := range [][]protocol.Key{few, many, few, nil} {
		fuel := uint64(0)
		for range 2 {
			reply, err := r.moved(ctx, m, keys...)
			if err == nil {
				err = failed("migrate", reply)
			}
			if err != nil {
				return err
			}
			a := reply.Answer
			if a == nil || text(a.Keys) != text(keys) {
				return fmt.Errorf("%d keys came back as %s", len(keys), clip(text(reply)))
			}
			if fuel != 0 && a.Fuel != fuel {
				return fmt.Errorf("the same keys took %d fuel, then %d", fuel, a.Fuel)
			}
			fuel = a.Fuel
		}
	}
	reply, err := r.moved(ctx, m, kept(0, "d", "left out"))
	if err == nil && (reply.Answer == nil || len(reply.Answer.Keys) > 0) {
		err = fmt.Errorf("what it leaves out is there: %s", clip(text(reply)))
	}
	return err
}

func migratesNot(ctx context.Context, r *run) error {
	m, err := r.ruleThatMoves(ctx)
	if err != nil {
		return err
	}
	for first, code := range map[string]string{"!": "E_TRAP", "w": "E_ABI", "f": "E_ABI", "o": "E_ABI"} {
		reply, err := r.moved(ctx, m, kept(0, first, "value"), kept(0, "~", "value"))
		if err != nil {
			return err
		}
		if reply.Code != code || reply.Answer != nil && len(reply.Answer.Keys) > 0 {
			return fmt.Errorf("a page that begins with %s: %q %s, want %s", first, reply.Code, clip(reply.Detail), code)
		}
		reply, err = r.moved(ctx, m, kept(0, "a", "value"))
		if err == nil {
			err = failed("migrate after "+first, reply)
		}
		if err != nil {
			return err
		}
	}
	_, err = r.call(ctx, m, protocol.Call{Columns: 1, Rows: []protocol.Row{{Time: logTime, Cells: []protocol.Bytes{bytesOf("x")}}}})
	return err
}
