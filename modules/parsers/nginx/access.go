package main

import (
	"github.com/vedette-siem/vedette/sdk/go/clock"
	"github.com/vedette-siem/vedette/sdk/go/ecs"
	"github.com/vedette-siem/vedette/sdk/go/scan"
)

const clf = len("02/Jan/2006:15:04:05 -0700")

// access reads a line of an access log, the combined format and what is often put before and behind it:
//
//	[host[:port]] client[, client…] - user [time] "request" status bytes ["referrer" "agent" [more]]
func (p *record) access(b []byte) bool {
	at := 0
	for {
		i := scan.Text(b[at:min(len(b), MaxHeadBytes)], " [")
		if i < 0 {
			return false
		}
		if at += i + 2; len(b) > at+clf+2 && b[at+clf] == ']' && b[at+clf+1] == ' ' {
			break
		}
	}
	ns, ok := clock.CLF(b[at : at+clf])
	head, rest := b[:at-2], b[at+clf+2:]
	if !ok || len(rest) == 0 || rest[0] != '"' {
		return false
	}
	request, rest := quoted(rest)
	status, rest := word(rest)
	size, rest := word(rest)
	code, ok := number(status)
	if !ok || code < 100 || code > 999 || len(size) == 0 {
		return false
	}
	var referrer, agent []byte
	if len(rest) > 0 && rest[0] == '"' {
		referrer, rest = quoted(rest)
		if len(rest) > 0 && rest[0] == '"' {
			agent, rest = quoted(rest)
		}
	}
	ingress := len(agent) > 0 && len(rest) > 0 && isIngress(rest)
	dataset, kind := "nginx.access", "access"
	if ingress {
		dataset, kind = "nginx.ingress_controller", "info"
	}
	p.begin(dataset, kind, ns)
	host := p.head(head, dataset)
	p.request(request, host)
	e := p.e
	e.Int(ecs.HTTPResponseStatusCode, code, status)
	if code < 400 {
		e.Text(ecs.EventOutcome, "success", status)
	} else {
		e.Text(ecs.EventOutcome, "failure", status)
	}
	if n, ok := number(size); ok {
		e.Int(ecs.HTTPResponseBodyBytes, n, size)
	}
	e.Bytes(ecs.HTTPRequestReferrer, present(referrer), nil)
	e.Bytes(ecs.UserAgentOriginal, present(agent), nil)
	switch {
	case ingress:
		p.ingress(rest)
	case len(rest) > 0 && rest[0] == '"':
		forwarded, _ := quoted(rest)
		first, _ := cutList(forwarded)
		if address(first) {
			e.Bytes(ecs.NetworkForwardedIP, first, nil)
			p.related(first)
		}
	}
	return true
}

// present is nil for the dash that stands for nothing.
func present(v []byte) []byte {
	if is(v, "-") {
		return nil
	}
	return v
}

// quoted reads a text in quotes, in which nginx hides quotes as \x22 and Apache as \", and the blanks behind it.
func quoted(b []byte) (v, rest []byte) {
	for i := 1; i < len(b); i += 2 {
		n := scan.Either(b[i:], '"', '\\')
		if n < 0 {
			break
		}
		if i += n; b[i] == '"' {
			return b[1:i], trim(b[i+1:])
		}
	}
	return b[1:], nil
}

func word(b []byte) (v, rest []byte) {
	if i := scan.Byte(b, ' '); i >= 0 {
		return b[:i], trim(b[i+1:])
	}
	return b, nil
}

// cutList parts the first entry from a list with commas.
func cutList(b []byte) (first, rest []byte) {
	if i := scan.Byte(b, ','); i >= 0 {
		return trim(b[:i]), trim(b[i+1:])
	}
	return trim(b), nil
}

// head reads what stands before the time, from its end: user, identity, addresses. It returns the virtual host's name.
func (p *record) head(b []byte, dataset string) (host []byte) {
	rest := b
	for i := len(b) - 1; i >= 2; i-- {
		if b[i] == ' ' && b[i-1] == '-' && (i == 2 || b[i-2] == ' ') {
			p.e.Bytes(ecs.UserName, present(b[i+1:]), nil)
			if user := present(b[i+1:]); user != nil {
				p.e.Element(ecs.RelatedUser, user, nil)
			}
			rest = trim(b[:i-1])
			break
		}
	}
	if i := scan.Byte(rest, ' '); i > 0 && rest[0] != '"' && rest[i-1] != ',' {
		host = p.server(rest[:i])
		rest = rest[i+1:]
	}
	p.clients(rest, dataset)
	return host
}

// server emits the virtual host; the name is returned, but not an address.
func (p *record) server(v []byte) []byte {
	name := v
	if i := len(v) - 1; !address(v) {
		for i > 0 && v[i] != ':' {
			i--
		}
		if port, ok := number(v[i+1:]); ok && i > 0 {
			p.e.Int(ecs.DestinationPort, port, v[i+1:])
			name = v[:i]
		}
	}
	if address(name) {
		p.e.Bytes(ecs.DestinationIP, name, nil)
		p.related(name)
		return nil
	}
	p.e.Bytes(ecs.DestinationDomain, name, nil)
	return name
}

