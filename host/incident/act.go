package incident

import (
	"fmt"
	"slices"

	"github.com/vedette-siem/vedette/storage"
)

// Act folds what a person did in the control record at seq. The error, which wraps storage.ErrInvalid or
// storage.ErrConflict, is the action's result: it changed nothing, and the fold goes on. An action on an incident
// that the fold does not hold becomes a Patch, of which the database finds out whether it applies.
func (f *Fold) Act(seq uint64, logTime int64, a Action) error {
	if seq < f.seq {
		return nil
	}
	f.seq = seq
	p, err := a.patch(seq, logTime)
	if err != nil {
		return fmt.Errorf("%s incident %s: %w", cut(string(a.Do), 16), cut(a.Incident, 64), err)
	}
	o := f.tenants[a.Tenant]
	if o == nil || o.byID[a.Incident] == nil {
		f.batch.Patches = append(f.batch.Patches, p)
		return nil
	}
	e := o.byID[a.Incident].Value.(*episode)
	if len(p.From) > 0 && !slices.Contains(p.From, e.in.State) {
		return fmt.Errorf("incident %s is %s, so it cannot be %s: %w", a.Incident, e.in.State, a.Do, storage.ErrConflict)
	}
	if a.Do == Merge {
		if err := f.mergeInto(o, p); err != nil {
			return err
		}
	}
	if p.State != "" {
		e.in.State, e.in.Verdict, e.in.MergedInto = p.State, p.Verdict, p.Into
	}
	if p.Severity != 0 {
		e.in.Severity = p.Severity
	}
	if p.Assign {
		e.in.Assignee = p.Assignee
	}
	f.touch(e, logTime)
	f.batch.History = append(f.batch.History, p.Entry)
	return nil
}

// mergeInto notes a merge on the incident that goes on.
func (f *Fold) mergeInto(o *organization, p Patch) error {
	entry := p.Entry
	entry.Incident, entry.Detail = p.Into, p.Entry.Incident
	el := o.byID[p.Into]
	if el == nil { // only the database knows it
		f.batch.Patches = append(f.batch.Patches, Patch{Tenant: p.Tenant, Entry: entry})
		return nil
	}
	into := el.Value.(*episode)
	if into.in.MergedInto != "" {
		return fmt.Errorf("incident %s is itself merged into %s: %w", p.Into, into.in.MergedInto, storage.ErrConflict)
	}
	f.touch(into, p.Entry.At)
	f.batch.History = append(f.batch.History, entry)
	return nil
}

// patch returns what the action changes, wherever the incident is.
func (a *Action) patch(seq uint64, logTime int64) (Patch, error) {
	p := Patch{Tenant: a.Tenant, Entry: storage.HistoryEntry{
		Incident: a.Incident, Seq: seq, At: logTime, Who: a.Who, What: string(a.Do), Detail: a.Arg,
	}}
	if a.Tenant == storage.NoTenant || a.Incident == "" || len(a.Incident) > MaxWhoBytes {
		return p, fmt.Errorf("no incident: %w", storage.ErrInvalid)
	}
	if a.Who == "" || len(a.Who) > MaxWhoBytes || len(a.Arg) > MaxCommentBytes {
		return p, fmt.Errorf("user name of %d bytes, at most %d, argument of %d, at most %d: %w", len(a.Who), MaxWhoBytes, len(a.Arg), MaxCommentBytes, storage.ErrInvalid)
	}
	switch a.Do {
	case Acknowledge:
		p.From, p.State = []storage.State{storage.Open}, storage.Acknowledged
	case Reopen:
		p.From, p.State = []storage.State{storage.Acknowledged, storage.Resolved}, storage.Open
	case Resolve:
		p.From, p.State, p.Verdict = []storage.State{storage.Open, storage.Acknowledged}, storage.Resolved, storage.Verdict(a.Arg)
		switch p.Verdict {
		case storage.TruePositive, storage.FalsePositive, storage.Benign, storage.Duplicate:
		default:
			return p, fmt.Errorf("verdict %q: want true_positive, false_positive, benign or duplicate: %w", cut(a.Arg, 32), storage.ErrInvalid)
		}
	case Assign:
		if len(a.Arg) > MaxWhoBytes {
			return p, fmt.Errorf("assignee of %d bytes, at most %d: %w", len(a.Arg), MaxWhoBytes, storage.ErrInvalid)
		}
		p.Assign, p.Assignee = true, a.Arg
	case Comment:
		if a.Arg == "" {
			return p, fmt.Errorf("empty comment: %w", storage.ErrInvalid)
		}
	case Merge:
		if a.Arg == "" || a.Arg == a.Incident || len(a.Arg) > MaxWhoBytes {
			return p, fmt.Errorf("merge into %q: want another incident: %w", cut(a.Arg, 64), storage.ErrInvalid)
		}
		p.From, p.State = []storage.State{storage.Open, storage.Acknowledged}, storage.Resolved
		p.Verdict, p.Into = storage.Duplicate, a.Arg
	case SetSeverity:
		var err error
		if p.Severity, err = storage.ParseSeverity(a.Arg); err != nil {
			return p, err
		}
	default:
		return p, fmt.Errorf("unknown action: %w", storage.ErrInvalid)
	}
	return p, nil
}
