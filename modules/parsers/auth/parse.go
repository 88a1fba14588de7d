package main

import (
	"strings"
	"unsafe"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/ecs"
	"github.com/vedette-siem/vedette/sdk/go/scan"
	"github.com/vedette-siem/vedette/sdk/go/syslog"
)

// line is what is known about the current record. It is one variable because a module serves one call at a time and
// must not allocate.
type line struct {
	e     *sdk.Event
	app   []byte    // the name that the program logs under
	users [4]string // already in related.user
	n     int
	set   [8]abi.Name // single-valued fields that are set already: what is named first counts
	sets  int
}

var rec line

// Parse reads one line of a Unix authentication log. A line of a program that has nothing to do with authentication,
// and says nothing about PAM, is another parser's.
func Parse(r *sdk.Record, e *sdk.Event) abi.Outcome {
	var h syslog.Header
	if !syslog.Parse(r.Raw, r.Received, &h) {
		return sdk.NotMine
	}
	msg := text(h.Message)
	program := text(h.AppName)
	if i := strings.LastIndexByte(program, '/'); i >= 0 {
		program = program[i+1:]
	}
	program, old := strings.CutSuffix(program, "(pam_unix)") // PAM's spelling before 2005
	read := reader(program)
	if read == nil && !old && !strings.HasPrefix(msg, "pam_") || len(msg) == 0 {
		return sdk.NotMine
	}
	rec.e, rec.app, rec.n, rec.sets = e, h.AppName, 0, 0
	header(e, &h, program)
	switch {
	case old:
		rec.pamText(msg)
	case rec.pam(msg):
	case read != nil:
		read(&rec, strings.TrimLeft(msg, " "))
	}
	return sdk.OK
}

// reader returns what reads the messages of a program, nil for one that is not known here.
func reader(program string) func(*line, string) {
	switch program {
	case "sshd", "sshd-session", "sshd-auth":
		return (*line).sshd
	case "sudo", "sudoedit":
		return (*line).sudo
	case "su", "su-l":
		return (*line).su
	case "login", "remote", "gdm-password", "lightdm", "sddm", "xrdp-sesman", "runuser", "pkexec", "doas", "polkitd":
		return (*line).login
	case "dropbear":
		return (*line).dropbear
	case "systemd-logind", "elogind":
		return (*line).logind
	case "CRON", "cron", "crond", "CROND", "anacron", "crontab", "atd":
		return (*line).cron
	case "useradd", "userdel", "usermod", "groupadd", "groupdel", "groupmod", "adduser", "deluser",
		"chfn", "chsh", "chage", "passwd", "chpasswd", "gpasswd", "newusers", "faillock", "vipw":
		return (*line).account
	}
	return nil
}

func header(e *sdk.Event, h *syslog.Header, program string) {
	if h.HasTime && h.Time != 0 {
		e.Time(h.Time)
	}
	e.Text(ecs.EventDataset, "system.auth", nil)
	e.Text(ecs.EventModule, "system", nil)
	e.Text(ecs.EventKind, "event", nil)
	e.Bytes(ecs.HostHostname, h.Hostname, nil)
	if h.Hostname != nil {
		e.Element(ecs.RelatedHosts, h.Hostname, nil)
	}
	e.Bytes(ecs.ProcessName, data(program), nil)
	if pid, ok := number(text(h.ProcID)); ok {
		e.Int(ecs.ProcessPID, pid, h.ProcID)
	}
	if h.HasPRI {
		e.Int(ecs.LogSyslogPriority, int64(h.PRI), h.PRIText)
	}
	e.Bytes(ecs.Message, h.Message, nil)
}

// once emits a field, which stands in the record, unless the message has named it before.
func (l *line) once(name abi.Name, value string) { l.onceAt(name, value, "") }

// onceAt is once for a value that is derived from the text at.
func (l *line) onceAt(name abi.Name, value, at string) {
	for _, n := range l.set[:l.sets] {
		if n == name {
			return
		}
	}
	if value == "" || l.sets == len(l.set) {
		return
	}
	l.set[l.sets] = name
	l.sets++
	if at == "" {
		l.e.Bytes(name, data(value), nil)
		return
	}
	l.e.Text(name, value, data(at))
}

// user emits a user's name and lists it as related.
func (l *line) user(name abi.Name, user string) {
	if user == "" {
		return
	}
	l.once(name, user)
	for _, known := range l.users[:l.n] {
		if known == user {
			return
		}
	}
	if l.n < len(l.users) {
		l.users[l.n] = user
		l.n++
	}
	l.e.Element(ecs.RelatedUser, data(user), nil)
}

// source emits where a connection came from: an address or, when sshd looked it up, a name.
func (l *line) source(from, port string) {
	if from == "" || from == "UNKNOWN" {
		return
	}
	l.once(ecs.SourceAddress, from)
	if address(from) {
		l.once(ecs.SourceIP, from)
		l.e.Element(ecs.RelatedIP, data(from), nil)
	} else {
		l.once(ecs.SourceDomain, from)
	}
	if n, ok := number(port); ok && n < 1<<16 {
		l.e.Int(ecs.SourcePort, n, data(port))
	}
}

func (l *line) category(names ...string) {
	for _, n := range names {
		l.e.ElementText(ecs.EventCategory, n, nil)
	}
}

func (l *line) types(names ...string) {
	for _, n := range names {
		l.e.ElementText(ecs.EventType, n, nil)
	}
}

// failure and success say how it went; at is the word that tells.
func (l *line) failure(at string) { l.onceAt(ecs.EventOutcome, "failure", at) }
func (l *line) success(at string) { l.onceAt(ecs.EventOutcome, "success", at) }

// text and data look at the same bytes as the other type, without a copy, under TinyGo too.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
func data(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// word returns the text up to the first blank and what follows the blank.
func word(s string) (first, rest string) {
	if i := scan.Byte(data(s), ' '); i >= 0 {
		return s[:i], s[i+1:]
	}
	return s, ""
}

// lastIndex is strings.LastIndex without its hashing, which takes longer than lines are long.
func lastIndex(s, sub string) int {
	for i := len(s) - len(sub); i >= 0; i-- {
		if s[i+1] == sub[1] && s[i] == sub[0] && s[i:i+len(sub)] == sub { // the first is a blank, which lines are full of
			return i
		}
	}
	return -1
}

// between returns what stands between two literals.
func between(s, open, end string) (string, bool) {
	i := strings.Index(s, open)
	if i < 0 {
		return "", false
	}
	s = s[i+len(open):]
	j := strings.Index(s, end)
	if j < 0 {
		return "", false
	}
	return s[:j], true
}

// address tells an IP address from a name by its characters.
func address(s string) bool {
	dots, colons := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.':
			dots++
		case c == ':':
			colons++
		case c >= '0' && c <= '9':
		case c == '%' && colons > 1: // an IPv6 zone
			return true
		case (c|0x20) < 'a' || (c|0x20) > 'f':
			return false
		case colons == 0 && dots > 0:
			return false
		}
	}
	return dots == 3 && colons == 0 || colons >= 2
}

func number(s string) (v int64, ok bool) {
	if s == "" || len(s) > 18 {
		return 0, false
	}
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return 0, false
		}
		v = v*10 + int64(s[i]-'0')
	}
	return v, true
}
