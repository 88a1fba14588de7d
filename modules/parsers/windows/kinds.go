package main

import "github.com/vedette-siem/vedette/sdk/go/ecs"

// kind is what is known about all events of one number. Categories and types are sets of the words below.
type kind struct {
	code       uint16
	action     string
	categories uint16
	types      uint16
}

var (
	categoryWords = [...]string{"authentication", "configuration", "driver", "file", "iam", "network", "process", "registry", "session", "malware"}
	typeWords     = [...]string{"access", "admin", "allowed", "change", "connection", "creation", "deletion", "denied", "end", "error", "group", "info", "protocol", "start", "user"}
)

// The categories and types of ECS as sets.
const (
	cAuthentication = 1 << iota
	cConfiguration
	cDriver
	cFile
	cIAM
	cNetwork
	cProcess
	cRegistry
	cSession
	cMalware
)

const (
	tAccess = 1 << iota
	tAdmin
	tAllowed
	tChange
	tConnection
	tCreation
	tDeletion
	tDenied
	tEnd
	tError
	tGroup
	tInfo
	tProtocol
	tStart
	tUser
)

// find returns the entry of a table sorted by code, nil when there is none.
func find(table []kind, code int64) *kind {
	lo, hi := 0, len(table)
	for lo < hi {
		if mid := (lo + hi) / 2; int64(table[mid].code) < code {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(table) && int64(table[lo].code) == code {
		return &table[lo]
	}
	return nil
}

// classify emits action, categories and types. An event that is not in the table keeps the shipper's action.
func (p *event) classify(k *kind) {
	at := p.code.place()
	if k == nil || k.action == "" {
		p.put(ecs.EventAction, p.action)
	} else {
		p.e.Text(ecs.EventAction, k.action, at)
	}
	if k == nil {
		return
	}
	for i, w := range categoryWords {
		if k.categories>>i&1 == 1 {
			p.e.ElementText(ecs.EventCategory, w, at)
		}
	}
	for i, w := range typeWords {
		if k.types>>i&1 == 1 {
			p.e.ElementText(ecs.EventType, w, at)
		}
	}
}
