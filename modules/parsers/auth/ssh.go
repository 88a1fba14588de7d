package main

import (
	"strings"

	"github.com/vedette-siem/vedette/sdk/go/ecs"
)

const native = "system.auth."

// put emits a field of Elastic's system.auth.
func (l *line) put(key, value string) { l.e.Key(native, data(key), data(value), nil) }

// sshd reads OpenSSH's messages.
func (l *line) sshd(msg string) {
	msg = strings.TrimPrefix(msg, "error: ")
	verb, rest := word(msg)
	switch verb {
	case "Accepted", "Failed", "Postponed", "Partial":
		l.sshLogin(verb, rest)
		return
	case "Invalid", "Illegal":
		if user, ok := strings.CutPrefix(rest, "user "); ok {
			l.put("ssh.event", verb)
			l.sshFailed(verb)
			l.sshFrom(user)
		}
		return
	case "User":
		if user, after, ok := strings.Cut(rest, " from "); ok && strings.Contains(after, " not allowed") {
			l.sshFailed(verb)
			l.user(ecs.UserName, user)
			from, _ := word(after)
			l.source(from, "")
		}
		return
	case "maximum":
		if who, ok := strings.CutPrefix(rest, "authentication attempts exceeded for "); ok {
			l.sshFailed(verb)
			l.sshFrom(strings.TrimPrefix(who, "invalid user "))
		}
		return
	case "PAM:":
		if i := strings.Index(rest, " for "); i >= 0 {
			who := strings.TrimPrefix(strings.TrimPrefix(rest[i+5:], "illegal user "), "invalid user ")
			l.sshFailed(rest[:i])
			l.sshFrom(who)
		}
		return
	case "Did":
		if from, ok := strings.CutPrefix(rest, "not receive identification string from "); ok {
			from, after := word(from)
			l.put("ssh.dropped_ip", from)
			l.source(from, portOf(after))
		}
		return
	case "subsystem":
		if _, user, ok := strings.Cut(rest, " by user "); ok {
			user, _ = word(user)
			l.user(ecs.UserName, user)
		}
		return
	}
	l.sshPeer(verb, rest)
}

// sshLogin reads "METHOD for [invalid user ]USER from ADDRESS port N ssh2[: KEY]".
func (l *line) sshLogin(verb, rest string) {
	method, rest := word(rest)
	who, ok := strings.CutPrefix(rest, "for ")
	if !ok {
		return
	}
	l.put("ssh.event", verb)
	l.put("ssh.method", method)
	switch verb {
	case "Accepted":
		l.e.Text(ecs.EventAction, "ssh_login", data(verb))
		l.category("authentication", "session")
		l.types("info")
		l.success(verb)
	case "Failed":
		l.sshFailed(verb)
	}
	l.sshFrom(strings.TrimPrefix(who, "invalid user "))
	if i := lastIndex(rest, " ssh2: "); i >= 0 {
		l.put("ssh.signature", rest[i+7:])
	}
}

func (l *line) sshFailed(at string) {
	l.e.Text(ecs.EventAction, "ssh_login", data(at))
	l.category("authentication")
	l.types("info")
	l.failure(at)
}

// sshFrom reads "USER from ADDRESS[ port N]…". The user is whatever the peer sent, so the last " from " counts.
func (l *line) sshFrom(s string) {
	i := lastIndex(s, " from ")
	if i < 0 {
		if from, ok := strings.CutPrefix(s, "from "); ok { // an empty name
			from, after := word(from)
			l.source(from, portOf(after))
		}
		return
	}
	l.user(ecs.UserName, s[:i])
	from, after := word(s[i+6:])
	l.source(from, portOf(after))
}

// portOf reads "port N" at the beginning of s, with anything behind it.
func portOf(s string) string {
	s, ok := strings.CutPrefix(s, "port ")
	if !ok {
		return ""
	}
	n := 0
	for n < len(s) && s[n]-'0' <= 9 {
		n++
	}
	return s[:n]
}

// sshPeer reads the messages that only say who was there: "Connection closed by [authenticating|invalid] user USER
// ADDRESS port N", "Received disconnect from ADDRESS port N:11: …", "Disconnected from user USER ADDRESS port N" and
// the like.
func (l *line) sshPeer(verb, rest string) {
	switch verb {
	case "Connection", "Received", "Disconnected", "Disconnecting", "Unable", "Bad", "banner", "reverse", "Timeout", "ssh_dispatch_run_fatal:":
	default:
		return
	}
	if verb == "reverse" {
		if from, ok := between(rest, "[", "]"); ok {
			l.source(from, "")
		}
		return
	}
	port := ""
	if i := strings.Index(rest, " port "); i >= 0 {
		port = portOf(rest[i+1:])
		rest = rest[:i]
	} else if i := strings.Index(rest, ": "); i >= 0 { // before OpenSSH 7.4
		rest = rest[:i]
	}
	from := rest[strings.LastIndexByte(rest, ' ')+1:]
	if !address(from) {
		return
	}
	l.source(from, port)
	if i := strings.Index(rest, "user "); i >= 0 {
		if user := strings.TrimSuffix(rest[i+5:], from); user != "" {
			l.user(ecs.UserName, strings.TrimSuffix(user, " "))
		}
	}
}

// dropbear reads the messages of Dropbear, the SSH server of small devices.
func (l *line) dropbear(msg string) {
	i := lastIndex(msg, " from ")
	if i < 0 {
		return
	}
	from, port := strings.TrimPrefix(msg[i+6:], "<"), ""
	from, _ = word(strings.TrimSuffix(from, ">"))
	if c := strings.LastIndexByte(from, ':'); c > 0 {
		from, port = from[:c], from[c+1:]
	}
	user, named := between(msg, " for '", "'")
	switch {
	case strings.HasPrefix(msg, "Bad password attempt"), strings.HasPrefix(msg, "Login attempt for nonexistent user"):
		l.sshFailed(msg[:5])
	case named && strings.Contains(msg, " auth succeeded "):
		l.e.Text(ecs.EventAction, "ssh_login", nil)
		l.category("authentication", "session")
		l.types("info")
		l.success(msg)
	}
	l.user(ecs.UserName, user)
	l.source(from, port)
}
