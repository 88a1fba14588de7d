package main

import (
	"strings"

	"github.com/vedette-siem/vedette/sdk/go/ecs"
)

// account reads the messages of the tools that change users and groups.
func (l *line) account(msg string) {
	what, change := accountChange(text(l.app))
	if what != "" {
		l.category("iam")
		l.types(what, change)
		if strings.HasPrefix(msg, "failed ") || strings.HasPrefix(msg, "cannot ") {
			l.failure(msg[:6])
		} else {
			l.success("")
		}
	}
	switch {
	case strings.HasPrefix(msg, "new user: "), strings.HasPrefix(msg, "new account added"):
		l.pairs(msg)
	case strings.HasPrefix(msg, "new group: "), strings.Contains(msg, ": name="):
		l.groupPairs(msg)
	case strings.HasPrefix(msg, "user ") && strings.Contains(msg, " by "): // user bob added by root to group wheel
		user, _ := word(msg[len("user "):])
		l.user(ecs.UserName, user)
		if _, group, ok := strings.Cut(msg, " group "); ok {
			group, _ = word(group)
			l.once(ecs.GroupName, group)
		}
	default:
		l.quoted(msg)
		if user, ok := between(msg, "add '", "'"); ok { // add 'bob' to group 'wheel'
			l.user(ecs.UserName, user)
		}
		if group, ok := between(msg, "group '", "'"); ok {
			l.once(ecs.GroupName, group)
		}
	}
}

// accountChange says what a tool changes; tools that only change details of an account are not sorted.
func accountChange(program string) (what, change string) {
	if i := strings.LastIndexByte(program, '/'); i >= 0 {
		program = program[i+1:]
	}
	switch program {
	case "useradd", "adduser", "newusers":
		return "user", "creation"
	case "userdel", "deluser":
		return "user", "deletion"
	case "usermod":
		return "user", "change"
	case "groupadd":
		return "group", "creation"
	case "groupdel":
		return "group", "deletion"
	case "groupmod", "gpasswd":
		return "group", "change"
	}
	return "", ""
}

// pairs reads "new user: name=bob, UID=1001, GID=1001, home=/home/bob, shell=/bin/bash".
func (l *line) pairs(msg string) {
	_, s, _ := strings.Cut(msg, ": ")
	for s != "" {
		var pair string
		pair, s, _ = strings.Cut(s, ", ")
		key, value, _ := strings.Cut(pair, "=")
		switch key {
		case "name", "account":
			l.user(ecs.UserName, value)
		case "UID", "uid":
			l.once(ecs.UserID, value)
		case "GID", "gid":
			l.once(ecs.GroupID, value)
		case "home":
			l.put("useradd.home", value)
		case "shell":
			l.put("useradd.shell", value)
		}
	}
}

// groupPairs reads "new group: name=staff, GID=50" and "group added to /etc/group: name=staff, GID=50".
func (l *line) groupPairs(msg string) {
	_, s, _ := strings.Cut(msg, ": ")
	for s != "" {
		var pair string
		pair, s, _ = strings.Cut(s, ", ")
		key, value, _ := strings.Cut(pair, "=")
		switch key {
		case "name":
			l.once(ecs.GroupName, value)
		case "GID":
			l.once(ecs.GroupID, value)
		}
	}
}
