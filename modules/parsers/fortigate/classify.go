package main

import (
	"bytes"
	"unsafe"

	"github.com/vedette-siem/vedette/sdk/go/ecs"
)

// classify says what kind of event it is, by type, subtype and action.
func (p *record) classify() {
	switch t := p.v[kType]; {
	case is(t, "traffic"):
		p.traffic()
	case is(t, "event"):
		p.device()
	case t != nil:
		p.utm()
	default:
		return
	}
	p.e.Text(ecs.EventKind, "event", nil)
}

// traffic is the record of a session, written at its end unless the action says otherwise.
func (p *record) traffic() {
	e, action := p.e, p.v[kAction]
	e.Bytes(ecs.EventAction, action, nil)
	e.Text(ecs.EventOutcome, "success", nil)
	e.ElementText(ecs.EventCategory, "network", nil)
	e.ElementText(ecs.EventType, "connection", nil)
	if is(action, "start") {
		e.ElementText(ecs.EventType, "start", action)
	} else {
		e.ElementText(ecs.EventType, "end", action)
	}
	if p.v[kApp] != nil {
		e.ElementText(ecs.EventType, "protocol", p.v[kApp])
	}
	switch utm := p.v[kUTMAction]; {
	case blocked(action), blocked(utm):
		e.ElementText(ecs.EventType, "denied", p.either(kUTMAction, kAction))
	case utm == nil:
		e.ElementText(ecs.EventType, "allowed", action)
	}
}

func blocked(action []byte) bool {
	switch unsafe.String(unsafe.SliceData(action), len(action)) {
	case "block", "blocked", "deny", "denied", "drop", "dropped", "reset", "reset_client", "reset_server", "clear_session":
		return true
	}
	return false
}

// utm is what a security profile has found, or has let pass.
func (p *record) utm() {
	e, action := p.e, p.v[kAction]
	if v := p.v[kEventType]; v != nil {
		e.Bytes(ecs.EventAction, v, nil)
	} else {
		e.Bytes(ecs.EventAction, action, nil)
	}
	e.ElementText(ecs.EventCategory, "network", nil)
	if is(p.v[kSubtype], "dns") {
		e.ElementText(ecs.EventType, "info", p.v[kSubtype])
	}
	if action == nil {
		return
	}
	e.Text(ecs.EventOutcome, "success", nil)
	switch {
	case blocked(action):
		e.ElementText(ecs.EventType, "denied", action)
	case is(action, "pass"), is(action, "passthrough"), is(action, "allow"), is(action, "allowed"), is(action, "permit"):
		e.ElementText(ecs.EventType, "allowed", action)
	}
}

// device is an event of the FortiGate itself: administration, VPN, users, high availability and so on.
func (p *record) device() {
	e, action := p.e, p.v[kAction]
	switch sub := p.v[kSubtype]; {
	case is(sub, "vpn"):
		e.ElementText(ecs.EventCategory, "network", sub)
		e.ElementText(ecs.EventType, "connection", sub)
		switch {
		case is(p.v[kResult], "OK"):
			e.Text(ecs.EventOutcome, "success", p.v[kResult])
		case is(p.v[kResult], "ERROR"), is(p.v[kStatus], "negotiate_error"), is(p.v[kStatus], "failure"):
			e.Text(ecs.EventOutcome, "failure", p.either(kResult, kStatus))
		case is(action, "ssl-login-fail"):
			e.Text(ecs.EventOutcome, "failure", action)
		}
	case is(sub, "user"):
		e.ElementText(ecs.EventCategory, "authentication", sub)
		switch {
		case is(action, "FSSO-logon"), is(action, "auth-logon"):
			e.ElementText(ecs.EventType, "start", action)
			e.Text(ecs.EventOutcome, "success", action)
		case is(action, "FSSO-logoff"), is(action, "auth-logout"):
			e.ElementText(ecs.EventType, "end", action)
			e.Text(ecs.EventOutcome, "success", action)
		default:
			p.outcome()
		}
	case is(action, "login"), is(action, "logout"):
		e.Bytes(ecs.EventAction, action, nil)
		e.ElementText(ecs.EventCategory, "authentication", action)
		p.outcome()
	case p.v[kAuthMsg] != nil:
		e.Text(ecs.EventAction, "login", p.v[kAuthMsg])
		e.ElementText(ecs.EventCategory, "authentication", p.v[kAuthMsg])
		if is(p.v[kAuthMsg], "Failed") {
			e.Text(ecs.EventOutcome, "failure", p.v[kAuthMsg])
		} else {
			e.Text(ecs.EventOutcome, "success", p.v[kAuthMsg])
		}
	}
}

func (p *record) outcome() {
	switch s := p.v[kStatus]; {
	case is(s, "success"):
		p.e.Text(ecs.EventOutcome, "success", s)
	case is(s, "failed"), is(s, "failure"):
		p.e.Text(ecs.EventOutcome, "failure", s)
	}
}

