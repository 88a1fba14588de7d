package storage

import (
	"encoding/json"
	"strings"
)

// EntityKind is what sort of thing an entity is.
type EntityKind string

// The kinds of entity.
const (
	HostEntity    EntityKind = "host"
	UserEntity    EntityKind = "user"
	AddressEntity EntityKind = "address"
	HashEntity    EntityKind = "hash"
	DomainEntity  EntityKind = "domain"
	ProcessEntity EntityKind = "process"
	URLEntity     EntityKind = "url"
)

// Entity is somebody or something that an incident is about.
type Entity struct {
	Kind  EntityKind `json:"kind"`
	Value string     `json:"value"` // at most MaxEntityBytes
	Field string     `json:"field"` // the ECS field that it stood in
}

// KindOf returns what sort of thing an ECS field names, "" for a field that names none. It is called for every field
// of every event that a rule matches.
func KindOf(field string) EntityKind {
	switch field {
	case "host.name", "host.hostname", "observer.name":
		return HostEntity
	case "user.name", "user.target.name", "user.effective.name", "source.user.name", "destination.user.name", "client.user.name", "server.user.name":
		return UserEntity
	case "source.ip", "destination.ip", "client.ip", "server.ip", "host.ip", "source.nat.ip", "destination.nat.ip":
		return AddressEntity
	case "file.hash.md5", "file.hash.sha1", "file.hash.sha256", "process.hash.md5", "process.hash.sha1", "process.hash.sha256", "dll.hash.md5", "dll.hash.sha1", "dll.hash.sha256":
		return HashEntity
	case "dns.question.name", "url.domain", "source.domain", "destination.domain", "tls.client.server_name":
		return DomainEntity
	case "process.name", "process.executable":
		return ProcessEntity
	case "url.full", "url.original":
		return URLEntity
	}
	return ""
}

// AppendEntities appends what a field names to dst, which holds each kind and value once: one entity, or one for each
// element of a list. They share the memory of value.
func AppendEntities(dst []Entity, field, value string) []Entity {
	kind := KindOf(field)
	if kind == "" {
		return dst
	}
	if strings.HasPrefix(value, "[") {
		var list []string
		if json.Unmarshal([]byte(value), &list) == nil {
			for _, v := range list {
				dst = appendEntity(dst, Entity{kind, v, field})
			}
			return dst
		}
	}
	return appendEntity(dst, Entity{kind, value, field})
}

func appendEntity(dst []Entity, e Entity) []Entity {
	if n := MaxEntityBytes; len(e.Value) > n {
		for n > 0 && e.Value[n]&0xc0 == 0x80 {
			n--
		}
		e.Value = e.Value[:n]
	}
	if e.Value == "" || e.Value == "-" { // a dash stands for nothing in many formats
		return dst
	}
	for i := range dst {
		if dst[i].Kind == e.Kind && dst[i].Value == e.Value {
			return dst
		}
	}
	return append(dst, e)
}
