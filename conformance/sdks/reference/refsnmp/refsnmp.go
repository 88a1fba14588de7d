// Package refsnmp is the reference monitor of the Go SDK over SNMP: how long a device runs, and which of its interfaces are
// down. The same monitor in Rust and C gives the same bytes.
package refsnmp

import (
	"errors"
	"strconv"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/snmp"
)

// Monitor is the module.
var Monitor = sdk.Monitor{Poll: poll}

// target is the name under which the manifest asks for the device.
const target = "target"

const (
	uptime = "1.3.6.1.2.1.1.3.0"
	name   = "1.3.6.1.2.1.1.5.0"
	status = "1.3.6.1.2.1.2.2.1.8" // of interfaces
	down   = 2
)

func poll(p *sdk.Poll) ([]byte, error) {
	vars, err := snmp.Get(target, uptime, name)
	if err != nil {
		return nil, err
	}
	if len(vars) != 2 || vars[0].Type != snmp.Ticks {
		return nil, errors.New("the device does not say how long it runs")
	}
	list, more, err := snmp.Walk(target, status)
	if err != nil {
		return nil, err
	}
	b := append([]byte(nil), `{"event.dataset":"ref.snmp","ref.at":`...)
	b = strconv.AppendInt(b, p.At, 10)
	b = append(b, `,"host.uptime":`...)
	b = strconv.AppendUint(b, vars[0].Number/100, 10)
	if vars[1].Type == snmp.Text {
		b = append(b, `,"host.name":"`...)
		b = append(escape(b, vars[1].Bytes), '"')
	}
	before, _ := strconv.ParseUint(string(p.Cursor), 10, 64)
	if vars[0].Number < before {
		b = append(b, `,"event.action":"restarted"`...)
	}
	b = append(b, `,"ref.down":[`...)
	n := 0
	for i := range list {
		if list[i].Type == snmp.Int && list[i].Signed() == down {
			if n > 0 {
				b = append(b, ',')
			}
			b = append(append(append(b, '"'), list[i].OID[len(status)+1:]...), '"')
			n++
		}
	}
	b = append(b, `],"ref.interfaces":`...)
	b = strconv.AppendInt(b, int64(len(list)), 10)
	if more {
		b = append(b, `,"ref.cut":true`...)
	}
	p.Record(append(b, '}'))
	return strconv.AppendUint(nil, vars[0].Number, 10), nil
}

// escape appends the inside of a JSON string.
func escape(b, s []byte) []byte {
	const digits = "0123456789abcdef"
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			b = append(b, c)
		}
	}
	return b
}
