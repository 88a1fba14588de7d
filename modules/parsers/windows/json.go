package main

import (
	"github.com/vedette-siem/vedette/sdk/go/ecs"
	"github.com/vedette-siem/vedette/sdk/go/jsontok"
)

// json reads an event from JSON of any known shape; nested is a document that was the text of another one. It is false
// when the document is none, or no Windows event.
func (p *event) json(doc []byte, nested bool) bool {
	f := &p.flat
	for f.Reset(doc); f.Next(); {
		v, ok := p.scratch.Text(f.Value, f.Escaped)
		t := text{v, nil}
		if f.Escaped && ok {
			t.at = f.Value
		}
		if hasPrefix(f.Name, "winlog.event_data.") {
			p.add(last(f.Leaf, "winlog.event_data."), t, f.List)
			continue
		}
		p.member(str(f.Name), f, t)
	}
	if f.Err() != nil {
		return false
	}
	if len(p.code.v) == 0 && !nested {
		return p.inside()
	}
	if len(p.code.v) == 0 || len(p.code.v) > 5 || number(p.code.v) < 0 {
		return false
	}
	if len(p.provider.v) == 0 {
		p.provider = p.guess()
	}
	return len(p.channel.v) > 0 || len(p.provider.v) > 0 && (p.shaped() || len(p.computer.v) > 0)
}

// inside reads the event that a shipper has wrapped as the text of a message.
func (p *event) inside() bool {
	for _, t := range [...]text{p.message, p.original} {
		switch v := trim(t.v); {
		case len(v) == 0:
		case v[0] == '{':
			p.message = text{}
			return p.json(v, true)
		case v[0] == '<':
			p.message = text{}
			return p.xml(v)
		default:
			return p.rendered(v)
		}
	}
	return false
}

// shaped says whether what was read can only be a Windows event, though it names no channel.
func (p *event) shaped() bool { return hasPrefix(p.provider.v, "Microsoft-Windows-") || p.n > 0 }

// guess names the provider of channels that have one only.
func (p *event) guess() text {
	switch c := p.channel; {
	case fold(c.v, "security"):
		return text{[]byte("Microsoft-Windows-Security-Auditing"), c.place()}
	case is(c.v, "Microsoft-Windows-Sysmon/Operational"):
		return c.sub(0, len("Microsoft-Windows-Sysmon"))
	}
	return text{}
}

// member takes one value by its dotted name.
func (p *event) member(name string, f *jsontok.Flat, t text) {
	switch {
	case len(name) > 7 && name[:7] == "winlog.":
		p.winlog(name[7:], f, t)
	case len(name) > 6 && name[:6] == "Event.":
		p.dumped(name[6:], f, t)
	case len(name) > 4 && name[:4] == "win.":
		p.wazuh(name[4:], f, t)
	case len(name) > 15 && name[:15] == "data.win.system", len(name) > 18 && name[:18] == "data.win.eventdata":
		p.wazuh(name[9:], f, t)
	default:
		if !p.shared(name, t) && !p.nxlog(name, t) {
			p.rest(name, f, t)
		}
	}
}

// shared takes the ECS fields that Beats, Elastic Agent and the like put beside the event.
func (p *event) shared(name string, t text) bool {
	switch name {
	case "@timestamp":
		p.stamp = t
	case "message", "Message":
		p.message = t
	case "event.code":
		first(&p.code, t)
	case "event.provider":
		first(&p.provider, t)
	case "event.outcome":
		p.outcome = t
	case "event.action":
		p.action = t
	case "event.created":
		p.created = t
	case "host.name":
		p.hostName = t
	case "log.level":
		p.level = t
	case "event.original":
		p.original = t
	case "event.kind", "event.dataset", "event.category", "event.type":
	default:
		return false
	}
	return true
}

// winlog takes what Winlogbeat and Elastic Agent put under "winlog.".
func (p *event) winlog(name string, f *jsontok.Flat, t text) {
	switch name {
	case "event_id":
		p.code = t
	case "channel":
		p.channel = t
	case "provider_name":
		p.provider = t
	case "computer_name":
		p.computer = t
	case "time_created":
		p.when = t
	case "outcome":
		first(&p.outcome, t)
	case "level":
		first(&p.level, t)
	case "user.identifier":
		p.sid = t
	case "user.name":
		p.userName = t
	case "user.domain":
		p.userDomain = t
	case "keywords":
		p.keywords = t
		p.keep(f, t)
	default:
		if hasPrefixOf(name, "user_data.") {
			p.add(last(f.Leaf, "winlog.user_data."), t, f.List)
			return
		}
		p.keep(f, t)
	}
}

// dumped takes an event in the shape of its XML, as evtx_dump and others write it.
func (p *event) dumped(name string, f *jsontok.Flat, t text) {
	switch name {
	case "System.EventID", "System.EventID.#text", "System.EventID.value":
		p.code = t
	case "System.Channel":
		p.channel = t
	case "System.Provider.#attributes.Name", "System.Provider.Name", "System.Provider.@Name":
		p.provider = t
	case "System.Computer":
		p.computer = t
	case "System.TimeCreated.#attributes.SystemTime", "System.TimeCreated.SystemTime", "System.TimeCreated.@SystemTime":
		p.when = t
	case "System.Level":
		p.level = t
	case "System.Keywords":
		p.keywords = t
	case "System.Security.#attributes.UserID", "System.Security.UserID", "System.Security.@UserID":
		p.sid = t
	case "System.EventRecordID":
		p.key("winlog.record_id", t)
	case "System.Task":
		p.key("winlog.task", t)
	case "System.Opcode":
		p.key("winlog.opcode", t)
	case "System.Version":
		p.key("winlog.version", t)
	case "System.Execution.#attributes.ProcessID", "System.Execution.ProcessID", "System.Execution.@ProcessID":
		p.key("winlog.process.pid", t)
	case "System.Execution.#attributes.ThreadID", "System.Execution.ThreadID", "System.Execution.@ThreadID":
		p.key("winlog.process.thread.id", t)
	case "System.Correlation.#attributes.ActivityID", "System.Correlation.ActivityID":
		p.key("winlog.activity_id", t)
	default:
		if hasPrefixOf(name, "EventData.") || hasPrefixOf(name, "UserData.") {
			p.datum(f, t)
		}
	}
}

