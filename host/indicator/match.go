package indicator

import (
	"math/bits"
	"net/netip"
	"strings"
	"unsafe"

	"github.com/vedette-siem/vedette/storage"
)

// Feed is a set under the name that people gave it.
type Feed struct {
	Name string
	Set  *Set
}

// Match is an indicator that an event holds.
type Match struct {
	Indicator
	Feed  string
	Field string // where it was found first
	place uint32
	set   *Set
}

// Matcher finds indicators in events. It belongs to one goroutine; its zero value is ready.
type Matcher struct {
	probe probe
	known [1 << knownBits]known
}

// known is a field name that was looked up before. Names of events are few strings that come again and again, so the
// address tells most of them; it is nobody else's as long as the name is held here.
type known struct {
	name string
	kind kind
	seen bool
}

const knownBits = 9

// kind says what the value of a field is.
type kind uint8

const (
	nothing kind = iota
	isAddr
	isHost // an address or a domain
	isURL
	isDigest
	isMail
	urlOriginal // as in the request: whole, or a path
	urlDomain
	urlPath
	urlQuery
)

// kinds are the ECS fields in which indicators are looked for.
var kinds = map[string]kind{
	"source.ip": isAddr, "destination.ip": isAddr, "client.ip": isAddr, "server.ip": isAddr, "source.nat.ip": isAddr, "destination.nat.ip": isAddr,
	"host.ip": isAddr, "related.ip": isAddr, "dns.resolved_ip": isAddr, "network.forwarded_ip": isAddr, "observer.ip": isAddr,
	"source.address": isHost, "destination.address": isHost, "client.address": isHost, "server.address": isHost,
	"source.domain": isHost, "destination.domain": isHost, "client.domain": isHost, "server.domain": isHost,
	"dns.question.name": isHost, "dns.answers.name": isHost, "dns.answers.data": isHost, "tls.client.server_name": isHost, "related.hosts": isHost,
	"url.full": isURL, "http.request.referrer": isURL, "url.original": urlOriginal, "url.domain": urlDomain, "url.path": urlPath, "url.query": urlQuery,
	"related.hash":       isDigest,
	"email.from.address": isMail, "email.sender.address": isMail, "email.reply_to.address": isMail, "email.to.address": isMail, "email.cc.address": isMail,
	"email.bcc.address": isMail, "user.email": isMail, "source.user.email": isMail, "destination.user.email": isMail,
}

// kindOf tells what a field's value is.
func kindOf(name string) kind {
	if k, ok := kinds[name]; ok {
		return k
	}
	if at := strings.LastIndexByte(name, '.'); at > 5 && strings.HasSuffix(name[:at], ".hash") {
		switch name[at+1:] {
		case "md5", "sha1", "sha256", "sha512":
			return isDigest
		}
	}
	return nothing
}

func (m *Matcher) kindOf(name string) kind {
	at := unsafe.StringData(name)
	k := &m.known[uint64(uintptr(unsafe.Pointer(at)))*0x9e3779b97f4a7c15>>(64-knownBits)]
	if !k.seen || unsafe.StringData(k.name) != at || len(k.name) != len(name) {
		*k = known{name, kindOf(name), true}
	}
	return k.kind
}

// Match returns the indicators that an event holds and that count when it was received, each once, in the order of its
// fields; at most MaxMatches. They are valid until the next call. Without a match nothing is allocated.
func (m *Matcher) Match(feeds []Feed, ev *storage.Event) []Match {
	p := &m.probe
	p.feeds, p.now, p.found, p.any, p.keep = feeds, ev.Received, p.found[:0], false, true
	var domain, path, query string
	whole := false
	for i := range ev.Fields {
		f := &ev.Fields[i]
		k := m.kindOf(f.Name)
		switch k {
		case nothing:
			continue
		case urlOriginal:
			if !strings.Contains(f.Value, "://") {
				if path == "" {
					path = f.Value
				}
				continue
			}
			k = isURL
		case urlDomain:
			domain, k = f.Value, isHost
		case urlPath:
			path = f.Value
			continue
		case urlQuery:
			query = f.Value
			continue
		}
		whole = whole || k == isURL && f.Name != "http.request.referrer"
		p.field(k, f.Name, f.Value)
	}
	if !whole && domain != "" && path != "" {
		p.parts(domain, path, query)
	}
	return p.found
}

// probe looks values up in feeds.
type probe struct {
	feeds []Feed
	now   int64
	found []Match
	any   bool
	keep  bool // what was found is told
	buf   buffer
	one   [1]Feed
}

