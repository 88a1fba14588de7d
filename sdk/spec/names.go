package spec

import (
	"fmt"
	"strings"

	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/ecs"
	"github.com/vedette-siem/vedette/sdk/go/template"
)

// timestamp is the time of the event, which the ABI carries apart from the fields.
const timestamp = "@timestamp"

// well-known names by text, and the list-valued ones.
var (
	numbers = func() map[string]abi.Name {
		m := make(map[string]abi.Name, len(ecs.Names))
		for i, name := range ecs.Names {
			if name != "" {
				m[name] = abi.Name(i)
			}
		}
		return m
	}()
	roots = func() map[string]bool {
		m := map[string]bool{"vedette": true, "labels": true}
		for name := range numbers {
			root, _, _ := strings.Cut(name, ".")
			m[root] = true
		}
		return m
	}()
	lists = func() map[string]bool {
		m := make(map[string]bool, len(ecs.Lists))
		for _, name := range ecs.Lists {
			m[name] = true
		}
		return m
	}()
)

// usual maps words that logs use to the ECS names that they mostly mean. Suggest and hints use it.
var usual = map[string]string{
	"src": "source.ip", "srcip": "source.ip", "src_ip": "source.ip", "source": "source.ip", "saddr": "source.ip", "from": "source.ip",
	"client": "source.ip", "clientip": "source.ip", "client_ip": "source.ip", "rhost": "source.ip", "remote": "source.ip", "remote_addr": "source.ip",
	"remote_ip": "source.ip", "peer": "source.ip", "ip": "source.ip", "ipaddress": "source.ip", "ip_address": "source.ip", "host_ip": "host.ip",
	"dst": "destination.ip", "dstip": "destination.ip", "dst_ip": "destination.ip", "daddr": "destination.ip", "dest": "destination.ip",
	"dest_ip": "destination.ip", "destination": "destination.ip", "to": "destination.ip", "server_ip": "destination.ip",
	"spt": "source.port", "sport": "source.port", "srcport": "source.port", "src_port": "source.port", "port": "source.port", "client_port": "source.port",
	"dpt": "destination.port", "dport": "destination.port", "dstport": "destination.port", "dst_port": "destination.port", "dest_port": "destination.port",
	"user": "user.name", "username": "user.name", "user_name": "user.name", "usr": "user.name", "login": "user.name", "account": "user.name",
	"uid": "user.id", "user_id": "user.id", "userid": "user.id", "suser": "user.name", "duser": "user.target.name", "group": "group.name",
	"email": "user.email", "mail": "user.email", "domain": "user.domain",
	"host": "host.name", "hostname": "host.name", "computer": "host.name", "device": "observer.name", "devname": "observer.name",
	"mac": "source.mac", "srcmac": "source.mac", "dstmac": "destination.mac",
	"pid": "process.pid", "process": "process.name", "proc": "process.name", "program": "process.name", "comm": "process.name",
	"exe": "process.executable", "cmd": "process.command_line", "command": "process.command_line", "cmdline": "process.command_line",
	"proto": "network.transport", "protocol": "network.protocol", "app": "network.application", "service": "service.name",
	"in": "observer.ingress.interface.name", "out": "observer.egress.interface.name", "interface": "observer.ingress.interface.name",
	"bytes": "network.bytes", "sentbyte": "source.bytes", "rcvdbyte": "destination.bytes", "sent": "source.bytes", "received": "destination.bytes",
	"method": "http.request.method", "status": "http.response.status_code", "status_code": "http.response.status_code",
	"url": "url.original", "uri": "url.path", "path": "url.path", "referer": "http.request.referrer", "referrer": "http.request.referrer",
	"agent": "user_agent.original", "useragent": "user_agent.original", "user_agent": "user_agent.original",
	"file": "file.path", "filename": "file.name", "size": "file.size",
	"action": "event.action", "act": "event.action", "event": "event.action", "outcome": "event.outcome", "result": "event.outcome",
	"reason": "event.reason", "duration": "event.duration", "id": "event.id", "code": "event.code", "level": "log.level", "severity": "log.level", "lvl": "log.level",
	"msg": "message", "message": "message", "error": "error.message", "err": "error.message",
	"time": timestamp, "timestamp": timestamp, "ts": timestamp, "date": timestamp, "@timestamp": timestamp, "datetime": timestamp,
	"rule": "rule.name", "policy": "rule.name", "query": "dns.question.name",
}

