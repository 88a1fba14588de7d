package api

import (
	"context"
	"time"

	"github.com/vedette-siem/vedette/host/explain"
	"github.com/vedette-siem/vedette/host/rule"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/logs"
)

// RuleTrial asks what rules would make of events.
type RuleTrial struct {
	Tenant storage.Tenant
	Text   []byte            // a document; nil: what runs under Rule
	Rule   string            // one of the document; "": all of them
	Reader storage.Principal // whose events are looked at
	Given  []storage.Event   // in the order of the log; nil: stored events
	Query  logs.Query        // of those; the newest of it are looked at
	Shadow time.Duration     // how long it follows the stream then
	Told   int               // events of which it is said why they take part or do not
}

// RuleProgress is how far a trial has come.
type RuleProgress struct {
	Phase             string // stored or live
	Events, Incidents int
	News              []storage.Incident // of the live phase, since the call before
}

// RuleTried is what rules would make of events.
type RuleTried struct {
	Rules     []*rule.Rule
	Events    int
	Matched   int
	Truncated bool // there are more events; these are the newest
	From, To  int64
	Verdicts  []RuleVerdict
	Incidents []storage.Incident // in the order in which they would be opened
	Hours     map[int64]uint64   // firings by hour of event time, ns
	Live      int                // of the events, those from the stream
	Dropped   uint64             // events of the stream that it was too slow for
	Ended     string             // why it ended early
}

// RuleVerdict says what a rule makes of an event.
type RuleVerdict struct {
	At    int // number of the event among those that were looked at, from 0
	Event storage.Event
	Rule  *rule.Rule
	explain.Verdict
}

// RuleDraft is a rule document that a user wants to run.
type RuleDraft struct {
	Tenant storage.Tenant // NoTenant for all
	Text   []byte
	Digest string // of the package that it replaces, as the user has seen it; "": any
	Who    string
}

// Rules works on single rules. It may be called by many goroutines at once.
type Rules interface {
	// TryRule runs rules on events and keeps nothing of it. progress is called now and then from the caller's goroutine.
	TryRule(ctx context.Context, c RuleTrial, progress func(RuleProgress)) (RuleTried, error)
	// SaveRule makes a package of a document and installs that.
	SaveRule(ctx context.Context, d RuleDraft) (Installed, error)
	// TestRule runs the inline tests of a rule that runs for an organization, and returns the first failure, "" for none.
	TestRule(ctx context.Context, t storage.Tenant, id string) (string, error)
	// Tested reports whether this process ran the tests of a package when it was installed, and they passed.
	Tested(digest string) bool
	// WhyRule explains a rule, or what the document of one would be, by the lists of an organization.
	WhyRule(t storage.Tenant, r *rule.Rule) (*explain.Of, error)
}
