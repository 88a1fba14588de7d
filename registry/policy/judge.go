package policy

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/index"
	"github.com/vedette-siem/vedette/registry/layout"
)

// Under returns the facts with what a signed index says about the artifact; nil is no index.
func (f Facts) Under(x *index.Index) Facts {
	f.Standing, f.IndexExpires = registry.Standing{}, time.Time{}
	if x != nil {
		f.Standing, f.IndexExpires = x.Standing(f.Ref, f.Digest), x.Expires
	}
	return f
}

// Judged is an artifact with what a policy says about it. Facts may be kept: what runs is decided about anew, with
// Running set, by Decide(p, Facts.Under(index), now) alone.
type Judged struct {
	Artifact registry.Artifact
	Facts    Facts
	Verdict  Verdict
	Skipped  []error // documents that were left out, and why
}

// Judge reads an artifact and all that refers to it from a layout, verifies every byte and signature anew, and decides
// whether it may run in a namespace. An error means that it could not be read; a refusal is a Verdict.
func Judge(ctx context.Context, l *layout.Layout, d registry.Digest, n registry.Namespace, p *Policy, x *index.Index, now time.Time) (Judged, error) {
	a, err := l.Pull(ctx, d)
	if err != nil {
		return Judged{}, err
	}
	list, err := l.Referrers(ctx, d, "")
	if err != nil {
		return Judged{}, err
	}
	var envelopes [][]byte
	for _, r := range list {
		envelopes = append(envelopes, r.Envelope)
	}
	j := Judged{Artifact: a}
	j.Facts, j.Skipped = Examine(p, &a, d, n, envelopes)
	j.Facts = j.Facts.Under(x)
	j.Verdict = Decide(p, j.Facts, now)
	return j, nil
}

// Admit returns the decision in the form that remote.Pull asks for.
func Admit(p *Policy, n registry.Namespace, x *index.Index, now func() time.Time) func(context.Context, *registry.Artifact, registry.Digest, [][]byte) error {
	return func(_ context.Context, a *registry.Artifact, d registry.Digest, envelopes [][]byte) error {
		f, _ := Examine(p, a, d, n, envelopes)
		if err := Decide(p, f.Under(x), now()).Err(); err != nil {
			return fmt.Errorf("%s: %w", f.Ref, err)
		}
		return nil
	}
}

// All returns the verdict of several policies together, such as the host's and an organization's own: what one of them
// refuses is refused. Reasons and warnings are those of all. There has to be at least one.
func All(first Verdict, more ...Verdict) Verdict {
	out := first
	for _, v := range more {
		if out.Allow && !v.Allow { // who refuses gives its name to the refusal
			out.Level, out.Scope = v.Level, v.Scope
		}
		out.Allow, out.Stop = out.Allow && v.Allow, out.Stop || v.Stop
		out.Signers = slices.Compact(slices.Sorted(slices.Values(slices.Concat(out.Signers, v.Signers))))
		out.Reasons, out.Warnings = slices.Concat(out.Reasons, v.Reasons), slices.Concat(out.Warnings, v.Warnings)
	}
	if len(out.Signers) > 0 { // one of them knows somebody who has
		out.Warnings = slices.DeleteFunc(out.Warnings, func(r Reason) bool { return r.Code == CodeUnsigned })
	}
	return out
}
