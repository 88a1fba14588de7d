package main

import (
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/clock"
	"github.com/vedette-siem/vedette/sdk/go/ecs"
)

// times says when the event happened, and when it was written where that is another time.
func (p *event) times(sysmon bool) {
	when, written := p.when, text{}
	if len(when.v) == 0 {
		when = p.stamp
	}
	if utc := p.get("UtcTime"); sysmon && len(utc.v) > 0 {
		when, written = utc, p.when
	}
	ns, ok := moment(when.v)
	if !ok {
		ns, ok = moment(p.stamp.v)
	}
	switch {
	case ok:
		p.e.Time(ns)
	case p.header.HasTime && p.header.Time != 0:
		p.e.Time(p.header.Time)
	}
	if len(p.created.v) > 0 {
		written = p.created
	}
	if ns, ok := moment(written.v); ok {
		p.e.Timestamp(ecs.EventCreated, ns, written.place())
	}
}

// moment reads a time as Windows and the shippers write it: ISO 8601, a number since 1970, or "/Date(ms)/".
func moment(v []byte) (ns int64, ok bool) {
	v = trim(v)
	if ns, ok = clock.RFC3339(v); ok {
		return ns, true
	}
	if hasPrefix(v, "/Date(") && len(v) > 8 {
		v = v[len("/Date(") : len(v)-2]
	}
	return clock.Epoch(v)
}

// levels are the names that Windows gives to the numbers of Level.
var levels = [...]string{"information", "critical", "error", "warning", "information", "verbose"}

func (p *event) logLevel() {
	t := p.level.trimmed()
	switch n := number(t.v); {
	case n >= 0 && n < int64(len(levels)):
		p.e.Text(ecs.LogLevel, levels[n], t.place())
	case fold(t.v, "info"):
		p.e.Text(ecs.LogLevel, "information", t.place())
	default:
		p.put(ecs.LogLevel, t)
	}
}

// outcomeOf tells how it went, from the shipper's word or from the audit bits of Keywords.
func (p *event) outcomeOf() {
	const success, failure = 1 << 53, 1 << 52
	t := p.outcome
	if len(t.v) > 0 {
		p.put(ecs.EventOutcome, t)
		return
	}
	k := p.keywords
	mask, _ := bits(k.v)
	switch {
	case mask&failure != 0, fold(k.v, "audit failure"), is(k.v, "AUDIT_FAILURE"):
		p.e.Text(ecs.EventOutcome, "failure", k.place())
	case mask&success != 0, fold(k.v, "audit success"), is(k.v, "AUDIT_SUCCESS"):
		p.e.Text(ecs.EventOutcome, "success", k.place())
	}
}

// person emits a user; name may be DOMAIN\name or name@domain.
func (p *event) person(id, domain, name text) {
	p.put(ecs.UserID, id)
	domain, name = split(domain, name)
	p.put(ecs.UserDomain, domain)
	p.put(ecs.UserName, name)
	p.users.add(name)
}

// split parts DOMAIN\name and, when a domain is known beside it, name@domain.
func split(domain, name text) (text, text) {
	if i := index(name.v, '\\'); i > 0 {
		at := name.place()
		return text{name.v[:i], at}, text{name.v[i+1:], at}
	}
	if i := index(name.v, '@'); i > 0 && len(domain.v) > 0 {
		name = text{name.v[:i], name.place()}
	}
	return domain, name
}

// target emits the user whom something was done to.
func (p *event) target(id, domain, name text) {
	p.key("user.target.id", id)
	p.key("user.target.domain", domain)
	p.key("user.target.name", name)
	p.users.add(name)
}

// program emits a process' executable, its name and its number.
func (p *event) program(executable, pid text) {
	p.put(ecs.ProcessExecutable, executable)
	if i := lastIndex(executable.v, '\\'); i >= 0 {
		p.put(ecs.ProcessName, executable.sub(i+1, len(executable.v)))
	}
	p.integer(ecs.ProcessPID, pid)
}

// integer emits a number, decimal or 0x.
func (p *event) integer(name abi.Name, t text) {
	if n := number(trim(t.v)); n >= 0 {
		p.e.Int(name, n, t.place())
	}
}

