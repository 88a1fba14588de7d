package attest

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/sign"
)

// NoLevel is the level of a module that fails a requirement of L0.
const NoLevel = -1

// Conformance is what the conformance suite found out about a module. A registry or a host signs it.
type Conformance struct {
	Level   int       `json:"level"`   // 0 to 5: the highest level of which every case passed; NoLevel
	Suite   string    `json:"suite"`   // version of the suite
	Host    string    `json:"host"`    // what it ran on, "vedette 1.4.0"
	Cases   int       `json:"cases"`   // passed
	Skipped int       `json:"skipped"` // that do not apply to the module
	At      time.Time `json:"at"`      // to the second, UTC
	Failed  []Failure `json:"failed,omitempty"`
}

// Failure is a requirement that does not hold.
type Failure struct {
	ID     string `json:"id"` // "module-3.01"; they never change their meaning
	Text   string `json:"text"`
	Detail string `json:"detail"` // what the module did
}

// Name is "L3", or "none".
func (c *Conformance) Name() string {
	if c.Level == NoLevel {
		return "none"
	}
	return fmt.Sprintf("L%d", c.Level)
}

// Statement returns the report's statement. The error wraps registry.ErrInvalid.
func (c Conformance) Statement(ref registry.Ref, d registry.Digest) ([]byte, error) {
	c.At = c.At.UTC().Truncate(time.Second)
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("conformance of %s: %w", ref, err)
	}
	return sign.NewStatement(ref.String(), d, PredicateConformance, c)
}

func (c *Conformance) check() error {
	if c.Level < NoLevel || c.Level > MaxLevel || c.Cases < 0 || c.Skipped < 0 || c.At.IsZero() || max(len(c.Suite), len(c.Host)) > MaxTextBytes {
		return fmt.Errorf("level %d with %d cases, %d skipped, at %s: want level 0 to %d, or %d: %w", c.Level, c.Cases, c.Skipped, c.At, MaxLevel, NoLevel, registry.ErrInvalid)
	}
	if len(c.Failed) > MaxFailures {
		return fmt.Errorf("%d requirements fail, the limit is %d: %w", len(c.Failed), MaxFailures, registry.ErrInvalid)
	}
	for _, f := range c.Failed {
		if f.ID == "" || max(len(f.ID), len(f.Text), len(f.Detail)) > MaxTextBytes {
			return fmt.Errorf("requirement %.80q: want an id, and at most %d bytes each: %w", f.ID, MaxTextBytes, registry.ErrInvalid)
		}
	}
	return nil
}

// ReadConformance reads a report. Its form is exact. The error wraps registry.ErrInvalid.
func ReadConformance(s sign.Statement) (Conformance, error) {
	if s.PredicateType != PredicateConformance {
		return Conformance{}, fmt.Errorf("conformance: predicate %.80q: %w", s.PredicateType, registry.ErrInvalid)
	}
	var c Conformance
	err := sign.Exact(s.Predicate, &c)
	if err == nil {
		err = c.check()
	}
	if err != nil {
		return Conformance{}, fmt.Errorf("conformance: %w", err)
	}
	return c, nil
}

// ParseConformance reads a report that stands in no statement, as a process that has run the suite hands it over. The
// error wraps registry.ErrInvalid.
func ParseConformance(data []byte) (Conformance, error) {
	var c Conformance
	if err := json.Unmarshal(data, &c); err != nil {
		return Conformance{}, fmt.Errorf("conformance: %w: %w", err, registry.ErrInvalid)
	}
	if err := c.check(); err != nil {
		return Conformance{}, fmt.Errorf("conformance: %w", err)
	}
	return c, nil
}
