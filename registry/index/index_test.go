package index

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/registry/layout"
	"github.com/vedette-siem/vedette/registry/registrytest"
	"github.com/vedette-siem/vedette/registry/sign"
)

var now = registrytest.Now

const day = 24 * time.Hour

func digest(digit string) registry.Digest {
	return registry.Digest("sha256:" + strings.Repeat(digit, 64))
}

func ref(t testing.TB, s string) registry.Ref {
	t.Helper()
	r, err := registry.ParseRef(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func publics(keys ...sign.PrivateKey) []sign.PublicKey {
	var out []sign.PublicKey
	for _, k := range keys {
		out = append(out, k.Public())
	}
	return out
}

// site is a registry: the holders of its keys, its roots, and its index.
type site struct {
	t        testing.TB
	a, b, c  sign.PrivateKey // roots: two of them sign
	i, j     sign.PrivateKey // indexes: one of them signs
	root     *Root
	envelope [][]byte
	index    *Index
}

func newSite(t testing.TB) *site {
	t.Helper()
	key := func(letter string) sign.PrivateKey { return registrytest.Key(t, letter) }
	s := &site{t: t, a: key("a"), b: key("b"), c: key("c"), i: key("i"), j: key("j")}
	s.root = NewRoot("modules.example.org", now.Add(365*day), NewRole(2, publics(s.a, s.b, s.c)...), NewRole(1, publics(s.i)...), publics(s.a, s.b, s.c, s.i)...)
	s.envelope = append(s.envelope, s.seal(s.root, s.a, s.b))
	s.index = New(s.root)
	for _, v := range []string{"1.0.0", "1.1.0", "1.2.0-rc.1", "2.0.0"} {
		if err := s.index.Add(ref(t, "acme/x:"+v), digest(string("1234"[len(s.envelope)-1+slices.Index([]string{"1.0.0", "1.1.0", "1.2.0-rc.1", "2.0.0"}, v)]))); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.index.SetChannel("acme/x", Stable, "1.1.0"); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) seal(r *Root, keys ...sign.PrivateKey) []byte {
	s.t.Helper()
	data, err := r.Seal(keys...)
	if err != nil {
		s.t.Fatal(err)
	}
	return data
}

// publish signs the next index, after change, at a time.
func (s *site) publish(at time.Time, change func(*Index), keys ...sign.PrivateKey) layout.Snapshot {
	s.t.Helper()
	if len(keys) == 0 {
		keys = []sign.PrivateKey{s.i}
	}
	s.index = s.index.Next(s.root, at, 7*day)
	if change != nil {
		change(s.index)
	}
	data, err := s.index.Seal(keys...)
	if err != nil {
		s.t.Fatal(err)
	}
	return layout.Snapshot{Index: data, Roots: slices.Clone(s.envelope)}
}

func (s *site) trust() *Trust {
	s.t.Helper()
	t, err := Begin(s.envelope[0])
	if err != nil {
		s.t.Fatal(err)
	}
	return t
}

func update(t testing.TB, trust *Trust, s layout.Snapshot, at time.Time) *Trust {
	t.Helper()
	next, err := trust.Update(s, at)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func refused(t testing.TB, trust *Trust, s layout.Snapshot, at time.Time, why string) {
	t.Helper()
	next, err := trust.Update(s, at)
	if !errors.Is(err, registry.ErrUntrusted) && !errors.Is(err, registry.ErrInvalid) || next != nil || !strings.Contains(err.Error(), why) {
		t.Errorf("got %v, want %q", err, why)
	}
}

func TestUpdates(t *testing.T) {
	s := newSite(t)
	trust := s.trust()
	if trust.Index() != nil {
		t.Error("an index before the first")
	}
	if _, ok := trust.Snapshot(); ok {
		t.Error("a snapshot before the first")
	}
	first := s.publish(now, nil)
	trust = update(t, trust, first, now)
	if got := trust.Index().Standing(ref(t, "acme/x:1.0.0"), digest("1")); got != (registry.Standing{Listed: true}) {
		t.Errorf("standing %+v", got)
	}
	again := update(t, trust, first, now) // the same one again
	second := s.publish(now.Add(day), func(x *Index) {
		if err := x.Revoke(ref(t, "acme/x:1.0.0"), Note{"leaks secrets", "acme/x:1.1.0", now}); err != nil {
			t.Error(err)
		}
	})
	trust = update(t, again, second, now.Add(day))
	want := registry.Standing{Listed: true, Revoked: true, Reason: "leaks secrets", Replacement: "acme/x:1.1.0"}
	if got := trust.Index().Standing(ref(t, "acme/x:1.0.0"), digest("1")); got != want {
		t.Errorf("standing %+v", got)
	}
	want.Listed = false
	if got := trust.Index().Standing(ref(t, "other/y:1.0.0"), digest("1")); got != want {
		t.Errorf("the same content under another name: %+v", got)
	}
	if got := trust.Index().Changed(again.Index()); len(got) != 1 || got[0].Version != "1.0.0" {
		t.Errorf("changed %v", got)
	}
	if got := trust.Index().Changed(nil); len(got) != 4 || got[2].Version != "1.2.0-rc.1" {
		t.Errorf("changed since nothing %v", got)
	}
}

// Rolled back, frozen, mixed, or signed by the wrong people: refused, and what was trusted goes on.
func TestIndexAttacks(t *testing.T) {
	s := newSite(t)
	first := s.publish(now, nil)
	second := s.publish(now.Add(time.Hour), nil)
	trust := update(t, s.trust(), second, now.Add(time.Hour))
	refused(t, trust, first, now.Add(time.Hour), "rollback")
	refused(t, trust, second, now.Add(8*day), "freeze")
	refused(t, s.trust(), second, now.Add(-day), "to come")
	refused(t, s.trust(), s.publish(now, nil, s.a), now, "0 of 1 signatures")
	refused(t, s.trust(), layout.Snapshot{Index: s.envelope[0], Roots: s.envelope}, now, "envelope holds")
	refused(t, s.trust(), layout.Snapshot{Index: []byte("x")}, now, "envelope")

	twin := newSite(t) // two indexes of one version
	twin.publish(now, nil)
	refused(t, trust, twin.publish(now.Add(2*time.Hour), nil), now.Add(2*time.Hour), "mix")

	other := newSite(t) // another registry whose index the same key signs
	other.index.Registry = "other.example.org"
	other.index.Version = 10
	mixed := other.publish(now.Add(time.Hour), nil)
	mixed.Roots = nil
	refused(t, trust, mixed, now.Add(time.Hour), "mix")
	foreign := *s.root
	foreign.Registry, foreign.Version = "other.example.org", 2
	refused(t, trust, layout.Snapshot{Index: second.Index, Roots: [][]byte{s.seal(&foreign, s.a, s.b)}}, now, "mix")

	for name, change := range map[string]string{"unknown member": `{"modules":{},"x":1`, "not canonical": `{ "modules":{}`} {
		e, err := sign.Decode(second.Index)
		if err != nil {
			t.Fatal(err)
		}
		bad, err := sign.Seal(TypeIndex, []byte(strings.Replace(string(e.Payload), `{"expires"`, change+`,"expires"`, 1)), s.i)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.trust().Update(layout.Snapshot{Index: registrytest.Encode(t, bad)}, now); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if trust.Index().Version != 2 {
		t.Errorf("version %d is trusted now", trust.Index().Version)
	}
}

func TestRootRotation(t *testing.T) {
	s := newSite(t)
	old := s.publish(now, nil)
	trust := update(t, s.trust(), old, now)
	d := registrytest.Key(t, "d")
	// c was stolen: d takes its place, and j signs the index.
	next := s.root.Next(now.Add(500*day), NewRole(2, publics(s.a, s.b, d)...), NewRole(1, publics(s.j)...), publics(s.a, s.b, d, s.j)...)
	for _, signers := range [][]sign.PrivateKey{
		{s.a, d},   // one of the old
		{s.a, s.c}, // one of the new
		{s.c, d},   // the thief
		{s.i, s.j}, // the keys of the index
		{s.b, s.b}, // one twice
	} {
		refused(t, trust, layout.Snapshot{Index: old.Index, Roots: [][]byte{s.seal(next, signers...)}}, now, "of 2 signatures by trusted keys")
	}
	s.envelope = append(s.envelope, s.seal(next, s.a, s.b))
	withheld := s.envelope
	s.root = next
	fresh := s.publish(now.Add(day), nil, s.j)
	moved := update(t, trust, fresh, now.Add(day))
	if moved.Root().Version != 2 {
		t.Errorf("root %d", moved.Root().Version)
	}
	refused(t, moved, s.publish(now.Add(day), nil, s.i), now.Add(day), "0 of 1")
	fresh.Roots = nil
	refused(t, trust, fresh, now.Add(day), "0 of 1 signatures")
	// A third root: without the second nobody follows; with both everybody does, even past one that has expired.
	third := next.Next(now.Add(900*day), next.Roots, next.Indexes, publics(s.a, s.b, d, s.j)...)
	s.envelope, s.root = append(withheld, s.seal(third, s.b, d)), third
	latest := s.publish(now.Add(600*day), nil, s.j)
	refused(t, trust, layout.Snapshot{Index: latest.Index, Roots: s.envelope[2:]}, now.Add(600*day), "missing")
	if got := update(t, s.trust(), latest, now.Add(600*day)); got.Root().Version != 3 {
		t.Errorf("root %d", got.Root().Version)
	}
	refused(t, s.trust(), latest, now.Add(901*day), "root 3 has expired")
	// A mirror passes on the whole chain.
	mirrored, ok := update(t, s.trust(), latest, now.Add(600*day)).Snapshot()
	if !ok || len(mirrored.Roots) != 3 {
		t.Errorf("%d roots, %v", len(mirrored.Roots), ok)
	}
	update(t, s.trust(), mirrored, now.Add(600*day))
}

func TestBeginRefuses(t *testing.T) {
	s := newSite(t)
	if _, err := Begin(s.seal(s.root, s.a)); !errors.Is(err, registry.ErrUntrusted) {
		t.Errorf("one signature of two: %v", err)
	}
	if _, err := Begin(s.publish(now, nil).Index); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("an index: %v", err)
	}
	for name, change := range map[string]func(*Root){
		"threshold 0":        func(r *Root) { r.Roots.Threshold = 0 },
		"threshold over":     func(r *Root) { r.Roots.Threshold = 4 },
		"key twice":          func(r *Root) { r.Roots.Keys = append(r.Roots.Keys, r.Roots.Keys[2]) },
		"key that is absent": func(r *Root) { r.Indexes.Keys = []sign.KeyID{sign.KeyID(strings.Repeat("0", 64))} },
		"key under another id": func(r *Root) {
			r.Keys[sign.KeyID(strings.Repeat("0", 64))] = s.a.Public()
		},
		"no name": func(r *Root) { r.Registry = "" }, "long name": func(r *Root) { r.Registry = strings.Repeat("n", MaxNameBytes+1) },
		"no version": func(r *Root) { r.Version = 0 }, "no end": func(r *Root) { r.Expires = time.Time{} }, "no keys": func(r *Root) { r.Keys = nil },
	} {
		r := newSite(t).root
		change(r)
		if _, err := r.Seal(s.a, s.b); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestResolve(t *testing.T) {
	s := newSite(t)
	x := update(t, s.trust(), s.publish(now, func(x *Index) {
		for _, err := range []error{
			x.SetChannel("acme/x", Canary, "1.2.0-rc.1"), x.Yank(ref(t, "acme/x:2.0.0"), &Note{Reason: "broken", At: now}),
			x.Add(ref(t, "acme/y:1.0.0"), digest("9")), x.Revoke(ref(t, "acme/y:1.0.0"), Note{Reason: "bad", At: now}),
		} {
			if err != nil {
				t.Error(err)
			}
		}
	}), now).Index()
	for want, version := range map[string]string{
		"stable": "1.1.0", "canary": "1.2.0-rc.1", "1.0.0": "1.0.0", "^1.0": "1.1.0", ">=1.0.0": "1.1.0", "*": "1.1.0", "~1.0.0": "1.0.0", ">=1.2.0-0": "1.2.0-rc.1",
		"beta": "", "2.0.0": "", "3.0.0": "", "^2": "",
	} {
		got, _, err := x.Resolve("acme/x", want)
		if version == "" && !errors.Is(err, registry.ErrNotFound) || version != "" && (err != nil || got.Version != version) {
			t.Errorf("%s: got %s, %v; want %q", want, got, err, version)
		}
	}
	if _, _, err := x.Resolve("acme/x", "not a version"); !errors.Is(err, registry.ErrInvalid) {
		t.Errorf("nonsense: %v", err)
	}
	for _, module := range []string{"acme/y", "acme/none"} {
		if _, _, err := x.Resolve(module, "*"); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s: %v", module, err)
		}
	}
}

func TestEdits(t *testing.T) {
	s := newSite(t)
	x := s.index.Next(s.root, now, day)
	note := &Note{Reason: "old", At: now.Add(time.Millisecond)}
	for name, c := range map[string]struct{ err, want error }{
		"added again":           {x.Add(ref(t, "acme/x:1.0.0"), digest("1")), nil},
		"other content":         {x.Add(ref(t, "acme/x:1.0.0"), digest("2")), registry.ErrConflict},
		"no reference":          {x.Add(registry.Ref{Publisher: "a"}, digest("2")), registry.ErrInvalid},
		"no digest":             {x.Add(ref(t, "acme/x:9.0.0"), "x"), registry.ErrInvalid},
		"unknown channel":       {x.SetChannel("acme/x", "nightly", "1.0.0"), registry.ErrInvalid},
		"channel of nothing":    {x.SetChannel("acme/none", Stable, "1.0.0"), registry.ErrNotFound},
		"channel of no version": {x.SetChannel("acme/x", Stable, "7.0.0"), registry.ErrNotFound},
		"channel removed":       {x.SetChannel("acme/x", Beta, ""), nil},
		"deprecated":            {x.Deprecate(ref(t, "acme/x:1.0.0"), note), nil},
		"yanked":                {x.Yank(ref(t, "acme/x:1.1.0"), note), nil},
		"yanked, unknown":       {x.Yank(ref(t, "acme/x:7.0.0"), note), registry.ErrNotFound},
		"channel of a yanked":   {x.SetChannel("acme/x", Stable, "1.1.0"), registry.ErrInvalid},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v", name, c.err)
		}
	}
	if len(x.Modules["acme/x"].Channels) != 0 {
		t.Errorf("a yanked version has channels: %v", x.Modules["acme/x"].Channels)
	}
	if v := s.index.Modules["acme/x"].Versions["1.1.0"]; v.Yanked != nil || s.index.Modules["acme/x"].Channels[Stable] != "1.1.0" {
		t.Error("the index before has changed too")
	}
	if err := x.Yank(ref(t, "acme/x:1.1.0"), nil); err != nil || x.Modules["acme/x"].Versions["1.1.0"].Yanked != nil {
		t.Errorf("taken back: %v", err)
	}
	if _, err := x.Seal(s.i); err != nil {
		t.Error(err)
	}
}

func TestIndexLimits(t *testing.T) {
	s := newSite(t)
	for name, change := range map[string]func(*Index){
		"versions one over": func(x *Index) {
			m := &Module{Versions: map[string]*Version{}}
			for i := range MaxVersions {
				m.Versions["1.0."+strconv.Itoa(i)] = &Version{Digest: digest("1")}
			}
			x.Modules["acme/many"] = m
		},
		"lifetime over": func(x *Index) { x.Expires = x.Issued.Add(MaxLifetime + time.Second) },
		"no lifetime":   func(x *Index) { x.Expires = x.Issued },
		"no versions":   func(x *Index) { x.Modules["acme/y"] = &Module{} },
		"no module":     func(x *Index) { x.Modules["acme/y"] = nil },
		"no version":    func(x *Index) { x.Modules["acme/x"].Versions["5.0.0"] = nil },
		"a bad name":    func(x *Index) { x.Modules["../x"] = x.Modules["acme/x"] },
		"a bad digest":  func(x *Index) { x.Modules["acme/x"].Versions["1.0.0"].Digest = "x" },
		"no reason":     func(x *Index) { x.Modules["acme/x"].Versions["1.0.0"].Revoked = &Note{At: now} },
		"a long reason": func(x *Index) {
			x.Modules["acme/x"].Versions["1.0.0"].Revoked = &Note{Reason: strings.Repeat("r", MaxReasonBytes+1), At: now}
		},
		"no time": func(x *Index) { x.Modules["acme/x"].Versions["1.0.0"].Revoked = &Note{Reason: "r"} },
		"a replacement": func(x *Index) {
			x.Modules["acme/x"].Versions["1.0.0"].Revoked = &Note{Reason: "r", Replacement: "x", At: now}
		},
		"a channel":       func(x *Index) { x.Modules["acme/x"].Channels[Beta] = "9.9.9" },
		"unknown channel": func(x *Index) { x.Modules["acme/x"].Channels["x"] = "1.0.0" },
		"no registry":     func(x *Index) { x.Registry = "" },
		"no root":         func(x *Index) { x.Root = 0 },
	} {
		x := s.index.Next(s.root, now, day)
		change(x)
		if _, err := x.Seal(s.i); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// As many versions as are allowed fit into an envelope.
func TestLargestIndexFits(t *testing.T) {
	s := newSite(t)
	x := s.index.Next(s.root, now, day)
	for i := range MaxVersions - 4 {
		if err := x.Add(ref(t, "publisher-with-a-long-name/module-with-a-long-name-"+strconv.Itoa(i)+":1.0.0"), digest("1")); err != nil {
			t.Fatal(err)
		}
	}
	data, err := x.Seal(s.i)
	if err != nil {
		t.Fatal(err)
	}
	update(t, s.trust(), layout.Snapshot{Index: data}, now)
}

func TestTrustFile(t *testing.T) {
	s := newSite(t)
	file := filepath.Join(t.TempDir(), "trust.json")
	if _, err := Read(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before the first: %v", err)
	}
	trust := s.trust()
	first := s.publish(now, nil)
	for range 2 { // before the first index, and after it
		if err := trust.Write(file); err != nil {
			t.Fatal(err)
		}
		got, err := Read(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(trust.Index(), got.Index(), cmp.AllowUnexported(Index{})); diff != "" {
			t.Errorf("read back:\n%s", diff)
		}
		trust = update(t, trust, first, now)
	}
	second := s.publish(now, nil)
	trust = update(t, trust, second, now)
	if err := trust.Write(file); err != nil {
		t.Fatal(err)
	}
	restarted, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	refused(t, restarted, first, now, "rollback") // a restart forgets nothing
	if left, err := os.ReadDir(filepath.Dir(file)); err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v", left, err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{"nothing": "", "no roots": `{"roots":[]}`, "changed": strings.Replace(string(data), `"sig":"`, `"sig":"AAAA`, 1), "large": strings.Repeat(" ", MaxTrustBytes+1)} {
		if _, err := Decode([]byte(bad)); !errors.Is(err, registry.ErrInvalid) && !errors.Is(err, registry.ErrUntrusted) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzUpdate(f *testing.F) {
	s := newSite(f)
	snapshot, trust := s.publish(now, nil), s.trust()
	f.Add(snapshot.Index, s.envelope[0])
	for _, data := range [][]byte{snapshot.Index, s.envelope[0]} {
		e, err := sign.Decode(data)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(e.Payload, e.Payload)
	}
	f.Fuzz(func(t *testing.T, index, root []byte) {
		for _, c := range []struct {
			kind    string
			payload []byte
		}{{TypeIndex, index}, {TypeRoot, root}} { // as if the keys had signed anything
			if e, err := sign.Seal(c.kind, c.payload, s.i, s.a, s.b); err == nil {
				sealed := registrytest.Encode(t, e)
				if c.kind == TypeIndex {
					_, err = trust.Update(layout.Snapshot{Index: sealed, Roots: [][]byte{root}}, now)
				} else {
					_, err = Begin(sealed)
				}
				if err != nil && !errors.Is(err, registry.ErrInvalid) && !errors.Is(err, registry.ErrUntrusted) {
					t.Fatalf("%v is of no known kind", err)
				}
			}
		}
		if _, err := trust.Update(layout.Snapshot{Index: index, Roots: [][]byte{root}}, now); err != nil && !errors.Is(err, registry.ErrInvalid) && !errors.Is(err, registry.ErrUntrusted) {
			t.Fatalf("%v is of no known kind", err)
		}
	})
}