// datum takes an entry of EventData or UserData; attributes of the XML are left out.
func (p *event) datum(f *jsontok.Flat, t text) {
	if is(f.Leaf, "Data") || is(f.Leaf, "#text") {
		p.param(t)
	} else if !is(f.Leaf, "xmlns") && f.Kind != jsontok.Array {
		p.add(f.Leaf, t, f.List)
	}
}

// params are the names that Beats give to data without a name.
var params = [...]string{"param1", "param2", "param3", "param4", "param5", "param6", "param7", "param8", "param9", "param10"}

// param takes data without a name.
func (p *event) param(t text) {
	n := 0
	for i := range p.pairs[:p.n] {
		if hasPrefix(p.pairs[i].key, "param") {
			n++
		}
	}
	if n < len(params) {
		p.add(bytesOf(params[n]), t, false)
	}
}

// wazuh takes what Wazuh's agent makes of an event. Its names begin with a small letter.
func (p *event) wazuh(name string, f *jsontok.Flat, t text) {
	switch name {
	case "system.eventID":
		p.code = t
	case "system.channel":
		p.channel = t
	case "system.providerName":
		p.provider = t
	case "system.computer":
		p.computer = t
	case "system.systemTime":
		p.when = t
	case "system.level":
		p.level = t
	case "system.keywords":
		p.keywords = t
	case "system.message":
		p.message = t
	case "system.eventRecordID":
		p.key("winlog.record_id", t)
	default:
		if hasPrefixOf(name, "eventdata.") {
			p.add(p.capital(f.Leaf), t, f.List)
		}
	}
}

// capital returns a key with a capital letter at its beginning, as Windows writes it.
func (p *event) capital(key []byte) []byte {
	if len(key) == 0 || key[0]-'a' >= 26 {
		return key
	}
	k, ok := p.scratch.Copy(key)
	if !ok {
		return key
	}
	k[0] -= 'a' - 'A'
	return k
}

// nxlog takes the names of flat JSON: NXLog's, Fluent Bit's, Splunk's and those that exports of event logs use.
func (p *event) nxlog(name string, t text) bool {
	switch name {
	case "EventID", "event_id", "EventCode", "Id":
		p.code = t
	case "Channel", "LogName", "Logfile":
		p.channel = t
	case "SourceName", "ProviderName", "Provider_Name", "Provider", "provider_name":
		p.provider = t
	case "Hostname", "Computer", "ComputerName", "MachineName":
		first(&p.computer, t)
	case "EventTime", "TimeCreated", "SystemTime", "TimeGenerated":
		p.when = t
	case "Keywords":
		p.keywords = t
	case "EventType":
		if is(t.v, "AUDIT_SUCCESS") || is(t.v, "AUDIT_FAILURE") {
			p.keywords = t
		} else {
			p.add([]byte("EventType"), t, false) // the registry's, in Sysmon's events
		}
	case "Severity", "Level":
		p.level = t
	case "UserID", "SecurityUserID":
		p.sid = t
	case "RecordNumber", "EventRecordID", "RecordId":
		p.key("winlog.record_id", t)
	case "ExecutionProcessID":
		p.key("winlog.process.pid", t)
	case "ThreadID", "ExecutionThreadID":
		p.key("winlog.process.thread.id", t)
	case "Task":
		p.key("winlog.task", t)
	case "Opcode", "OpcodeValue":
		p.key("winlog.opcode", t)
	case "ProviderGuid", "Guid":
		p.key("winlog.provider_guid", t)
	case "ActivityID":
		p.key("winlog.activity_id", t)
	case "Version", "SeverityValue", "EventReceivedTime", "SourceModuleName", "SourceModuleType", "Category", "host", "source", "sourcetype":
	default:
		return false
	}
	return true
}

// rest takes what has no place of its own: a flat name is data of the event, a dotted one is the shipper's.
func (p *event) rest(name string, f *jsontok.Flat, t text) {
	for i := range len(name) {
		if name[i] != '.' {
			continue
		}
		switch name[:i] {
		case "agent", "ecs", "input", "host", "log", "elastic_agent", "data_stream", "fields", "labels", "cloud", "organization", "observer":
			p.keep(f, t)
		case "EventData", "event_data", "eventdata", "UserData":
			p.datum(f, t)
		}
		return
	}
	switch name {
	case "tags":
		p.e.Element(ecs.Tags, t.v, t.at)
	case "StringInserts":
		p.param(t)
	default:
		p.add(f.Leaf, t, f.List)
	}
}

// keep emits a value under the name that it has.
func (p *event) keep(f *jsontok.Flat, t text) {
	if f.List {
		p.e.KeyElement("", f.Name, t.v, t.at)
		return
	}
	p.e.Key("", f.Name, t.v, t.at)
}

// last takes the prefix off a key that was written with its dots.
func last(key []byte, prefix string) []byte {
	if hasPrefix(key, prefix) {
		return key[len(prefix):]
	}
	return key
}

func first(to *text, t text) {
	if len(to.v) == 0 {
		*to = t
	}
}
