package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/attest"
	"github.com/vedette-siem/vedette/registry/sign"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// Facts is what is known about an artifact. Signatures in it were verified: By names keys of the policy.
type Facts struct {
	Ref          registry.Ref
	Digest       registry.Digest
	Manifest     registry.Digest    // of the manifest's canonical form
	Namespace    registry.Namespace // where it is to run: for all, or for one organization
	Kind         manifest.Kind
	Capabilities []string
	Releases     []Release
	SBOMs        []Vouched
	Builds       []Built
	Reports      []Report
	Checked      *attest.Conformance // what this host has found itself; nil: it has not tried
	Standing     registry.Standing
	IndexExpires time.Time // of the signed index that Standing is from; zero: there is none
	Running      bool      // it runs already, and the question is whether it may go on
}

// Vouched is a statement and the names of the keys that signed it.
type Vouched struct{ By []string }

// Release is a publisher's statement.
type Release struct {
	sign.Release
	By []string
}

// Built is a builder's statement.
type Built struct {
	Builder string
	By      []string
}

// Report is a conformance report that somebody attests. What this host has found itself needs nobody's word: where there is
// that, it alone counts.
type Report struct {
	attest.Conformance `yaml:",inline"`
	By                 []string
}

// Code names a reason, for programs.
type Code string

// The reasons.
const (
	CodeNoScope       Code = "no_scope"        // no scope of the policy fits the module
	CodeForeignTenant Code = "foreign_tenant"  // the publisher belongs to another organization
	CodeRevoked       Code = "revoked"         // the signed index says so
	CodeYanked        Code = "yanked"          // the signed index says so
	CodeDeprecated    Code = "deprecated"      // the signed index says so; only ever a warning
	CodeNotListed     Code = "not_listed"      // the signed index does not know this content under this name
	CodeNoIndex       Code = "no_index"        // the scope wants a signed index, and there is none
	CodeIndexExpired  Code = "index_expired"   // the signed index is too old: somebody may hold back a newer one
	CodeUnsigned      Code = "unsigned"        // no release that fits is signed by a key that may sign it
	CodeNotOwner      Code = "not_owner"       // the holders of the publisher's name have not signed
	CodeMissingKey    Code = "missing_key"     // a key of allOf has not signed
	CodeTooFewKeys    Code = "too_few_keys"    // too few of anyOf have signed
	CodeOtherArtifact Code = "other_artifact"  // a signature is for another name or other content
	CodeOtherAudience Code = "other_audience"  // a signature is for another site
	CodeTooOld        Code = "too_old"         // the release was signed too long ago
	CodeFromFuture    Code = "from_the_future" // the release was signed later than now
	CodeNoSBOM        Code = "no_sbom"
	CodeNoProvenance  Code = "no_provenance"
	CodeNoConformance Code = "no_conformance"
	CodeKind          Code = "kind"       // the scope does not take modules of this kind
	CodeCapability    Code = "capability" // the module asks for more than the scope allows
)

// always lists the reasons that no level sets aside.
var always = []Code{CodeNoScope, CodeForeignTenant, CodeRevoked}

// ofSignature lists the reasons that do not count where no signature is wanted.
var ofSignature = []Code{CodeUnsigned, CodeTooOld, CodeFromFuture, CodeOtherAudience, CodeOtherArtifact}

// Reason is one thing that speaks against an artifact.
type Reason struct {
	Code Code
	Text string
}

// Verdict is what a policy says about an artifact.
type Verdict struct {
	Allow    bool
	Stop     bool // what runs has to stop: it is revoked, or would not be allowed any more
	Level    Level
	Scope    string   // name of the scope that decided
	Signers  []string // names of the keys that have signed a release that fits, sorted
	Reasons  []Reason // all that speaks against it; with Allow those that its level sets aside
	Warnings []Reason // what a person should know
}

// Err returns nil for a verdict that allows, or an error that wraps registry.ErrUntrusted and names every reason.
func (v Verdict) Err() error {
	if v.Allow {
		return nil
	}
	texts := make([]string, len(v.Reasons))
	for i, r := range v.Reasons {
		texts[i] = r.Text
	}
	return fmt.Errorf("%s (scope %q, %s): %w", strings.Join(texts, "; "), v.Scope, v.Level, registry.ErrUntrusted)
}

