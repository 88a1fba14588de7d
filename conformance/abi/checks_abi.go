package conform

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/vedette-siem/vedette/conformance/abi/guests"
	"github.com/vedette-siem/vedette/conformance/abi/protocol"
	"github.com/vedette-siem/vedette/sdk/go/abi"
)

// hostChecks are the requirements that are more than a refusal, a failure or a few steps.
var hostChecks = map[string]func(ctx context.Context, r *run) error{
	"mutilated": mutilated, "refusal": refusal, "statuses": statuses, "claims": claims, "records": recordsArrive, "rows": rowsArrive,
	"goldenEvents": goldenEvents, "brokenEvents": brokenEvents, "eventLimits": eventLimits, "findings": findings, "polls": polls,
	"room": room, "strange": strange,

	"logLevels": logLevels, "logBudget": logBudget, "wasi": wasi, "clocks": clocks,
	"fetches": fetches, "paths": paths, "redirects": redirects, "addresses": addresses, "bodies": bodies,

	"keys": keys, "keysUndone": keysUndone, "keysMisused": keysMisused,
	"windowCounts": windowCounts, "distinctValues": distinctValues, "firstSeen": firstSeen, "sequenceSteps": sequenceSteps,
	"timersFire": timersFire, "timersFail": timersFail, "timersAnswer": timersAnswer, "timersMisused": timersMisused,
	"windowsGiveWay": windowsGiveWay, "windowsUndone": windowsUndone,
	"tableKinds": tableKinds, "tableRows": tableRows, "tableMatches": tableMatches, "tableVersions": tableVersions,

	"ungranted": ungranted, "askedOften": askedOften, "secretsStruck": secretsStruck, "grantedForOnePoll": grantedForOnePoll, "deviceAddresses": deviceAddresses,
	"variables": variables, "variablesBeyond": variablesBeyond, "variablesUnasked": variablesUnasked, "variablesMany": variablesMany,
	"commands": commands, "commandsBeyond": commandsBeyond, "hostKeys": hostKeys, "outputs": outputs,
	"connections": connections, "certificates": certificates, "nameServers": nameServers, "echoes": echoes,
	"textsCompared": textsCompared, "textsKept": textsKept, "textsBounded": textsBounded,

	"straightLine": straightLine, "lengths": lengths, "memoryLimit": memoryLimit, "poison": poison, "pristine": pristine,
	"collection": collection, "neighbour": neighbour, "footprint": footprint,

	"candidates": candidates, "versions": versions, "rollback": rollback, "closing": closing, "leaves": leaves, "resettle": resettle,
	"migrates": migrates, "migratesNot": migratesNot,

	"repeatable": repeatable, "randomness": randomness, "numbers": numbers, "alone": alone, "replay": replay,
}

// mutilated cuts a module off at every few bytes, and changes bytes of it: any verdict will do, but there must be one.
func mutilated(ctx context.Context, r *run) error {
	whole, err := guests.Wasm("initials")
	if err != nil {
		return err
	}
	try := func(wasm []byte, what string) error {
		name, reply, err := r.load(ctx, "mutilated", protocol.Load{Wasm: wasm, Limits: limits(wildFuel, fuelEach, fuelByte)})
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if reply.Code == "" {
			if _, err := r.tell(ctx, name, records("x", "!")); err != nil {
				return fmt.Errorf("%s: %w", what, err)
			}
			_, err := r.do(ctx, protocol.Request{Op: protocol.OpClose, Module: name})
			r.open = r.open[:len(r.open)-1]
			return err
		}
		if !strings.HasPrefix(reply.Code, "E_") || reply.Code == "E_DEADLINE" {
			return fmt.Errorf("%s: %s %s is no verdict", what, reply.Code, clip(reply.Detail))
		}
		return nil
	}
	for n := 0; n < len(whole); n += 5 {
		if err := try(whole[:n], fmt.Sprintf("the first %d bytes", n)); err != nil {
			return err
		}
	}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same changes in every run
	for i := range 400 {
		changed := bytes.Clone(whole)
		for range 1 + random.IntN(3) {
			changed[8+random.IntN(len(changed)-8)] = byte(random.Uint32())
		}
		if err := try(changed, fmt.Sprintf("change %d", i)); err != nil {
			return err
		}
	}
	return r.goesOn(ctx)
}

func refusal(ctx context.Context, r *run) error {
	_, reply, err := r.guest(ctx, "init_refuses", protocol.Load{Settings: []byte(`{}`)})
	if err != nil {
		return err
	}
	if n := strings.Count(reply.Detail, "n"); reply.Code != "E_SETTINGS" || n < 1000 || len(reply.Detail) > abi.MaxMessageBytes+64 {
		return fmt.Errorf("a refusal with a reason of 3,000 bytes: %q with %d bytes, %d of the reason", reply.Code, len(reply.Detail), n)
	}
	_, reply, err = r.guest(ctx, "init_fails", protocol.Load{})
	if err != nil {
		return err
	}
	if reply.Code != "E_TRAP" {
		return fmt.Errorf("vedette_init with status -4: %q", reply.Code)
	}
	return r.goesOn(ctx)
}