// clients reads the addresses that a request has gone through. The source is the first public one, or else the first.
func (p *record) clients(b []byte, dataset string) {
	for i := 0; i < len(b); {
		for i < len(b) && (b[i] == ' ' || b[i] == ',' || b[i] == '"') {
			i++
		}
		start := i
		for i < len(b) && b[i] != ' ' && b[i] != ',' && b[i] != '"' {
			i++
		}
		if i > start && p.n < len(p.addrs) {
			p.addrs[p.n] = b[start:i]
			p.n++
		}
	}
	var source []byte
	public := false
	list := []byte(".remote_ip_list")
	for _, a := range p.addrs[:p.n] {
		p.e.KeyElement(dataset, list, a, nil)
		if !address(a) {
			continue
		}
		if source == nil || !public && isPublic(a) {
			source, public = a, isPublic(a)
		}
	}
	if source == nil {
		if p.n > 0 {
			p.e.Bytes(ecs.SourceAddress, p.addrs[0], nil)
		}
		return
	}
	p.e.Bytes(ecs.SourceIP, source, nil)
	p.e.Bytes(ecs.SourceAddress, source, nil)
	p.related(source)
}

// request reads "METHOD target HTTP/version"; what is not of this form is no request and is kept as it is.
func (p *record) request(b, host []byte) {
	e := p.e
	method, rest := word(b)
	end := len(rest)
	for end > 0 && rest[end-1] != ' ' {
		end--
	}
	version := rest[end:]
	if len(rest) == 0 || !token(method) || !hasPrefix(version, "HTTP/") {
		e.Bytes(ecs.URLDomain, host, nil)
		if len(b) > 0 && !is(b, "-") {
			e.Key("nginx.access.request", nil, b, nil)
		}
		return
	}
	e.Bytes(ecs.HTTPRequestMethod, method, nil)
	e.Bytes(ecs.HTTPVersion, version[len("HTTP/"):], nil)
	target := trim(rest[:end])
	e.Bytes(ecs.URLOriginal, target, nil)
	if i := scan.Text(target, "://"); i > 0 && i < 8 {
		e.Bytes(ecs.URLScheme, target[:i], nil)
		host, target = authority(target[i+3:])
	}
	e.Bytes(ecs.URLDomain, host, nil)
	p.target(target)
}

// authority parts the host from the path of an absolute target.
func authority(b []byte) (host, path []byte) {
	host = b
	if i := scan.Byte(b, '/'); i >= 0 {
		host, path = b[:i], b[i:]
	}
	if i := scan.Byte(host, ':'); i > 0 && scan.Byte(host, ']') < 0 {
		host = host[:i]
	}
	return host, path
}

// target emits path, extension and query.
func (p *record) target(b []byte) {
	path := b
	if i := scan.Byte(b, '?'); i >= 0 {
		path = b[:i]
		p.e.Bytes(ecs.URLQuery, b[i+1:], nil)
	}
	if len(path) == 0 || path[0] != '/' {
		return // "*" of OPTIONS, or the host of CONNECT
	}
	if scan.Byte(path, '%') < 0 {
		p.e.Bytes(ecs.URLPath, path, nil)
	} else {
		p.e.Bytes(ecs.URLPath, p.decode(path), path)
	}
	for i := len(path) - 1; i > 0 && path[i] != '/'; i-- {
		if path[i] == '.' {
			if ext := path[i+1:]; len(ext) > 0 && scan.Byte(ext, '%') < 0 {
				p.e.Bytes(ecs.URLExtension, ext, nil)
			}
			return
		}
	}
}

// decode takes the percent signs off a path.
func (p *record) decode(b []byte) []byte {
	if len(b) > len(p.path) {
		return b
	}
	n := 0
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c == '%' && i+2 < len(b) {
			hi, lo := hex(b[i+1]), hex(b[i+2])
			if hi < 16 && lo < 16 {
				c = hi<<4 | lo
				i += 2
			}
		}
		p.path[n] = c
		n++
	}
	return p.path[:n]
}

func hex(c byte) byte {
	switch {
	case c-'0' <= 9:
		return c - '0'
	case (c|0x20)-'a' < 6:
		return (c | 0x20) - 'a' + 10
	}
	return 255
}

// token says whether b may be a method.
func token(b []byte) bool {
	for _, c := range b {
		if (c|0x20)-'a' > 25 && c != '-' && c != '_' {
			return false
		}
	}
	return len(b) > 0 && len(b) <= 32
}

// isIngress says whether the ingress controller's fields follow: length, seconds and the upstream's name in brackets.
func isIngress(b []byte) bool {
	length, rest := word(b)
	_, rest = word(rest)
	_, ok := number(length)
	return ok && len(rest) > 0 && rest[0] == '['
}

// ingress reads what the Kubernetes ingress controller writes behind the user agent:
//
//	length seconds [upstream] [alternative] address[, …] length[, …] seconds[, …] status[, …] id
func (p *record) ingress(b []byte) {
	const native = "nginx.ingress_controller."
	e := p.e
	length, b := word(b)
	e.Key(native, []byte("http.request.length"), length, nil)
	seconds, b := word(b)
	e.Key(native, []byte("http.request.time"), seconds, nil)
	for _, name := range [...]string{"upstream.name", "upstream.alternative_name"} {
		end := scan.Byte(b, ']')
		if len(b) == 0 || b[0] != '[' || end < 0 {
			return
		}
		e.Key(native, []byte(name), b[1:end], nil)
		b = trim(b[end+1:])
	}
	for _, name := range [...]string{"upstream_address_list", "upstream.response.length_list", "upstream.response.time_list", "upstream.response.status_code_list"} {
		for more := true; more && len(b) > 0; {
			var v []byte
			v, b = word(b)
			if more = v[len(v)-1] == ','; more {
				v = v[:len(v)-1]
			}
			e.KeyElement(native, []byte(name), v, nil)
		}
	}
	id, _ := word(b)
	e.Bytes(ecs.HTTPRequestID, present(id), nil)
}
