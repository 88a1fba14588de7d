package main

import (
	"errors"
	"strconv"
	"strings"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/document"
	"github.com/vedette-siem/vedette/sdk/go/settings"
	"github.com/vedette-siem/vedette/sdk/go/snmp"
)

const (
	target  = "device"
	dataset = "vedette.snmpsystem"
)

// What is read of MIB-2, IF-MIB and HOST-RESOURCES-MIB.
const (
	sysDescr    = "1.3.6.1.2.1.1.1.0"
	sysUpTime   = "1.3.6.1.2.1.1.3.0"
	sysContact  = "1.3.6.1.2.1.1.4.0"
	sysName     = "1.3.6.1.2.1.1.5.0"
	sysLocation = "1.3.6.1.2.1.1.6.0"
	ifTable     = "1.3.6.1.2.1.2.2.1"
	ifXTable    = "1.3.6.1.2.1.31.1.1.1"
	processors  = "1.3.6.1.2.1.25.3.3.1.2" // hrProcessorLoad
	storages    = "1.3.6.1.2.1.25.2.3.1"   // hrStorageTable
	memory      = "1.3.6.1.2.1.25.2.1.2"   // hrStorageRam
	fixedDisk   = "1.3.6.1.2.1.25.2.1.4"
)

// set are the settings of module.yaml.
var set struct {
	interfaces, onlyUp bool
	most               int
}

// Init reads the settings.
func Init(b []byte) error {
	v, err := settings.Read(b)
	set.interfaces, set.onlyUp, set.most = v.Bool("interfaces", true), v.Bool("only_up", true), int(v.Int("max_interfaces", 200))
	return err
}

// Poll reads the device once. The cursor holds what rates and changes are told from.
func Poll(p *sdk.Poll) (cursor []byte, err error) {
	last := readCursor(p.Cursor)
	vars, err := snmp.Get(target, sysDescr, sysUpTime, sysContact, sysName, sysLocation)
	if err != nil {
		return nil, err
	}
	if len(vars) != 5 || vars[1].Type != snmp.Ticks {
		return nil, errors.New("the device tells no uptime: it answers, but not as an SNMP agent")
	}
	now := state{at: p.At, up: vars[1].Number}
	d := document.New(p.At).Event(dataset, "metric", "system", "success").Texts("event.category", []string{"host"}).Texts("event.type", []string{"info"}).
		Text("host.name", p.Name).Text("host.hostname", text(vars[3])).Int("host.uptime", int64(now.up/100)).Text("host.os.full", text(vars[0])).
		Text("host.contact", text(vars[2])).Text("host.location", text(vars[4]))
	if err := load(d); err != nil {
		return nil, err
	}
	p.Record(d.Text("message", p.Name+" has been up for "+strconv.FormatUint(now.up/100/3600, 10)+" hours").Bytes())
	if last.at != 0 && now.up < last.up && last.up-now.up < 1<<31 { // beyond that the counter has begun anew, after 497 days
		p.Record(event(p, "restarted").Int("host.uptime", int64(now.up/100)).Text("message", p.Name+" was restarted").Bytes())
	}
	if set.interfaces {
		if now.ports, err = readPorts(); err != nil {
			return nil, err
		}
		now.report(p, &last)
	}
	return now.cursor(), nil
}

// event begins a record of something that happened.
func event(p *sdk.Poll, action string) *document.Document {
	return document.New(p.At).Event(dataset, "event", action, "success").Texts("event.category", []string{"host"}).Texts("event.type", []string{"change"}).Text("host.name", p.Name)
}

func text(v snmp.Variable) string {
	if v.Type != snmp.Text {
		return ""
	}
	return strings.TrimSpace(string(v.Bytes))
}

// load adds the load of processors and what memory and disks hold, where the device tells it.
func load(d *document.Document) error {
	cpus, _, err := snmp.Walk(target, processors)
	if err != nil {
		return err
	}
	sum, n := int64(0), int64(0)
	for i := range cpus {
		if cpus[i].Type == snmp.Int {
			sum += cpus[i].Signed()
			n++
		}
	}
	if n > 0 {
		d.Int("host.cpu.count", n).Tenths("host.cpu.percent", sum*10/n)
	}
	rows, _, err := snmp.Walk(target, storages)
	if err != nil {
		return err
	}
	var total, used, disk uint64 // bytes of memory; tenths of a percent of the fullest disk
	disks := false
	kinds, unit, size := map[string]string{}, map[string]uint64{}, map[string]uint64{}
	for i := range rows {
		v := &rows[i]
		column, index, ok := strings.Cut(strings.TrimPrefix(v.OID, storages+"."), ".")
		if !ok {
			continue
		}
		switch column {
		case "2":
			kinds[index] = string(v.Bytes)
		case "4":
			unit[index] = v.Number
		case "5":
			size[index] = v.Number
		case "6":
			switch whole := size[index]; {
			case whole == 0 || v.Number > whole:
			case kinds[index] == memory && total == 0:
				total, used = whole*unit[index], v.Number*unit[index]
			case kinds[index] == fixedDisk:
				disks = true
				disk = max(disk, v.Number*1000/whole)
			}
		}
	}
	if total > 0 {
		d.Int("host.memory.total", int64(total)).Int("host.memory.used", int64(used)).Tenths("host.memory.percent", int64(used/((total+999)/1000)))
	}
	if disks {
		d.Tenths("host.disk.percent", int64(disk))
	}
	return nil
}