// decision gathers reasons.
type decision struct {
	policy *Policy
	scope  *Scope
	owner  *Publisher
	facts  *Facts
	now    time.Time
	Verdict
}

func (d *decision) against(code Code, format string, args ...any) {
	d.Reasons = append(d.Reasons, Reason{code, fmt.Sprintf(format, args...)})
}

func (d *decision) warn(code Code, format string, args ...any) {
	d.Warnings = append(d.Warnings, Reason{code, fmt.Sprintf(format, args...)})
}

// Decide says whether an artifact may be installed, or with Running go on to run. It reads nothing but its arguments and
// answers for every value of them; every reason is named, not only the first.
func Decide(p *Policy, f Facts, now time.Time) Verdict {
	d := &decision{policy: p, facts: &f, now: now, scope: p.scope(f.Ref), owner: p.owner(f.Ref.Publisher)}
	if err := f.Namespace.Takes(f.Ref.Publisher); err != nil {
		d.against(CodeForeignTenant, "publisher %s belongs to one organization, and this is for %s", f.Ref.Publisher, f.Namespace)
	}
	if d.scope == nil {
		d.Level = Strict
		d.against(CodeNoScope, "no scope of the policy fits %s", f.Ref.Module())
		d.scope = &Scope{}
	} else {
		d.Level, d.Scope = d.scope.Level, d.scope.Name
		d.content()
		d.signatures()
		d.attestations()
	}
	d.index()
	d.conclude()
	return d.Verdict
}

func (d *decision) content() {
	if len(d.scope.Kinds) > 0 && !slices.Contains(d.scope.Kinds, d.facts.Kind) {
		d.against(CodeKind, "a %s is not among the kinds that may be published here", d.facts.Kind)
	}
	for _, c := range d.facts.Capabilities {
		if !slices.Contains(d.scope.Capabilities, c) && !slices.Contains(d.scope.Capabilities, "*") {
			d.against(CodeCapability, "it asks for %s, which the policy does not allow", c)
		}
	}
}

// fits reports whether a release vouches for this artifact here and now, and says why not.
func (d *decision) fits(r Release) bool {
	by := strings.Join(r.By, ", ")
	switch f := d.facts; {
	case r.Ref() != f.Ref || r.Digest != f.Digest || r.Manifest != f.Manifest:
		d.warn(CodeOtherArtifact, "the signature of %s is for %s with %s", by, r.Ref(), r.Digest.Short())
	case r.Audience != "" && r.Audience != d.policy.Audience:
		d.warn(CodeOtherAudience, "the signature of %s is for %q, and this is %q", by, r.Audience, d.policy.Audience)
	case r.Audience == "" && d.policy.Audience != "" && f.Ref.Publisher == f.Namespace.String():
		d.warn(CodeOtherAudience, "the signature of %s is for no site, and an organization's own has to name %q", by, d.policy.Audience)
	case r.Signed.After(d.now.Add(maxAhead)):
		d.warn(CodeFromFuture, "the signature of %s was made at %s, which is to come", by, r.Signed.UTC().Format(time.RFC3339))
	case d.scope.MaxAge > 0 && d.now.Sub(r.Signed) > time.Duration(d.scope.MaxAge):
		d.warn(CodeTooOld, "the signature of %s was made at %s, more than %s ago", by, r.Signed.UTC().Format(time.RFC3339), time.Duration(d.scope.MaxAge))
	default:
		return len(r.By) > 0
	}
	return false
}