// returns has the guest status return v.
func (r *run) returns(ctx context.Context, module string, v uint64, code string) error {
	a, err := r.call(ctx, module, records(string(binary.LittleEndian.AppendUint64(nil, v))))
	if err != nil {
		return err
	}
	if len(a.Poison) != 1 || a.Poison[0].Code != code {
		return fmt.Errorf("result %#x: %s, want %s", v, clip(text(a)), code)
	}
	return nil
}

func statuses(ctx context.Context, r *run) error {
	m, err := r.loaded(ctx, "status", protocol.Load{})
	if err != nil {
		return err
	}
	for _, c := range []struct {
		status abi.Status
		n      int
		code   string
	}{
		{abi.StatusOK, 0, "E_ABI"},
		{abi.StatusOutTooShort, 0, "E_OUTPUT_LIMIT"},
		{abi.StatusBadInput, 0, "E_ABI"},
		{-3, 0, "E_ABI"},
		{abi.StatusFailed, 0, "E_TRAP"},
		{abi.StatusFailed, 9, "E_TRAP"},
		{1, 0, "E_ABI"},
		{-5, 0, "E_ABI"},
		{-1 << 31, 0, "E_ABI"},
		{1<<31 - 1, 0, "E_ABI"},
	} {
		if err := r.returns(ctx, m, abi.Pack(c.status, c.n), c.code); err != nil {
			return err
		}
	}
	return nil
}

func claims(ctx context.Context, r *run) error {
	m, err := r.loaded(ctx, "status", protocol.Load{})
	if err != nil {
		return err
	}
	for _, status := range []abi.Status{abi.StatusOK, abi.StatusFailed} {
		for _, n := range []int{abi.MaxOutBytes + 1, 1 << 31, 1<<32 - 1} {
			if err := r.returns(ctx, m, abi.Pack(status, n), "E_ABI"); err != nil {
				return err
			}
		}
	}
	over, err := r.loaded(ctx, "overlong", protocol.Load{})
	if err != nil {
		return err
	}
	a, err := r.call(ctx, over, records("x"))
	if err == nil {
		err = allRefused(a, 1)
	}
	if err != nil {
		return fmt.Errorf("a byte more than OUT has: %w", err)
	}
	return nil
}

// mirrored returns what the guest mirror was given, from a message in hexadecimal.
func mirrored(a *protocol.Answer, said func() string) ([]byte, error) {
	if len(a.Poison) > 0 {
		return nil, fmt.Errorf("mirror fails: %s %s", a.Poison[0].Code, clip(a.Poison[0].Detail))
	}
	in, err := hex.DecodeString(said())
	if err != nil {
		return nil, fmt.Errorf("mirror says %q: %w", clip(said()), err)
	}
	return in, nil
}

func zero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

func recordsArrive(ctx context.Context, r *run) error {
	m, err := r.loaded(ctx, "mirror", protocol.Load{})
	if err != nil {
		return err
	}
	c := records("one", "", "\x00\xff\x1b[2J")
	c.Seq, c.At = 1<<63+7, -5
	c.Records[1].Source, c.Records[1].Received = nil, -1
	c.Records[2].Flags = abi.RecordTruncated
	a, err := r.call(ctx, m, c)
	if err != nil {
		return err
	}
	if len(a.Outcomes) != 3 {
		return fmt.Errorf("%d outcomes for 3 records", len(a.Outcomes))
	}
	in, err := mirrored(a, func() string { return a.Outcomes[0].Message })
	if err != nil {
		return err
	}
	recs, ok := abi.DecodeRecords(in)
	if !ok || recs.Len() != 3 || recs.Seq != c.Seq || recs.At != c.At || !zero(in[4:8]) || !zero(in[40:48]) {
		return fmt.Errorf("IN is no batch of these records: %x", in)
	}
	for i, want := range c.Records {
		got, ok := recs.Record(i)
		if !ok || !bytes.Equal(got.Raw, want.Raw) || !bytes.Equal(got.Source, want.Source) || got.Received != want.Received || got.Flags != want.Flags {
			return fmt.Errorf("record %d arrives as %+v", i, got)
		}
	}
	calm, err := r.loaded(ctx, "calm", protocol.Load{Limits: limits(wildFuel, fuelEach, fuelByte)})
	if err != nil {
		return err
	}
	for _, lines := range [][]string{{}, {""}, make([]string, abi.MaxRecordsPerBatch), {strings.Repeat("x", abi.MaxRecordBytes)}} {
		if err := r.says(ctx, calm, "A", lines...); err != nil {
			return fmt.Errorf("%d records: %w", len(lines), err)
		}
	}
	return nil
}

