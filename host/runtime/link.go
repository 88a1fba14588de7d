package runtime

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/vedette-siem/vedette/host/meter"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/config"
	"github.com/vedette-siem/vedette/sdk/go/keys"
	"github.com/vedette-siem/vedette/sdk/go/probe"
	"github.com/vedette-siem/vedette/sdk/go/snmp"
	"github.com/vedette-siem/vedette/sdk/go/ssh"
	"github.com/vedette-siem/vedette/sdk/go/table"
	"github.com/vedette-siem/vedette/sdk/go/timer"
	"github.com/vedette-siem/vedette/sdk/go/window"
)

// function is one import that the host offers. Types are written one letter a value: i for i32, I for i64.
type function struct {
	params, results string
	call            api.GoModuleFunc
}

func types(s string) []api.ValueType {
	t := make([]api.ValueType, len(s))
	for n := range s {
		t[n] = api.ValueTypeI32
		if s[n] == 'I' {
			t[n] = api.ValueTypeI64
		}
	}
	return t
}

func (f function) signature() string { return signature(types(f.params), types(f.results)) }

// clean returns the function behind one that clears the upper halves of i32 parameters, which the engine leaves undefined.
func (f function) clean() api.GoModuleFunc {
	return func(ctx context.Context, guest api.Module, s []uint64) {
		for n := range f.params {
			if f.params[n] == 'i' {
				s[n] = uint64(uint32(s[n]))
			}
		}
		f.call(ctx, guest, s)
	}
}

// offered is everything that a module can import: one import module per capability.
var offered = map[string]map[string]function{
	abi.ImportCore: {"log": {"iii", "", coreLog}},
	abi.ImportHTTP: {"fetch": reach(abi.ImportHTTP, httpFetch)},
	snmp.Import:    {"get": reach(snmp.Import, snmpGet), "walk": reach(snmp.Import, snmpWalk)},
	ssh.Import:     {"run": reach(ssh.Import, sshRun)},
	probe.Import:   {"tcp": reach(probe.Import, probeOf("tcp")), "tls": reach(probe.Import, probeOf("tls")), "dns": reach(probe.Import, probeOf("dns")), "ping": reach(probe.Import, probeOf("ping"))},
	config.Import:  {"compare": reach(config.Import, configCompare)},
	keys.Import:    keyed,
	window.Import:  windows,
	timer.Import:   timers,

	table.ImportSet:    sets,
	table.ImportLookup: lookups,

	abi.ImportWASI: wasi,
}

// link makes the import modules that the module names, and the meter's.
func (m *Module) link(ctx context.Context) error {
	b := m.engine.NewHostModuleBuilder(meter.TickModule)
	b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(tick), nil, nil).Export(meter.TickName)
	if _, err := b.Instantiate(ctx); err != nil {
		return fmt.Errorf("link %s: %w", meter.TickModule, err)
	}
	for _, name := range m.imports {
		b := m.engine.NewHostModuleBuilder(name)
		for f, d := range offered[name] {
			b.NewFunctionBuilder().WithGoModuleFunction(d.clean(), types(d.params), types(d.results)).Export(f)
		}
		if _, err := b.Instantiate(ctx); err != nil {
			return fmt.Errorf("link %s: %w", name, err)
		}
	}
	return nil
}

// bytesAt returns a view of the guest's memory, or ends the call: a wrong pointer is a fault of the guest.
func bytesAt(guest api.Module, ptr, n uint64) []byte {
	b, ok := guest.Memory().Read(uint32(ptr), uint32(n))
	if !ok {
		panic(&abort{CodeABI, "3.2: a pointer leads outside the memory"})
	}
	return b
}

// charge takes fuel for what the host does on behalf of the guest. The next check of metered code sees it.
func (i *instance) charge(units int64) {
	if i.fuel != nil {
		i.fuel.Set(uint64(int64(i.fuel.Get()) - units))
	}
}

// Fuel that host functions charge: a fixed part, and one unit for each 8 bytes that are copied.
const (
	chargeCall      = 200
	chargeLine      = 2000
	chargeByteShift = 3
)

// coreLog is vedette_core_v1.log(level, ptr, len).
func coreLog(ctx context.Context, guest api.Module, s []uint64) {
	i := instanceOf(ctx)
	i.logLine(uint32(s[0]), bytesAt(guest, s[1], s[2]))
}

// logLine passes a line on if the call's and the module's budgets allow it.
func (i *instance) logLine(level uint32, line []byte) {
	h := i.mod.host
	i.work.LogLines++
	i.charge(chargeLine + int64(len(line))>>chargeByteShift)
	if h.cfg.Log == nil {
		return
	}
	level = min(level, abi.LogError)
	if i.lines++; i.lines > h.lim.LogLinesPerCall {
		i.mod.log.lose()
		return
	}
	ok, lost := i.mod.log.allow(h.cfg.Now(), h.lim.LogLinesPerSecond)
	if lost > 0 {
		h.cfg.Log(i.mod.spec.Digest, abi.LogWarn, fmt.Sprintf("%d lines were left out", lost))
	}
	if ok {
		h.cfg.Log(i.mod.spec.Digest, level, clip(string(line[:min(len(line), h.lim.LogBytesPerLine)]), h.lim.LogBytesPerLine))
	}
}

// throttle lets a number of lines through in each second and counts the others.
type throttle struct {
	mu     sync.Mutex
	second time.Time
	count  int
	lost   int
}

func (t *throttle) lose() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lost++
}

// allow decides on one line. lost is how many were left out since it was last told.
func (t *throttle) allow(now time.Time, perSecond int) (ok bool, lost int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Sub(t.second) >= time.Second || now.Before(t.second) {
		t.second, t.count = now, 0
	}
	if t.count >= perSecond {
		t.lost++
		return false, 0
	}
	t.count++
	lost, t.lost = t.lost, 0
	return true, lost
}
