// Package policy decides whether an artifact is trusted: a document says who may publish what, and Decide is a pure
// function of it, of what is known about the artifact, and of the time.
package policy

import (
	_ "embed"
	"math"
	"path"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/sign"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// EditorSchema is the JSON Schema of a policy document, for completion and hints in editors. Parse checks more than it
// can say.
//
//go:embed policy.schema.json
var EditorSchema []byte

// Policy is a trust policy: of one organization, or of the layer that all share.
type Policy struct {
	Version    int            `yaml:"version"`    // 1
	Audience   string         `yaml:"audience"`   // what this site calls itself; a release for another site is refused
	Keys       map[string]Key `yaml:"keys"`       // PEM, by a name that the rest uses
	Publishers []Publisher    `yaml:"publishers"` // whose names belong to whom; the longest prefix decides
	Scopes     []Scope        `yaml:"scopes"`     // the first that fits decides; what fits none is refused
}

// Publisher gives a publisher's name, and all that begin with it and a hyphen, to the holders of keys.
type Publisher struct {
	Prefix    string   `yaml:"prefix"`
	Keys      []string `yaml:"keys"`
	Threshold int      `yaml:"threshold"` // how many of them sign a release; default 1
}

// Scope is what is asked of some modules.
type Scope struct {
	Name         string          `yaml:"name"`    // for people
	Modules      []string        `yaml:"modules"` // globs of "publisher/name": "acme/*"
	Level        Level           `yaml:"level"`
	Signatures   Signatures      `yaml:"signatures"`
	Require      Require         `yaml:"require"`
	Kinds        []manifest.Kind `yaml:"kinds"`        // that may be published; empty: all
	Capabilities []string        `yaml:"capabilities"` // that may be asked for; empty: none; "*": any
	MaxAge       Duration        `yaml:"max_age"`      // since the release was signed; 0: any
	Index        IndexUse        `yaml:"index"`
	IndexGrace   Duration        `yaml:"index_grace"` // how long an index that has expired is still believed
}

// Level says what happens to what does not meet its scope.
type Level string

// The levels. Whatever the level, what is revoked does not run, and a publisher that belongs to one organization
// publishes nowhere else.
const (
	Strict   Level = "strict"           // it is refused; the keys of the publisher or of the scope's signatures have to sign
	Audit    Level = "audit"            // it is allowed, and every reason is told
	Unsigned Level = "unsigned-allowed" // it needs no signature, unless the publisher's name belongs to somebody
)

// IndexUse says whether a version has to stand in the signed index.
type IndexUse string

// The uses of the index. Without one, what it says about a version counts and its silence does not.
const (
	IndexOptional IndexUse = "" // also written "optional"
	IndexRequired IndexUse = "required"
)

// Signatures says which keys have to have signed a release.
type Signatures struct {
	AllOf   []string `yaml:"allOf"`
	AnyOf   []string `yaml:"anyOf"`
	Minimum int      `yaml:"minimum"` // of anyOf; default 1
}

// Require says what must be said about an artifact, and by whom. Keys that are empty are those of the publisher and of
// the scope's signatures.
type Require struct {
	SBOM        *Attested    `yaml:"sbom"`
	Provenance  *Provenance  `yaml:"provenance"`
	Conformance *Conformance `yaml:"conformance"`
}

// Attested asks for a statement by one of the keys.
type Attested struct {
	Keys []string `yaml:"keys"`
}

// Provenance asks for a statement that one of the builders has built it.
type Provenance struct {
	Builders []string `yaml:"builders"`
	Keys     []string `yaml:"keys"`
}

// Conformance asks for a report of at least a level: the host's own, or where it has none one by one of the keys.
type Conformance struct {
	Level int      `yaml:"level"`
	Keys  []string `yaml:"keys"`
}

// Key is a public key in PEM form.
type Key struct {
	sign.PublicKey
	wrong error // why it is none, until Parse can say where
}

// UnmarshalText reads the PEM form. Parse tells what is wrong with it.
func (k *Key) UnmarshalText(text []byte) error {
	k.wrong = k.PublicKey.UnmarshalText(text)
	return nil
}

// Duration is a time.Duration that is written as "720h" or "30d".
type Duration time.Duration

const noDuration = Duration(math.MinInt64)

// UnmarshalText reads Go's form of a duration, or whole days. Parse tells what is wrong with it.
func (d *Duration) UnmarshalText(b []byte) error {
	text, unit := string(b), time.Duration(1)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		text, unit = days+"h", 24
	}
	*d = noDuration
	if v, err := time.ParseDuration(text); err == nil && v <= MaxAge && v >= -MaxAge {
		*d = Duration(v * unit)
	}
	return nil
}

// owner returns whom a publisher's name belongs to, or nil.
func (p *Policy) owner(publisher string) *Publisher {
	var best *Publisher
	for i := range p.Publishers {
		o := &p.Publishers[i]
		if (publisher == o.Prefix || strings.HasPrefix(publisher, o.Prefix+"-")) && (best == nil || len(o.Prefix) > len(best.Prefix)) {
			best = o
		}
	}
	return best
}

// scope returns the first scope that a module fits, or nil.
func (p *Policy) scope(ref registry.Ref) *Scope {
	for i := range p.Scopes {
		for _, glob := range p.Scopes[i].Modules {
			if ok, err := path.Match(glob, ref.Module()); ok && err == nil {
				return &p.Scopes[i]
			}
		}
	}
	return nil
}

// TrustedKeys returns the policy's keys as a set.
func (p *Policy) TrustedKeys() sign.Keys {
	set := make(sign.Keys, len(p.Keys))
	for _, k := range p.Keys {
		set[k.ID()] = k.PublicKey
	}
	return set
}

// LocalOnly is the policy of a host that was given none: nothing needs a signature.
func LocalOnly() *Policy {
	return &Policy{Version: 1, Scopes: []Scope{{Name: "default", Modules: []string{"*/*"}, Level: Unsigned, Capabilities: []string{"*"}}}}
}
