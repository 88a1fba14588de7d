package main

import (
	"sort"
	"strconv"
	"strings"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/document"
	"github.com/vedette-siem/vedette/sdk/go/snmp"
)

// port is one interface of the device.
type port struct {
	index                   uint64
	name, alias, mac        string
	admin, oper             int64 // ifAdminStatus, ifOperStatus: 1 is up
	speed                   uint64
	in, out                 uint64 // octets
	wide                    bool   // counted in 64 bits
	inErrors, outErrors     uint64
	inDiscards, outDiscards uint64
}

// columns reads one column of a table into the ports.
var columns = map[string]map[string]func(p *port, v *snmp.Variable){
	ifTable: {
		"2":  func(p *port, v *snmp.Variable) { p.name = text(*v) },
		"5":  func(p *port, v *snmp.Variable) { p.speed = v.Number },
		"6":  func(p *port, v *snmp.Variable) { p.mac = address(v.Bytes) },
		"7":  func(p *port, v *snmp.Variable) { p.admin = v.Signed() },
		"8":  func(p *port, v *snmp.Variable) { p.oper = v.Signed() },
		"10": func(p *port, v *snmp.Variable) { p.in = v.Number },
		"13": func(p *port, v *snmp.Variable) { p.inDiscards = v.Number },
		"14": func(p *port, v *snmp.Variable) { p.inErrors = v.Number },
		"16": func(p *port, v *snmp.Variable) { p.out = v.Number },
		"19": func(p *port, v *snmp.Variable) { p.outDiscards = v.Number },
		"20": func(p *port, v *snmp.Variable) { p.outErrors = v.Number },
	},
	ifXTable: {
		"1":  func(p *port, v *snmp.Variable) { p.name = text(*v) },
		"6":  func(p *port, v *snmp.Variable) { p.in, p.wide = v.Number, true },
		"10": func(p *port, v *snmp.Variable) { p.out, p.wide = v.Number, true },
		"15": func(p *port, v *snmp.Variable) { p.speed = max(p.speed, v.Number*1_000_000) },
		"18": func(p *port, v *snmp.Variable) { p.alias = text(*v) },
	},
}

// address writes a MAC address as ECS does.
func address(b []byte) string {
	const digits = "0123456789ABCDEF"
	if len(b) != 6 {
		return ""
	}
	var s []byte
	for i, c := range b {
		if i > 0 {
			s = append(s, '-')
		}
		s = append(s, digits[c>>4], digits[c&15])
	}
	return string(s)
}

// readPorts reads the device's interfaces, by index. The table with 64-bit counters is an addition that few lack.
func readPorts() ([]port, error) {
	byIndex := map[uint64]*port{}
	for _, table := range []string{ifTable, ifXTable} {
		vars, _, err := snmp.Walk(target, table)
		if err != nil {
			return nil, err
		}
		for i := range vars {
			v := &vars[i]
			column, index, _ := strings.Cut(strings.TrimPrefix(v.OID, table+"."), ".")
			read := columns[table][column]
			n, err := strconv.ParseUint(index, 10, 32)
			if read == nil || err != nil || v.Type == snmp.Absent {
				continue
			}
			p := byIndex[n]
			if p == nil {
				p = &port{index: n}
				byIndex[n] = p
			}
			read(p, v)
		}
	}
	list := make([]port, 0, len(byIndex))
	for _, p := range byIndex {
		list = append(list, *p)
	}
	sort.Slice(list, func(a, b int) bool { return list[a].index < list[b].index })
	return list, nil
}

// state is what a poll leaves for the next one.
type state struct {
	at    int64  // ns; 0: there was none
	up    uint64 // hundredths of a second
	ports []port // of a cursor only index, oper, counters
}