// isNumber says that ECS has a whole number under a name.
func isNumber(name string) bool {
	if numbers[name] == 0 {
		return false
	}
	for _, end := range []string{".port", ".pid", ".bytes", ".packets", ".status_code", ".severity.code", ".priority", ".exit_code", ".ttl", ".file.size", ".as.number"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return name == "event.severity" || name == "event.sequence" || name == "event.duration" || name == "file.size"
}

// isAddress says that ECS has an IP address under a name.
func isAddress(name string) bool {
	return numbers[name] != 0 && (strings.HasSuffix(name, ".ip") || strings.HasSuffix(name, "_ip"))
}

// isTime says that ECS has a point in time under a name.
func isTime(name string) bool {
	switch name {
	case timestamp, "event.created", "event.start", "event.end", "event.ingested", "process.start", "process.end", "file.created", "file.mtime":
		return true
	}
	return false
}

// usualKind is the type of a hole or key that names none.
func usualKind(name string) template.Kind {
	switch {
	case isAddress(name):
		return template.IP
	case isNumber(name):
		return template.Int
	case isTime(name):
		return template.Time
	}
	return template.Word
}

// related says where a field is listed again.
func related(name string) uint8 {
	switch {
	case strings.HasPrefix(name, "related."):
		return 0
	case isAddress(name):
		return template.RelatedIP
	case numbers[name] != 0 && (name == "user.name" || strings.HasSuffix(name, ".user.name") || name == "user.target.name" || name == "user.effective.name"):
		return template.RelatedUser
	case name == "host.name" || name == "host.hostname":
		return template.RelatedHosts
	}
	return 0
}

// name checks a field name: one of ECS, of labels, or below the vendor prefix.
func (r *reader) name(where place, name, prefix string) {
	switch {
	case name == timestamp, numbers[name] != 0, strings.HasPrefix(name, "labels.") && len(name) > 7:
	case len(name) > abi.MaxNameBytes:
		r.add(where, "", "field name of %d bytes, the limit is %d", len(name), abi.MaxNameBytes)
	case !plainName(name):
		r.add(where, "use letters, digits, _ - and dots", "%q is no field name", name)
	case prefix != "" && strings.HasPrefix(name, prefix+"."):
	default:
		r.add(where, fieldHint(name, prefix), "%s is not a field of ECS", name)
	}
}

// fieldHint says which name may be meant.
func fieldHint(name, prefix string) string {
	own := "set prefix: and put fields of your own below it"
	if prefix != "" {
		own = fmt.Sprintf("fields of your own stand below %s.", prefix)
	}
	guess := usual[strings.ToLower(name)]
	if guess == "" && strings.Contains(name, ".") {
		known := make([]string, 0, len(numbers))
		root, _, _ := strings.Cut(name, ".")
		for _, k := range ecs.Names { // in their order: the same hint every time
			if k != "" && (strings.HasPrefix(k, root+".") || !roots[root]) {
				known = append(known, k)
			}
		}
		guess = closest(name, known)
	}
	if guess == "" {
		return own
	}
	return fmt.Sprintf("did you mean %s? %s", guess, own)
}

func plainName(name string) bool {
	if name == "" || name[0] == '.' || name[0] == '_' || name[len(name)-1] == '.' || strings.Contains(name, "..") {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if (c|0x20)-'a' >= 26 && c-'0' > 9 && c != '.' && c != '_' && c != '-' && c != '@' {
			return false
		}
	}
	return true
}