func (p *record) rule() {
	e := p.e
	if !is(p.v[kType], "event") {
		if is(p.v[kType], "traffic") {
			e.Bytes(ecs.RuleRuleset, p.v[kPolicyType], nil)
			e.Key(native, bytesOf("applist"), p.v[kAppList], nil)
			e.Key(native, bytesOf("profile"), p.v[kProfile], nil)
		} else if p.first(ecs.RuleRuleset, kProfile, kAppList) != nil {
			e.Key(native, bytesOf("policytype"), p.v[kPolicyType], nil)
		} else {
			e.Bytes(ecs.RuleRuleset, p.v[kPolicyType], nil)
		}
	} else {
		e.Key(native, bytesOf("profile"), p.v[kProfile], nil)
	}
	if c := p.v[kAppCat]; c != nil {
		p.category(c)
	} else {
		e.Bytes(ecs.RuleCategory, p.v[kCatDesc], nil)
	}
	p.first(ecs.RuleDescription, kLogDesc, kComment)
}

// category writes "Web.Client" as "Web-Client".
func (p *record) category(c []byte) {
	if bytes.IndexByte(c, '.') < 0 || len(c) > len(p.scratch) {
		p.e.Bytes(ecs.RuleCategory, c, nil)
		return
	}
	for i, b := range c {
		if b == '.' {
			b = '-'
		}
		p.scratch[i] = b
	}
	p.e.Bytes(ecs.RuleCategory, p.scratch[:len(c)], c)
}

// users emits the user behind the traffic, and for logins to the device the administrator.
func (p *record) users() {
	e := p.e
	user := p.first(ecs.SourceUserName, kUser, kUnauthUser)
	if user == nil {
		return
	}
	e.Element(ecs.RelatedUser, user, nil)
	if !is(p.v[kType], "event") || !is(p.v[kSubtype], "system") || !is(p.v[kAction], "login") && !is(p.v[kAction], "logout") && p.v[kAuthMsg] == nil {
		return
	}
	e.Bytes(ecs.UserName, user, nil)
	if msg := p.v[kMsg]; hasPrefix(msg, "Administrator ") {
		e.Element(ecs.UserRoles, msg[:13], nil)
		e.Element(ecs.SourceUserRoles, msg[:13], nil)
	}
}

// web splits the URL, which is a path or the whole.
func (p *record) web() {
	e := p.e
	url, host := p.v[kURL], p.v[kHostname]
	if i := bytes.Index(url, slashes); i > 0 {
		e.Bytes(ecs.URLScheme, url[:i], nil)
		url = url[i+len(slashes):]
		end := bytes.IndexByte(url, '/')
		if end < 0 {
			end = len(url)
		}
		if host == nil {
			host = url[:end]
			if colon := bytes.LastIndexByte(host, ':'); colon > 0 {
				host = host[:colon]
			}
		}
		url = url[end:]
	}
	if is(p.v[kType], "event") && p.v[kHostname] != nil { // a client's name, as in DHCP's events
		e.Key(native, bytesOf("hostname"), host, nil)
	} else {
		e.Bytes(ecs.URLDomain, host, nil)
	}
	if i := bytes.IndexByte(url, '?'); i >= 0 {
		e.Bytes(ecs.URLQuery, url[i+1:], nil)
		url = url[:i]
	}
	e.Bytes(ecs.URLPath, url, nil)
	p.host(host, nil)
	p.host(p.v[kDstName], nil)
	p.host(p.v[kQName], nil)
	if src := p.v[kSrcName]; src != nil {
		p.host(p.lower(ecs.HostName, src), src)
	}
}

var slashes = []byte("://")

// host adds a name to related.hosts once.
func (p *record) host(name, at []byte) {
	if len(name) == 0 {
		return
	}
	for _, known := range p.hosts[:p.hn] {
		if bytes.Equal(known, name) {
			return
		}
	}
	p.hosts[p.hn] = name
	p.hn++
	p.e.Element(ecs.RelatedHosts, name, at)
}

func (p *record) mail() {
	if v := p.either(kFrom, kSender); v != nil {
		p.e.Element(ecs.EmailFromAddress, v, nil)
	}
	if v := p.either(kTo, kRecipient); v != nil {
		p.e.Element(ecs.EmailToAddress, v, nil)
	}
}

func (p *record) tls() {
	const subject, issuer = "tls.server.x509.subject.", "tls.server.x509.issuer."
	p.e.KeyElement(subject, commonName, p.v[kSCertCName], nil)
	p.e.KeyElement(issuer, commonName, p.v[kSCertIssuer], nil)
	p.first(ecs.TLSServerIssuer, kSCertIssuer, kIssuer)
}

var commonName = []byte("common_name")
