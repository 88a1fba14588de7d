package main

import (
	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/ecs"
	"github.com/vedette-siem/vedette/sdk/go/jsontok"
	"github.com/vedette-siem/vedette/sdk/go/syslog"
)

// text is a value and where it stands: at is nil when v itself is a part of the record.
type text struct{ v, at []byte }

// sub is a part of t, which stands where t stands.
func (t text) sub(from, to int) text { return text{t.v[from:to], t.at} }

// pair is one entry of the event's data.
type pair struct {
	key  []byte
	val  text
	list bool // the value is an element of a list
}

// event is what is known about the current record, whatever its shape. It is one variable because a module serves one
// call at a time and must not allocate.
type event struct {
	e        *sdk.Event
	received int64

	code, provider, channel, computer text
	level, keywords, outcome, action  text
	when, stamp, created              text // when it happened, when it was read, event.created
	message, original                 text
	sid, userName, userDomain         text // who the event was logged for
	hostName                          text

	pairs   [MaxPairs]pair
	n       int
	users   related
	ips     related
	hashes  related
	scratch jsontok.Scratch
	buf     [MaxScratchBytes]byte
	flat    jsontok.Flat
	header  syslog.Header
}

// related is a list of values without repetitions.
type related struct {
	v [MaxRelated]text
	n int
}

var ev event

func (p *event) reset(r *sdk.Record, e *sdk.Event) {
	p.e, p.received, p.n = e, r.Received, 0
	p.users.n, p.ips.n, p.hashes.n = 0, 0, 0
	for _, t := range [...]*text{
		&p.code, &p.provider, &p.channel, &p.computer, &p.level, &p.keywords, &p.outcome, &p.action,
		&p.when, &p.stamp, &p.created, &p.message, &p.original, &p.sid, &p.userName, &p.userDomain, &p.hostName,
	} {
		*t = text{}
	}
	p.header = syslog.Header{}
	p.scratch.Reset(p.buf[:])
}

// Parse reads one Windows event: JSON as Winlogbeat, Elastic Agent, NXLog, evtx_dump and Wazuh write it, the event's own
// XML, either of them behind a syslog header, or the text that the Event Viewer shows. Other JSON is another parser's.
func Parse(r *sdk.Record, e *sdk.Event) abi.Outcome {
	p := &ev
	p.reset(r, e)
	body := trim(r.Raw)
	if len(body) > 0 && body[0] != '{' && (body[0] != '<' || hasPrefix(body, "<1") || !hasPrefix(body, "<E") && !hasPrefix(body, "<?")) {
		if syslog.Parse(body, r.Received, &p.header) && len(p.header.Message) > 0 {
			p.hostName = text{p.header.Hostname, nil}
			body = trim(p.header.Message)
		}
	}
	ok := false
	switch {
	case len(body) == 0:
	case body[0] == '{':
		ok = p.json(body, false)
	case body[0] == '<':
		ok = p.xml(body)
	default:
		ok = p.rendered(body)
	}
	if !ok {
		return sdk.NotMine
	}
	p.emit()
	return sdk.OK
}

// add keeps an entry of the event's data; "-" and blanks stand for nothing.
func (p *event) add(key []byte, val text, list bool) {
	if p.n < len(p.pairs) && len(val.v) > 0 && len(key) > 0 {
		p.pairs[p.n] = pair{key, val, list}
		p.n++
	}
}

// get returns an entry of the event's data by its name. One that is empty, or a dash, is not there.
func (p *event) get(name string) text {
	for i := range p.pairs[:p.n] {
		if d := &p.pairs[i]; len(d.key) == len(name) && str(d.key) == name {
			if v := trim(d.val.v); len(v) == 0 || len(v) == 1 && v[0] == '-' {
				continue
			}
			return d.val
		}
	}
	return text{}
}

// emit writes the fields that every event has, those of its provider, and its data as they are.
func (p *event) emit() {
	e := p.e
	sysmon := is(p.provider.v, "Microsoft-Windows-Sysmon")
	p.times(sysmon)
	e.Text(ecs.EventKind, "event", nil)
	e.Text(ecs.EventDataset, p.stream(sysmon), p.channel.at)
	p.put(ecs.EventCode, p.code)
	p.put(ecs.EventProvider, p.provider)
	if len(p.computer.v) > 0 {
		p.put(ecs.HostName, p.computer)
	} else {
		p.put(ecs.HostName, p.hostName)
	}
	p.put(ecs.Message, p.message)
	p.logLevel()
	code := number(p.code.v)
	switch {
	case sysmon:
		p.sysmon(code)
	case is(p.provider.v, "Microsoft-Windows-Security-Auditing") || is(p.provider.v, "Microsoft-Windows-Eventlog"):
		p.security(code)
	case is(p.provider.v, "PowerShell") || is(p.provider.v, "Microsoft-Windows-PowerShell") || is(p.provider.v, "PowerShellCore"):
		p.powershell(code)
	case is(p.provider.v, "Microsoft-Windows-Windows Defender"):
		p.defender(code)
	case is(p.provider.v, "Microsoft-Windows-AppLocker"):
		p.applocker(code)
	default:
		p.other(code)
	}
	p.native()
	p.users.emit(e, ecs.RelatedUser)
	p.ips.emit(e, ecs.RelatedIP)
	p.hashes.emit(e, ecs.RelatedHash)
}

// stream names the data stream as Elastic's packages do, by the channel.
func (p *event) stream(sysmon bool) string {
	switch c := p.channel.v; {
	case sysmon:
		return "windows.sysmon_operational"
	case fold(c, "security"):
		return "system.security"
	case fold(c, "system"):
		return "system.system"
	case fold(c, "application"):
		return "system.application"
	case is(p.provider.v, "PowerShell"), fold(c, "windows powershell"):
		return "windows.powershell"
	case is(p.provider.v, "Microsoft-Windows-PowerShell"):
		return "windows.powershell_operational"
	case is(p.provider.v, "Microsoft-Windows-Windows Defender"):
		return "windows.windows_defender"
	case is(p.provider.v, "Microsoft-Windows-AppLocker"):
		return "windows.applocker"
	}
	return "windows.forwarded"
}

// native emits the event's own fields under winlog.
func (p *event) native() {
	e := p.e
	const data = "winlog.event_data."
	p.key("winlog.channel", p.channel)
	p.key("winlog.event_id", p.code)
	p.key("winlog.provider_name", p.provider)
	p.key("winlog.computer_name", p.computer)
	p.key("winlog.user.identifier", p.sid)
	p.key("winlog.user.name", p.userName)
	p.key("winlog.user.domain", p.userDomain)
	for i := range p.pairs[:p.n] {
		if d := &p.pairs[i]; d.list {
			e.KeyElement(data, d.key, d.val.v, d.val.at)
		} else {
			e.Key(data, d.key, d.val.v, d.val.at)
		}
	}
}

func (p *event) put(name abi.Name, t text) { p.e.Bytes(name, t.v, t.at) }

func (p *event) key(name string, t text) { p.e.Key(name, nil, t.v, t.at) }

// place is where t stands in the record.
func (t text) place() []byte {
	if t.at != nil {
		return t.at
	}
	return t.v
}

func (r *related) add(t text) {
	for i := range r.v[:r.n] {
		if str(r.v[i].v) == str(t.v) {
			return
		}
	}
	if len(t.v) > 0 && r.n < len(r.v) {
		r.v[r.n] = t
		r.n++
	}
}

func (r *related) emit(e *sdk.Event, name abi.Name) {
	for i := range r.v[:r.n] {
		e.Element(name, r.v[i].v, r.v[i].at)
	}
}
