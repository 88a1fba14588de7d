package module

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

func set(t storage.Tenant, id string, change func(w *Watch)) Control {
	w := &Watch{ID: id, Module: "a/b", Interval: time.Minute, Targets: []WatchTarget{{Name: "target", Device: "d"}}}
	if change != nil {
		change(w)
	}
	return Control{Kind: SetWatch, Tenant: t, Who: "ann", Name: id, Watch: w}
}

func TestWatch(t *testing.T) {
	var r Running
	apply := func(c Control) {
		t.Helper()
		b, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if c, err = DecodeControl(b); err != nil {
			t.Fatal(err)
		}
		if r, err = r.Apply(r.Seq+1, int64(r.Seq)*10, c); err != nil {
			t.Fatal(err)
		}
	}
	apply(set(7, "one", nil))
	before := r
	apply(set(7, "one", func(w *Watch) { w.Interval = time.Hour }))
	apply(set(7, "two", nil))
	if w := r.Layer(7).Watches["one"]; w.Interval != time.Hour || w.Seq != 2 || w.At != 10 || w.Who != "ann" || len(r.Layer(7).Watches) != 2 {
		t.Errorf("%+v", r.Layer(7))
	}
	if w := before.Layer(7).Watches["one"]; len(before.Layer(7).Watches) != 1 || w.Interval != time.Minute {
		t.Errorf("what ran before has changed: %+v", before.Layer(7))
	}
	if r.Layer(7).runs() {
		t.Error("watches make a layer of its own")
	}
	for name, c := range map[string]struct {
		c    Control
		want error
	}{
		"nobody's":         {set(0, "x", nil), storage.ErrInvalid},
		"no watch":         {Control{Kind: SetWatch, Tenant: 7, Name: "x"}, storage.ErrInvalid},
		"another id":       {Control{Kind: SetWatch, Tenant: 7, Name: "x", Watch: &Watch{ID: "y", Module: "a/b"}}, storage.ErrInvalid},
		"no module":        {set(7, "x", func(w *Watch) { w.Module = "" }), storage.ErrInvalid},
		"targets over":     {set(7, "x", func(w *Watch) { w.Targets = make([]WatchTarget, MaxWatchTargets+1) }), storage.ErrInvalid},
		"changed since":    {set(7, "one", func(w *Watch) { w.Seq = 1 }), storage.ErrConflict},
		"removed since":    {set(7, "gone", func(w *Watch) { w.Seq = 1 }), storage.ErrConflict},
		"none to remove":   {Control{Kind: RemoveWatch, Tenant: 7, Name: "x"}, storage.ErrNotFound},
		"another's watch":  {Control{Kind: RemoveWatch, Tenant: 8, Name: "one"}, storage.ErrNotFound},
		"not meant for it": {set(7, "two", func(w *Watch) { w.Seq = 2 }), storage.ErrConflict},
	} {
		if got, err := r.Apply(99, 0, c.c); !errors.Is(err, c.want) || got.Seq != r.Seq {
			t.Errorf("%s: %v", name, err)
		}
	}
	apply(set(7, "one", func(w *Watch) { w.Seq = 2 }))
	apply(Control{Kind: RemoveWatch, Tenant: 7, Name: "one"})
	apply(Control{Kind: RemoveWatch, Tenant: 7, Name: "two"})
	if r.Layers.Len() != 0 {
		t.Errorf("an organization that runs what all run costs something: %+v", r.Layers.Len())
	}
	apply(set(7, "one", nil))
	apply(Control{Kind: Forget, Tenant: 7})
	if _, err := r.Apply(99, 0, set(7, "one", nil)); !errors.Is(err, storage.ErrNotFound) || r.Layers.Len() != 0 {
		t.Errorf("of an organization that was removed: %v, %+v", err, r.Layers.Len())
	}
}

func TestWatchLimits(t *testing.T) {
	watches := map[string]Watch{}
	for i := range MaxWatchesPerTenant {
		watches[fmt.Sprint(i)] = Watch{}
	}
	r := Running{Layers: LayersOf(map[storage.Tenant]Layer{1: {Watches: watches}})}
	if _, err := r.Apply(1, 0, set(1, "more", nil)); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("one over: %v", err)
	}
	if _, err := r.Apply(1, 0, set(1, "7", nil)); err != nil {
		t.Errorf("one that is there: %v", err)
	}
	for n := storage.Tenant(2); int(n) <= MaxWatches/MaxWatchesPerTenant; n++ {
		r.Layers = r.Layers.With(n, &Layer{Watches: watches})
	}
	if _, err := r.Apply(1, 0, set(99, "more", nil)); !errors.Is(err, storage.ErrExhausted) {
		t.Errorf("one over in all: %v", err)
	}
}
