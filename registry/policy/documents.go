package policy

import (
	"fmt"
	"slices"

	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/attest"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/sign"
)

// Document is what somebody says about an artifact, for people: Decide goes by Facts. Of Release, Bill, Build and Report the
// one that it holds is set, also when nobody is known to have signed it.
type Document struct {
	Digest  registry.Digest // of its OCI manifest
	Type    string          // artifact type
	Signers []string        // names of the policies' keys whose signatures hold, sorted
	Unknown []sign.KeyID    // keys that it names beside those; whether they have signed is not known
	Problem error           // why it counts for nothing

	Release *sign.Release
	Bill    *attest.Bill
	Build   *attest.Build
	Report  *attest.Conformance
}

// Documents reads what refers to an artifact; signatures of any of the policies' keys count.
func Documents(policies []*Policy, d registry.Digest, list []layout.Referrer) []Document {
	keys, names := sign.Keys{}, map[sign.KeyID]string{}
	for _, p := range policies {
		for name, k := range p.Keys {
			keys[k.ID()], names[k.ID()] = k.PublicKey, name
		}
	}
	out := make([]Document, len(list))
	for i, r := range list {
		out[i] = Document{Digest: r.Digest, Type: r.Type}
		out[i].Problem = out[i].read(d, r.Envelope, keys, names)
	}
	return out
}

func (x *Document) read(d registry.Digest, envelope []byte, keys sign.Keys, names map[sign.KeyID]string) error {
	e, err := sign.Decode(envelope)
	if err != nil {
		return err
	}
	_, signers, unsigned := e.Verify(sign.TypeStatement, keys, 1)
	for _, id := range signers {
		x.Signers = append(x.Signers, names[id])
	}
	slices.Sort(x.Signers)
	for _, s := range e.Signatures {
		if s.KeyID != "" && !slices.Contains(signers, s.KeyID) {
			x.Unknown = append(x.Unknown, s.KeyID)
		}
	}
	s, err := sign.ReadStatement(e.Payload)
	if err != nil {
		return err
	}
	if err := x.content(s); err != nil {
		return err
	}
	if !s.About(d) {
		return fmt.Errorf("it is about another artifact: %w", registry.ErrUntrusted)
	}
	return unsigned
}

func (x *Document) content(s sign.Statement) error {
	switch s.PredicateType {
	case sign.PredicateRelease:
		v, err := sign.ReadRelease(s)
		x.Release = ifRead(v, err)
		return err
	case attest.PredicateSBOM:
		v, err := attest.BillOf(s)
		x.Bill = ifRead(v, err)
		return err
	case attest.PredicateProvenance:
		v, err := attest.ReadProvenance(s)
		x.Build = ifRead(v, err)
		return err
	case attest.PredicateConformance:
		v, err := attest.ReadConformance(s)
		x.Report = ifRead(v, err)
		return err
	}
	return fmt.Errorf("it says %.80q, which nothing here asks for: %w", s.PredicateType, registry.ErrInvalid)
}

func ifRead[T any](v T, err error) *T {
	if err != nil {
		return nil
	}
	return &v
}