func rowsArrive(ctx context.Context, r *run) error {
	m, err := r.loaded(ctx, "mirror", protocol.Load{Kind: kindRule})
	if err != nil {
		return err
	}
	c := protocol.Call{Seq: 7, At: 8, Columns: 3, Rows: []protocol.Row{
		{Time: 3, Cells: []protocol.Bytes{protocol.Bytes("root"), nil, {}}}, {Time: -1, Cells: []protocol.Bytes{nil, nil, protocol.Bytes("10.0.")}},
	}}
	a, err := r.call(ctx, m, c)
	if err != nil {
		return err
	}
	if len(a.Findings) != 1 {
		return fmt.Errorf("%d findings, want 1: %s", len(a.Findings), clip(text(a)))
	}
	in, err := mirrored(a, func() string { return a.Findings[0].Reason })
	if err != nil {
		return err
	}
	rows, ok := abi.DecodeRows(in)
	if !ok || rows.Len != 2 || rows.Cols != 3 || rows.Seq != 7 || rows.At != 8 || !zero(in[4:8]) || !zero(in[28:32]) {
		return fmt.Errorf("IN is no batch of these rows: %x", in)
	}
	for i, row := range c.Rows {
		for col, want := range row.Cells {
			if got := rows.Cell(i, col); rows.Time(i) != row.Time || !bytes.Equal(got, want) || (got == nil) != (want == nil) {
				return fmt.Errorf("row %d at %d, column %d arrives as %q at %d", i, row.Time, col, got, rows.Time(i))
			}
		}
	}
	none, err := r.answers(ctx, kindRule, binary.LittleEndian.AppendUint32(nil, abi.MagicFindings), make([]byte, abi.FindingsHeader-4))
	if err != nil {
		return err
	}
	a, err = r.call(ctx, none, protocol.Call{Columns: 3})
	if err == nil && (len(a.Findings) > 0 || len(a.Poison) > 0) {
		err = fmt.Errorf("no rows: %s", clip(text(a)))
	}
	return err
}

// answers loads the guest that answers with these bytes.
func (r *run) answers(ctx context.Context, kind string, parts ...[]byte) (string, error) {
	settings := `"` + hex.EncodeToString(bytes.Join(parts, nil)) + `"`
	return r.loaded(ctx, "answer", protocol.Load{Kind: kind, Settings: []byte(settings), Names: []string{"own"}})
}

func polls(ctx context.Context, r *run) error {
	m, err := r.loaded(ctx, "mirror", protocol.Load{Kind: kindMonitor})
	if err != nil {
		return err
	}
	for _, cursor := range []string{"", "\x00\xffcursor"} {
		a, err := r.call(ctx, m, protocol.Call{Seq: 9, At: -3, Cursor: protocol.Bytes(cursor)})
		if err != nil {
			return err
		}
		if len(a.Poison) > 0 || len(a.Records) != 1 || string(a.Cursor) != "VPI1" {
			return fmt.Errorf("a poll: %s", clip(text(a)))
		}
		p, ok := abi.DecodePoll(a.Records[0])
		if !ok || p.Seq != 9 || p.At != -3 || string(p.Cursor) != cursor {
			return fmt.Errorf("IN is no poll with the cursor %q: %x", cursor, a.Records[0])
		}
	}
	v, err := vector("polled")
	if err != nil {
		return err
	}
	call := protocol.Call{}
	return r.golden(ctx, v, kindMonitor, call, func(a *protocol.Answer) any {
		return struct {
			Records []protocol.Bytes `json:"records"`
			Cursor  protocol.Bytes   `json:"cursor"`
		}{a.Records, a.Cursor}
	})
}

func findings(ctx context.Context, r *run) error {
	v, err := vector("findings")
	if err != nil {
		return err
	}
	call := protocol.Call{Columns: 1, Rows: make([]protocol.Row, v.Rows)}
	return r.golden(ctx, v, kindRule, call, func(a *protocol.Answer) any { return a.Findings })
}

func room(ctx context.Context, r *run) error {
	m, err := r.loaded(ctx, "roomy", protocol.Load{})
	if err != nil {
		return err
	}
	if err := r.says(ctx, m, "B", "x", "y"); err != nil {
		return err
	}
	never, err := r.loaded(ctx, "never_enough", protocol.Load{})
	if err != nil {
		return err
	}
	a, err := r.call(ctx, never, records("x", "!", "y"))
	if err != nil {
		return err
	}
	return failsAlone(a, 1, []string{"E_OUTPUT_LIMIT"})
}