func (d *decision) signatures() {
	for _, r := range d.facts.Releases {
		if d.fits(r) {
			d.Signers = append(d.Signers, r.By...)
		}
	}
	slices.Sort(d.Signers)
	d.Signers = slices.Compact(d.Signers)
	if speakers := d.speakers(nil); count(d.Signers, speakers) == 0 {
		// A key that is there for something else, such as a builder's, signs no release.
		d.against(CodeUnsigned, "it is not signed by any key that may sign it (%s)", orNobody(speakers))
		for _, w := range d.Warnings { // why the signatures that there are do not count
			if slices.Contains(ofSignature, w.Code) {
				d.Reasons = append(d.Reasons, w)
			}
		}
	}
	if d.owner != nil {
		if have, want := count(d.Signers, d.owner.Keys), max(1, d.owner.Threshold); have < want {
			d.against(CodeNotOwner, "the name %s belongs to the holders of %s, of whom %d have signed and %d have to", d.facts.Ref.Publisher, strings.Join(d.owner.Keys, ", "), have, want)
		}
	}
	for _, k := range d.scope.Signatures.AllOf {
		if !slices.Contains(d.Signers, k) {
			d.against(CodeMissingKey, "%s has not signed it", k)
		}
	}
	if any := d.scope.Signatures; len(any.AnyOf) > 0 {
		if have, want := count(d.Signers, any.AnyOf), max(1, any.Minimum); have < want {
			d.against(CodeTooFewKeys, "%d of %s have signed it, and %d have to", have, strings.Join(any.AnyOf, ", "), want)
		}
	}
}

func count(have, want []string) int {
	n := 0
	for _, k := range have {
		if slices.Contains(want, k) {
			n++
		}
	}
	return n
}

// speakers returns the keys that may make a statement.
func (d *decision) speakers(keys []string) []string {
	if len(keys) > 0 {
		return keys
	}
	list := slices.Concat(d.scope.Signatures.AllOf, d.scope.Signatures.AnyOf)
	if d.owner != nil {
		list = append(list, d.owner.Keys...)
	}
	return list
}

func (d *decision) attestations() {
	if want := d.scope.Require.SBOM; want != nil {
		keys := d.speakers(want.Keys)
		if !slices.ContainsFunc(d.facts.SBOMs, func(s Vouched) bool { return count(s.By, keys) > 0 }) {
			d.against(CodeNoSBOM, "there is no bill of materials that %s have signed", strings.Join(keys, " or "))
		}
	}
	if want := d.scope.Require.Provenance; want != nil {
		keys := d.speakers(want.Keys)
		if !slices.ContainsFunc(d.facts.Builds, func(b Built) bool {
			return count(b.By, keys) > 0 && (len(want.Builders) == 0 || slices.Contains(want.Builders, b.Builder))
		}) {
			d.against(CodeNoProvenance, "there is no provenance by %s that %s have signed", orAny(want.Builders), strings.Join(keys, " or "))
		}
	}
	if want := d.scope.Require.Conformance; want != nil {
		keys, own := d.speakers(want.Keys), d.facts.Checked
		switch {
		case own != nil && own.Level < want.Level:
			d.against(CodeNoConformance, "it conforms to level %s, as checked on this host, and L%d is wanted", own.Name(), want.Level)
		case own == nil && !slices.ContainsFunc(d.facts.Reports, func(r Report) bool { return count(r.By, keys) > 0 && r.Level >= want.Level }):
			d.against(CodeNoConformance, "there is no report of level %d or more that %s have signed, and this host has not checked it", want.Level, strings.Join(keys, " or "))
		}
	}
}

func orNobody(list []string) string {
	if len(list) == 0 {
		return "the policy names none"
	}
	return strings.Join(list, ", ")
}

func orAny(list []string) string {
	if len(list) == 0 {
		return "any builder"
	}
	return strings.Join(list, " or ")
}

func (d *decision) index() {
	s := d.facts.Standing
	text := func(word string) string {
		out := d.facts.Ref.String() + " is " + word
		if s.Reason != "" {
			out += ": " + s.Reason
		}
		if s.Replacement != "" {
			out += " (use " + s.Replacement + ")"
		}
		return out
	}
	switch {
	case s.Revoked:
		d.against(CodeRevoked, "%s", text("revoked"))
	case s.Yanked && !d.facts.Running:
		d.against(CodeYanked, "%s", text("yanked"))
	case s.Yanked:
		d.warn(CodeYanked, "%s", text("yanked"))
	case s.Deprecated:
		d.warn(CodeDeprecated, "%s", text("deprecated"))
	}
	required := d.scope.Index == IndexRequired
	switch expires := d.facts.IndexExpires; {
	case expires.IsZero():
		if required {
			d.against(CodeNoIndex, "there is no signed index, and the policy wants one")
		}
		return
	case d.now.After(expires.Add(time.Duration(d.scope.IndexGrace))) && (required || d.Level == Strict):
		d.against(CodeIndexExpired, "the signed index has expired at %s: a newer one may be held back", expires.UTC().Format(time.RFC3339))
	case d.now.After(expires):
		d.warn(CodeIndexExpired, "the signed index has expired at %s", expires.UTC().Format(time.RFC3339))
	}
	if required && !s.Listed {
		d.against(CodeNotListed, "the signed index does not list %s with %s", d.facts.Ref, d.facts.Digest.Short())
	}
}

