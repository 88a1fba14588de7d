package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/host/tenant"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/attest"
	"github.com/vedette-siem/vedette/registry/bundle"
	"github.com/vedette-siem/vedette/registry/index"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/policy"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
	"github.com/vedette-siem/vedette/storage"
	"github.com/vedette-siem/vedette/storage/meta"
)

// Judged is what would be said under another policy about a module that runs.
type Judged struct {
	Name, Version string
	Digest        registry.Digest
	Verdict       policy.Verdict
}

// Conformance is what is known about how a version keeps to the ABI.
type Conformance struct {
	Checked  *attest.Conformance // what this host has found; nil: it has not tried it
	Trouble  string              // why it could not be tried
	Attested *policy.Report      // the best that somebody known has signed; nil: there is none
}

// RegistrySource says where versions and the signed index come from.
type RegistrySource struct {
	Remote         string // URL of the remote registry; "" for none
	Looked         time.Time
	Problem        string // why the last look found no index
	RefuseUnsigned bool
}

// Collected says what a collection has removed, or would.
type Collected struct {
	Packages []registry.Entry
	Blobs    int
	Bytes    int64
}

// Registry is the host's own registry of modules. It may be called by many goroutines at once.
type Registry interface {
	// Layout is the registry with a namespace for each organization.
	Layout() *layout.Layout
	// Index returns the signed index that is believed, or nil.
	Index() *index.Trust
	// Policy returns the host's own trust policy as it stands in its file; "" when there is none.
	Policy() string
	// Policies are those in force for t, of NoTenant the host's alone; they all have to agree.
	Policies(ctx context.Context, t storage.Tenant) ([]*policy.Policy, error)
	// Source says where versions come from besides.
	Source() RegistrySource
	// Would says what the host's policy and another one of t's own would say together about each module that t runs itself.
	Would(ctx context.Context, t storage.Tenant, p *policy.Policy) ([]Judged, error)
	// Stored says whether a version that is here could be installed for t, and what it asks for.
	Stored(ctx context.Context, t storage.Tenant, d registry.Digest) (v policy.Verdict, capabilities []string, err error)
	// Conformance says how a version that t sees keeps to the ABI.
	Conformance(ctx context.Context, t storage.Tenant, d registry.Digest) (Conformance, error)
	// Fetch returns the version that a reference names, from the remote registry when it is not here and is trusted.
	Fetch(ctx context.Context, t storage.Tenant, reference string) (layout.Package, error)
	// Collect removes what nothing refers to any more, or only says what.
	Collect(ctx context.Context, dryRun bool) (Collected, error)
	// Import verifies and stores a bundle for t, or for NoTenant for all.
	Import(ctx context.Context, t storage.Tenant, r io.Reader) ([]bundle.Module, error)
}

type registryService struct {
	*API
	vedettev1connect.UnimplementedRegistryServiceHandler
}

func (s registryService) GetTrustPolicy(ctx context.Context, req *connect.Request[v1.GetTrustPolicyRequest]) (*connect.Response[v1.GetTrustPolicyResponse], error) {
	if err := s.admin(ctx, req.Header(), req.Msg.Tenant); err != nil {
		return nil, err
	}
	source := s.cfg.Registry.Source()
	out := &v1.GetTrustPolicyResponse{Policy: &v1.TrustPolicy{}, Remote: source.Remote, Problem: source.Problem, RefuseUnsigned: source.RefuseUnsigned}
	if !source.Looked.IsZero() {
		out.Looked = moment(source.Looked.UnixNano())
	}
	if known := s.cfg.Registry.Index(); known != nil && known.Index() != nil {
		x := known.Index()
		out.Index = &v1.SignedIndex{Registry: x.Registry, Version: x.Version, Root: known.Root().Version, Issued: moment(x.Issued.UnixNano()), Expires: moment(x.Expires.UnixNano())}
	}
	if req.Msg.Tenant == 0 {
		policies, err := s.cfg.Registry.Policies(ctx, storage.NoTenant)
		if err != nil {
			return nil, err
		}
		out.Policy.Document, out.Keys = s.cfg.Registry.Policy(), keysOf(policies[0])
		return connect.NewResponse(out), nil
	}
	list, err := s.cfg.DB.TrustPolicies(ctx, storage.Tenant(req.Msg.Tenant))
	if err != nil {
		return nil, err
	}
	for i := range list {
		if i == 0 {
			out.Policy = policyOf(&list[i])
			continue
		}
		out.Before = append(out.Before, policyOf(&list[i]))
	}
	if out.Policy.Document != "" {
		if p, err := policy.Parse("policy", []byte(out.Policy.Document)); err == nil { // else SetTrustPolicy says what is wrong
			out.Keys = keysOf(p)
		}
	}
	return connect.NewResponse(out), nil
}

