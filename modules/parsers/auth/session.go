package main

import (
	"strings"

	"github.com/vedette-siem/vedette/sdk/go/ecs"
)

// pam reads "pam_MODULE(SERVICE:TYPE): TEXT", whatever program wrote it, and is false when msg is no such line.
func (l *line) pam(msg string) bool {
	if !strings.HasPrefix(msg, "pam_") && !strings.HasPrefix(msg, "PAM ") {
		return false
	}
	_, rest, ok := strings.Cut(msg, "): ")
	if !ok {
		_, rest, _ = strings.Cut(msg, ": ")
	}
	l.pamText(rest)
	return true
}

func (l *line) pamText(rest string) {
	switch {
	case strings.HasPrefix(rest, "session opened for user "):
		l.e.Text(ecs.EventAction, "logged-on", data(rest[:14]))
		l.category("session")
		l.opened(rest[len("session opened for user "):])
	case strings.HasPrefix(rest, "session closed for user "):
		l.e.Text(ecs.EventAction, "logged-off", data(rest[:14]))
		l.category("session")
		l.user(ecs.UserName, rest[len("session closed for user "):])
	case strings.HasPrefix(rest, "authentication failure;"), strings.Contains(rest, " more authentication failure"):
		l.category("authentication")
		at, _, _ := strings.Cut(rest, ";")
		l.failure(at)
		l.pamFailed(rest)
	case strings.HasPrefix(rest, "password changed for "):
		l.category("iam")
		l.types("user", "change")
		l.success(rest[:16])
		l.user(ecs.UserName, rest[len("password changed for "):])
	default:
		l.quoted(rest)
	}
}

// opened reads "USER[(uid=N)] by [WHO](uid=N)".
func (l *line) opened(s string) {
	target, by, _ := strings.Cut(s, " by ")
	if i := strings.IndexByte(target, '('); i > 0 {
		target = target[:i]
	}
	uid, _ := between(by, "(uid=", ")")
	if i := strings.IndexByte(by, '('); i >= 0 {
		by = by[:i]
	}
	l.user(ecs.UserName, by)
	l.user(ecs.UserEffectiveName, target)
	l.once(ecs.UserID, uid)
}

// pamFailed reads the pairs of "authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1 user=root".
func (l *line) pamFailed(s string) {
	for s != "" {
		var pair string
		pair, s = word(s)
		key, value, _ := strings.Cut(pair, "=")
		switch key {
		case "user":
			l.user(ecs.UserName, value)
		case "rhost":
			l.source(value, "")
		}
	}
}

// quoted takes the user that a message names in quotes: user 'root', user "root".
func (l *line) quoted(s string) {
	i := strings.Index(s, "user ")
	if i < 0 || i+6 >= len(s) {
		return
	}
	s = s[i+5:]
	q := s[0]
	if q != '\'' && q != '"' {
		return
	}
	if end := strings.IndexByte(s[1:], q); end > 0 {
		l.user(ecs.UserName, s[1:1+end])
	}
}

// sudo reads "USER : [REASON ; ]TTY=… ; PWD=… ; USER=… ; … ; COMMAND=…".
func (l *line) sudo(msg string) {
	user, rest, ok := strings.Cut(msg, " : ")
	if !ok || strings.ContainsRune(user, ' ') {
		l.quoted(msg)
		return
	}
	l.category("process")
	l.user(ecs.UserName, user)
	for rest != "" {
		if command, ok := strings.CutPrefix(rest, "COMMAND="); ok { // the command may hold anything
			l.put("sudo.command", command)
			return
		}
		var part string
		part, rest, _ = strings.Cut(rest, " ; ")
		key, value, _ := strings.Cut(part, "=")
		switch key {
		case "TTY":
			l.put("sudo.tty", value)
		case "PWD":
			l.put("sudo.pwd", value)
		case "USER":
			l.put("sudo.user", value)
			l.user(ecs.UserEffectiveName, value)
		case "GROUP", "ENV", "HOST", "CHROOT", "TSID", "CWD":
		default:
			l.put("sudo.error", part)
			l.failure(part)
		}
	}
}

// su reads the messages of su in the spellings of shadow, util-linux and BSD.
func (l *line) su(msg string) {
	verb, rest := word(msg)
	switch verb {
	case "FAILED", "Successful", "BAD":
		l.category("authentication")
		if verb == "Successful" {
			l.success(verb)
		} else {
			l.failure(verb)
		}
		if target, by, ok := strings.Cut(rest, " by "); ok { // "su for root by bob"
			l.user(ecs.UserName, by)
			l.user(ecs.UserEffectiveName, target[strings.LastIndexByte(target, ' ')+1:])
			return
		}
		_, rest = word(rest) // "SU (to root) bob on pts/0", "SU bob to root on pts/0"
		l.suTo(rest)
	default:
		if strings.HasPrefix(msg, "(to ") { // util-linux, when it has worked
			l.category("authentication")
			l.success(msg[:3])
			l.suTo(msg)
		}
	}
}

func (l *line) suTo(s string) {
	if target, ok := between(s, "(to ", ")"); ok {
		_, by, _ := strings.Cut(s, ") ")
		by, _ = word(by)
		l.user(ecs.UserName, by)
		l.user(ecs.UserEffectiveName, target)
		return
	}
	if by, target, ok := strings.Cut(s, " to "); ok {
		target, _ = word(target)
		l.user(ecs.UserName, by)
		l.user(ecs.UserEffectiveName, target)
	}
}

// login reads console logins.
func (l *line) login(msg string) {
	switch {
	case strings.HasPrefix(msg, "FAILED LOGIN"):
		l.category("authentication")
		l.failure(msg[:12])
		if user, ok := between(msg, "FOR '", "'"); ok {
			l.user(ecs.UserName, user)
		}
	case strings.HasPrefix(msg, "ROOT LOGIN"):
		l.category("authentication", "session")
		l.success(msg[:10])
		l.user(ecs.UserName, "root")
	case strings.HasPrefix(msg, "LOGIN ON "):
		l.category("authentication", "session")
		l.success(msg[:5])
		if _, user, ok := strings.Cut(msg, " BY "); ok {
			user, _ = word(user)
			l.user(ecs.UserName, user)
		}
	default:
		l.quoted(msg)
	}
}

// logind reads the sessions of systemd-logind.
func (l *line) logind(msg string) {
	if strings.HasPrefix(msg, "New session ") {
		l.category("session")
		l.types("start")
		if _, user, ok := strings.Cut(msg, " of user "); ok {
			user, _ = word(user)
			l.user(ecs.UserName, strings.TrimSuffix(user, "."))
		}
	} else if strings.HasPrefix(msg, "Removed session ") {
		l.category("session")
		l.types("end")
	}
}

// cron reads "(USER) CMD (COMMAND)" and other notes of this form.
func (l *line) cron(msg string) {
	user, ok := between(msg, "(", ") ")
	if !ok || msg[0] != '(' {
		return
	}
	l.user(ecs.UserName, user)
	rest := msg[len(user)+3:]
	if command, ok := strings.CutPrefix(rest, "CMD ("); ok {
		l.category("process")
		l.types("start")
		l.e.Bytes(ecs.ProcessCommandLine, data(strings.TrimLeft(strings.TrimSuffix(command, ")"), " ")), nil)
	}
}