// field looks up the value of a field, or each of a list.
func (p *probe) field(k kind, name, value string) {
	if !strings.HasPrefix(value, `["`) {
		p.value(k, name, value)
		return
	}
	for rest := value[1:]; len(rest) > 1 && rest[0] == '"'; {
		end := strings.IndexByte(rest[1:], '"')
		if end < 0 {
			return
		}
		// What holds an escape is no indicator, and what follows it is nothing either.
		if element := rest[1 : 1+end]; strings.IndexByte(element, '\\') < 0 {
			p.value(k, name, element)
		} else {
			return
		}
		rest = strings.TrimPrefix(rest[end+2:], ",")
	}
}

func (p *probe) value(k kind, name, value string) {
	switch k {
	case isAddr:
		p.address(name, value)
	case isHost:
		p.host(name, value)
	case isURL:
		p.url(name, value)
	case isDigest:
		p.hash(name, value)
	case isMail:
		p.email(name, value)
	}
}

func (p *probe) host(name, value string) {
	if !p.address(name, value) {
		p.domain(name, value)
	}
}

// address looks an address up, and the networks that hold it; it reports whether the value is one.
func (p *probe) address(name, value string) bool {
	a, ok := parse(value)
	if !ok {
		return false
	}
	text := a.AppendTo(p.buf[:0])
	p.lookup(0, name, p.buf.text(len(text)))
	for i := range p.feeds {
		widths := &p.feeds[i].Set.v6
		if a.Is4() {
			widths = &p.feeds[i].Set.v4
		}
		p.networks(i, name, a, widths)
	}
	return true
}

// networks looks up the networks of one feed that hold an address.
func (p *probe) networks(feed int, name string, a netip.Addr, widths *uint128) {
	for w := range widths {
		for word := widths[w]; word != 0; word &= word - 1 {
			net, err := a.Prefix(w*64 + bits.TrailingZeros64(word))
			if err != nil {
				continue
			}
			text := net.AppendTo(p.buf[:0])
			key := p.buf.text(len(text))
			p.ask(feed, 0, name, key, hashOf(0, key))
		}
	}
}

// domain looks a name up, and the domains that it belongs to.
func (p *probe) domain(name, value string) {
	if len(value) > 255 || !isNamed(value) {
		return
	}
	n := p.buf.lower(0, value)
	key := strings.TrimSuffix(p.buf.text(n), ".")
	for strings.IndexByte(key, '.') > 0 {
		p.lookup(1, name, key)
		_, key, _ = strings.Cut(key, ".")
	}
}

func (p *probe) url(name, value string) {
	n, host, ok := p.buf.url(value, true)
	if !ok {
		return
	}
	p.lookup(2, name, p.buf.text(n))
	p.hostOf(name, host)
}

// hostOf looks up the host with which the buffer begins.
func (p *probe) hostOf(name string, n int) {
	host := p.buf.text(n)
	if host[0] == '[' {
		host, _, _ = strings.Cut(host[1:], "]")
	} else {
		host, _, _ = strings.Cut(host, ":")
	}
	p.host(name, host)
}

// parts looks up a URL whose parts stand in fields of their own.
func (p *probe) parts(domain, path, query string) {
	if len(domain)+len(path)+len(query)+2 > MaxValueBytes || path[0] != '/' {
		return
	}
	n := p.buf.lower(0, domain)
	if path != "/" || query != "" {
		n += copy(p.buf[n:], path)
	}
	if query != "" && strings.IndexByte(path, '?') < 0 {
		p.buf[n] = '?'
		n += 1 + copy(p.buf[n+1:], query)
	}
	p.lookup(2, "url.path", p.buf.text(n))
}

func (p *probe) hash(name, value string) {
	if isHash(value) {
		p.lookup(3, name, p.buf.text(p.buf.lower(0, value)))
	}
}

func (p *probe) email(name, value string) {
	at := strings.LastIndexByte(value, '@')
	if at <= 0 || len(value) > 320 {
		return
	}
	p.lookup(4, name, p.buf.text(p.buf.lower(0, value)))
	p.domain(name, value[at+1:])
}

// lookup asks all feeds for a value.
func (p *probe) lookup(t int, name, key string) {
	hash := hashOf(t, key)
	for i := range p.feeds {
		p.ask(i, t, name, key, hash)
	}
}

// ask asks one feed for a value.
func (p *probe) ask(feed, t int, name, key string, hash uint64) {
	f := &p.feeds[feed]
	place := f.Set.find(t, key, hash)
	if place == 0 {
		return
	}
	x := f.Set.at(place)
	if x.ended(p.now) {
		return
	}
	p.any = true
	if !p.keep || len(p.found) >= MaxMatches {
		return
	}
	for i := range p.found {
		if p.found[i].place == place && p.found[i].set == f.Set {
			return
		}
	}
	p.found = append(p.found, Match{Indicator: x, Feed: f.Name, Field: name, place: place, set: f.Set})
}