// cursor writes "at up", and for each port "index oper in out wide", in lines.
func (s *state) cursor() []byte {
	b := append(strconv.AppendInt(nil, s.at, 10), ' ')
	b = append(strconv.AppendUint(b, s.up, 10), '\n')
	for i := range s.ports[:min(len(s.ports), set.most)] {
		p := &s.ports[i]
		for _, n := range []uint64{p.index, uint64(p.oper), p.in, p.out} {
			b = append(strconv.AppendUint(b, n, 10), ' ')
		}
		b = append(strconv.AppendBool(b, p.wide), '\n')
	}
	return b
}

// readCursor reads what cursor wrote; what it cannot read is no state.
func readCursor(b []byte) (s state) {
	for n, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		f := strings.Fields(line)
		if n == 0 && len(f) == 2 {
			at, err := strconv.ParseInt(f[0], 10, 64)
			up, err2 := strconv.ParseUint(f[1], 10, 64)
			if err != nil || err2 != nil {
				return state{}
			}
			s.at, s.up = at, up
			continue
		}
		if len(f) != 5 {
			return state{}
		}
		var v [4]uint64
		for i := range v {
			var err error
			if v[i], err = strconv.ParseUint(f[i], 10, 64); err != nil {
				return state{}
			}
		}
		s.ports = append(s.ports, port{index: v[0], oper: int64(v[1]), in: v[2], out: v[3], wide: f[4] == "true"})
	}
	return s
}

// report writes a record for each interface, and one for each that has changed its state.
func (s *state) report(p *sdk.Poll, last *state) {
	before := map[uint64]*port{}
	for i := range last.ports {
		before[last.ports[i].index] = &last.ports[i]
	}
	restarted := last.at == 0 || s.up < last.up
	for i := range s.ports[:min(len(s.ports), set.most)] {
		now := &s.ports[i]
		old := before[now.index]
		if old != nil && old.oper != now.oper {
			action, word := "interface_down", "down"
			if now.oper == 1 {
				action, word = "interface_up", "up"
			}
			p.Record(now.describe(event(p, action)).Text("message", p.Name+": interface "+now.name+" is "+word).Bytes())
		}
		if set.onlyUp && now.oper != 1 {
			continue
		}
		d := now.describe(document.New(p.At).Event(dataset, "metric", "interface", "success")).Text("host.name", p.Name).
			Int("network.interface.in.bytes", int64(now.in)).Int("network.interface.out.bytes", int64(now.out)).
			Int("network.interface.in.errors", int64(now.inErrors)).Int("network.interface.out.errors", int64(now.outErrors)).
			Int("network.interface.in.discards", int64(now.inDiscards)).Int("network.interface.out.discards", int64(now.outDiscards))
		if elapsed := (s.at - last.at) / 1_000_000; old != nil && !restarted && elapsed > 0 && old.wide == now.wide {
			in, out := rate(old.in, now.in, elapsed, now.wide), rate(old.out, now.out, elapsed, now.wide)
			d.Int("network.interface.in.bits_per_second", in).Int("network.interface.out.bits_per_second", out)
			if now.speed > 0 {
				d.Tenths("network.interface.utilization_percent", int64(uint64(max(in, out))*1000/now.speed))
			}
		}
		p.Record(d.Bytes())
	}
}

func (p *port) describe(d *document.Document) *document.Document {
	up := map[bool]string{true: "up", false: "down"}
	return d.Text("observer.ingress.interface.id", strconv.FormatUint(p.index, 10)).Text("observer.ingress.interface.name", p.name).
		Text("observer.ingress.interface.alias", p.alias).Text("host.mac", p.mac).Text("network.interface.state", up[p.oper == 1]).
		Text("network.interface.admin_state", up[p.admin == 1]).Int("network.interface.speed", int64(p.speed))
}

// rate is bits per second between two values of a counter, which may have begun anew in between.
func rate(before, now uint64, ms int64, wide bool) int64 {
	delta := now - before
	if !wide {
		delta = uint64(uint32(now) - uint32(before))
	} else if now < before {
		return 0 // the device was restarted; 64 bits do not run over
	}
	return int64(delta * 8 / uint64(ms) * 1000)
}