func keysOf(p *policy.Policy) (out []*v1.TrustKey) {
	for _, name := range slices.Sorted(maps.Keys(p.Keys)) {
		out = append(out, &v1.TrustKey{Name: name, Id: string(p.Keys[name].ID())})
	}
	return out
}

func reasonsOf(list []policy.Reason) string {
	texts := make([]string, len(list))
	for i, r := range list {
		texts[i] = r.Text
	}
	return strings.Join(texts, "; ")
}

func policyOf(p *meta.TrustPolicy) *v1.TrustPolicy {
	return &v1.TrustPolicy{Version: p.Version, Document: p.Document, Who: p.Who, At: moment(p.At)}
}

// admin returns nil when whoever asks may decide what an organization, or with 0 the host, trusts.
func (s registryService) admin(ctx context.Context, h map[string][]string, on uint32) error {
	p, err := s.host(ctx, h, tenant.ManageGlobal)
	if err == nil && on != 0 && !p.Sees(storage.Tenant(on)) {
		err = fmt.Errorf("organization %d: %w", on, storage.ErrNotFound)
	}
	return err
}

func (s registryService) SetTrustPolicy(ctx context.Context, req *connect.Request[v1.SetTrustPolicyRequest]) (*connect.Response[v1.SetTrustPolicyResponse], error) {
	if err := s.admin(ctx, req.Header(), req.Msg.Tenant); err != nil {
		return nil, err
	}
	if req.Msg.Tenant == 0 {
		return nil, fmt.Errorf("set a trust policy: the host's stands in the file that modules.trust_policy names: %w", storage.ErrInvalid)
	}
	t, out := storage.Tenant(req.Msg.Tenant), &v1.SetTrustPolicyResponse{}
	if req.Msg.Document != "" {
		p, err := policy.Parse("policy", []byte(req.Msg.Document))
		var problems policy.Problems
		if errors.As(err, &problems) {
			for _, x := range problems {
				text := x.Text
				if x.Path != "" {
					text = x.Path + ": " + text
				}
				out.Problems = append(out.Problems, &v1.Problem{Line: uint32(x.Line), Column: uint32(x.Column), Text: text})
			}
			return connect.NewResponse(out), nil
		}
		if err != nil {
			return nil, err
		}
		judged, err := s.cfg.Registry.Would(ctx, t, p)
		if err != nil {
			return nil, err
		}
		for i := range judged {
			x := &judged[i]
			out.Verdicts = append(out.Verdicts, &v1.JudgedModule{Name: x.Name, Version: x.Version, Digest: string(x.Digest), Trust: trustOf(&x.Verdict)})
			if x.Verdict.Stop {
				out.Stops = append(out.Stops, &v1.StoppedModule{Name: x.Name, Reason: reasonsOf(x.Verdict.Reasons)})
			}
		}
	}
	if req.Msg.DryRun {
		return connect.NewResponse(out), nil
	}
	p, err := s.Principal(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	if out.Version, err = s.cfg.DB.SetTrustPolicy(ctx, t, req.Msg.Document, p.User); err != nil {
		return nil, err
	}
	return connect.NewResponse(out), nil
}

func (s registryService) CollectPackages(ctx context.Context, req *connect.Request[v1.CollectPackagesRequest]) (*connect.Response[v1.CollectPackagesResponse], error) {
	if err := s.admin(ctx, req.Header(), 0); err != nil {
		return nil, err
	}
	done, err := s.cfg.Registry.Collect(ctx, req.Msg.DryRun)
	if err != nil {
		return nil, err
	}
	out := &v1.CollectPackagesResponse{Blobs: uint64(done.Blobs), Bytes: uint64(done.Bytes)}
	for i := range done.Packages {
		out.Packages = append(out.Packages, s.entry(&done.Packages[i]))
	}
	return connect.NewResponse(out), nil
}

// ImportTimeout is how long a bundle may take to arrive.
const ImportTimeout = 30 * time.Minute

// exportChunk is how much of a bundle one message holds.
const exportChunk = 256 << 10

func (s registryService) ExportPackages(ctx context.Context, req *connect.Request[v1.ExportPackagesRequest], stream *connect.ServerStream[v1.ExportPackagesResponse]) error {
	if err := s.admin(ctx, req.Header(), req.Msg.Tenant); err != nil {
		return err
	}
	from := s.cfg.Registry.Layout().In(registry.Namespace(req.Msg.Tenant))
	var digests []registry.Digest
	for _, name := range req.Msg.References {
		d, err := registry.ParseDigest(name)
		if err != nil {
			ref, bad := registry.ParseRef(name)
			if bad != nil {
				return bad
			}
			if d, err = from.Resolve(ctx, ref); err != nil {
				return err
			}
		}
		digests = append(digests, d)
	}
	if len(digests) == 0 {
		list, err := from.List(ctx)
		if err != nil {
			return err
		}
		for _, e := range list {
			if e.Namespace == from.Namespace() {
				digests = append(digests, e.Digest)
			}
		}
	}
	return bundle.Export(ctx, &chunks{stream: stream}, from, digests, s.cfg.Registry.Index())
}

// chunks sends what is written to it.
type chunks struct {
	stream *connect.ServerStream[v1.ExportPackagesResponse]
}

func (c *chunks) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		part := p[:min(len(p), exportChunk)]
		if err := c.stream.Send(&v1.ExportPackagesResponse{Data: bytes.Clone(part)}); err != nil {
			return n, err
		}
		n, p = n+len(part), p[len(part):]
	}
	return n, nil
}