func (p *event) port(name abi.Name, t text) {
	if n := number(t.v); n >= 0 && n < 1<<16 {
		p.e.Int(name, n, t.place())
	}
}

// ip emits an address; what is none is emitted as a domain, when that has a name.
func (p *event) ip(name, domain abi.Name, t text) {
	a, ok := address(t)
	switch {
	case ok:
		p.put(name, a)
		p.ips.add(a)
	case domain != 0:
		p.put(domain, t)
	}
}

// file emits a path and its parts.
func (p *event) file(path text) {
	v := path.v
	p.put(ecs.FilePath, path)
	i := lastIndex(v, '\\')
	if i > 0 {
		p.put(ecs.FileDirectory, path.sub(0, i))
	}
	if i < 0 {
		return
	}
	name := path.sub(i+1, len(v))
	p.put(ecs.FileName, name)
	if dot := lastIndex(name.v, '.'); dot >= 0 && dot+1 < len(name.v) {
		p.put(ecs.FileExtension, name.sub(dot+1, len(name.v)))
	}
}

// command emits a command line and its arguments, without the quotes around them, as a program receives them.
func (p *event) command(line, args, count abi.Name, t text) {
	if len(t.v) == 0 {
		return
	}
	p.put(line, t)
	v, n := t.v, 0
	for i := 0; i < len(v) && n < MaxArgs; {
		for i < len(v) && v[i] <= ' ' {
			i++
		}
		start, quoted := i, false
		for i < len(v) && (quoted || v[i] > ' ') {
			if v[i] == '"' && (i == 0 || v[i-1] != '\\' || quoted && i+1 < len(v) && v[i+1] <= ' ') {
				quoted = !quoted
			}
			i++
		}
		arg := t.sub(start, i)
		if k := len(arg.v); k > 2 && arg.v[0] == '"' && arg.v[k-1] == '"' {
			arg = arg.sub(1, k-1)
		}
		if len(arg.v) > 0 {
			p.e.Element(args, arg.v, arg.at)
			n++
		}
	}
	p.e.Int(count, int64(n), t.place())
}

// sum are the fields of one kind of hash.
type sum struct {
	name          string
	process, file abi.Name
	native        string // winlog and ECS' pe fields
}

var sums = [...]sum{
	{"MD5", ecs.ProcessHashMD5, ecs.FileHashMD5, ""},
	{"SHA1", ecs.ProcessHashSHA1, ecs.FileHashSHA1, ""},
	{"SHA256", ecs.ProcessHashSHA256, ecs.FileHashSHA256, ""},
	{"IMPHASH", 0, 0, "pe.imphash"},
}

// Whose hashes the field Hashes holds.
const (
	nobody = iota
	ofProcess
	ofFile
)

// hash reads "SHA1=…,MD5=…" into the fields of its owner, in small letters.
func (p *event) hash(t text, owner int) {
	for v := t.v; len(v) > 0; {
		one := v
		if i := index(v, ','); i >= 0 {
			one, v = v[:i], v[i+1:]
		} else {
			v = nil
		}
		i := index(one, '=')
		if i < 0 {
			continue
		}
		for k := range sums {
			if s := &sums[k]; is(one[:i], s.name) {
				p.digest(s, text{one[i+1:], t.place()}, owner)
			}
		}
	}
}

func (p *event) digest(s *sum, t text, owner int) {
	zero := true
	for _, c := range t.v {
		zero = zero && c == '0'
	}
	if zero {
		return
	}
	if b, ok := p.scratch.Copy(t.v); ok {
		for i, c := range b {
			if c-'A' < 26 {
				b[i] = c | 0x20
			}
		}
		t = text{b, t.at}
	}
	p.hashes.add(t)
	switch {
	case owner == ofProcess && s.process != 0:
		p.put(s.process, t)
	case owner == ofFile && s.file != 0:
		p.put(s.file, t)
	case owner == ofProcess:
		p.e.Key("process.", bytesOf(s.native), t.v, t.at)
	case owner == ofFile:
		p.e.Key("file.", bytesOf(s.native), t.v, t.at)
	}
}