// conclude applies the level to the reasons.
func (d *decision) conclude() {
	d.Allow = true
	if d.Level == Unsigned {
		moot := func(r Reason) bool { return slices.Contains(ofSignature, r.Code) }
		d.Reasons = slices.DeleteFunc(d.Reasons, moot)
		if len(d.Signers) == 0 {
			d.warn(CodeUnsigned, "nobody has signed it")
		}
	}
	for _, r := range d.Reasons {
		if d.Level != Audit || slices.Contains(always, r.Code) {
			d.Allow = false
		}
	}
	d.Stop = d.facts.Running && !d.Allow
}

// Examine makes facts of an artifact and of what refers to it: envelopes whose signatures hold for keys of the policy
// and which are about this artifact. The rest is left out, with a note why. Standing, IndexExpires and Running are the
// caller's to fill in.
func Examine(p *Policy, a *registry.Artifact, d registry.Digest, n registry.Namespace, envelopes [][]byte) (Facts, []error) {
	f := Facts{
		Ref: registry.RefOf(&a.Manifest), Digest: d, Manifest: registry.Digest(manifest.Sum(a.ManifestBytes)), Namespace: n, Kind: a.Manifest.Kind,
	}
	for _, c := range a.Manifest.Capabilities {
		f.Capabilities = append(f.Capabilities, c.ID)
	}
	keys, names := p.TrustedKeys(), map[sign.KeyID]string{}
	for name, k := range p.Keys {
		names[k.ID()] = name
	}
	var skipped []error
	for i, data := range envelopes {
		if err := f.take(data, keys, names); err != nil {
			skipped = append(skipped, fmt.Errorf("document %d about %s: %w", i+1, f.Ref, err))
		}
	}
	return f, skipped
}

func (f *Facts) take(data []byte, keys sign.Keys, names map[sign.KeyID]string) error {
	e, err := sign.Decode(data)
	if err != nil {
		return err
	}
	payload, signers, err := e.Verify(sign.TypeStatement, keys, 1)
	if err != nil {
		return err
	}
	by := make([]string, len(signers))
	for i, id := range signers {
		by[i] = names[id]
	}
	slices.Sort(by)
	s, err := sign.ReadStatement(payload)
	if err != nil {
		return err
	}
	if s.PredicateType == sign.PredicateRelease {
		r, err := sign.ReadRelease(s) // what it is about is Decide's to compare, which names it
		if err == nil {
			f.Releases = append(f.Releases, Release{r, by})
		}
		return err
	}
	if !s.About(f.Digest) {
		return fmt.Errorf("it is about another artifact: %w", registry.ErrUntrusted)
	}
	switch s.PredicateType {
	case attest.PredicateSBOM:
		if _, err = attest.ReadSBOM(s); err == nil {
			f.SBOMs = append(f.SBOMs, Vouched{by})
		}
	case attest.PredicateProvenance:
		var b attest.Build
		if b, err = attest.ReadProvenance(s); err == nil {
			f.Builds = append(f.Builds, Built{b.Builder, by})
		}
	case attest.PredicateConformance:
		var c attest.Conformance
		if c, err = attest.ReadConformance(s); err == nil {
			f.Reports = append(f.Reports, Report{c, by})
		}
	default:
		err = fmt.Errorf("it says %.80q, which nothing here asks for: %w", s.PredicateType, registry.ErrInvalid)
	}
	return err
}