func (s registryService) ImportPackages(ctx context.Context, stream *connect.ClientStream[v1.ImportPackagesRequest]) (*connect.Response[v1.ImportPackagesResponse], error) {
	if err := s.admin(ctx, stream.RequestHeader(), 0); err != nil { // before anything of it is read
		return nil, err
	}
	if !stream.Receive() {
		return nil, errors.Join(stream.Err(), fmt.Errorf("import: nothing came: %w", storage.ErrInvalid))
	}
	first := stream.Msg()
	if err := s.admin(ctx, stream.RequestHeader(), first.Tenant); err != nil {
		return nil, err
	}
	list, err := s.cfg.Registry.Import(ctx, storage.Tenant(first.Tenant), &received{stream: stream, rest: bytes.Clone(first.Data)})
	if err != nil {
		return nil, err
	}
	out := &v1.ImportPackagesResponse{}
	for i := range list {
		out.Packages = append(out.Packages, &v1.ImportedPackage{Reference: list[i].Ref.String(), Digest: string(list[i].Digest), Trust: trustOf(&list[i].Verdict)})
	}
	return connect.NewResponse(out), nil
}

// received reads what is sent.
type received struct {
	stream *connect.ClientStream[v1.ImportPackagesRequest]
	rest   []byte
}

func (r *received) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if !r.stream.Receive() {
			if err := r.stream.Err(); err != nil {
				return 0, err
			}
			return 0, io.EOF
		}
		r.rest = r.stream.Msg().Data
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
