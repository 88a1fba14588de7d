package author

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/sdk/manifest"
)

// Dev is an author's loop: whenever the source changes, the module is built, tested, shown on samples, and handed on.
type Dev struct {
	Dir       string
	Toolchain Toolchain     // "": the one of the module's language
	Sandbox   Config        // how the module is run here
	Every     time.Duration // how often the folder is looked at; 0: 200 ms
	// Samples returns the records to show; nil shows none. It is asked after each build and whenever Wake delivers.
	Samples func() ([][]byte, error)
	Wake    <-chan struct{} // says that there are other samples; nil: never
	// Install hands a module whose cases hold to a host and says how it runs there; nil keeps it here.
	Install func(ctx context.Context, p manifest.Package) (string, error)
	// Tell is called by the loop after each build and each change of samples.
	Tell func(Turn)
}

// Turn is one run through the loop.
type Turn struct {
	Build     int // counts builds from 1
	Again     bool
	Took      time.Duration // of building and testing
	Package   manifest.Package
	Err       error // of the build, or of running the module: what is wrong with it, with its place
	Tested    Tested
	Shown     []Shown
	Changes   []Change // against the last build that did not fall on the record
	Installed string   // what Install says
	Refused   error    // why it could not be installed; the version before goes on
}

// Run builds at once and then after each change of the folder, until ctx ends. What is wrong with the module is told and
// ends nothing; the error is that of reading the folder.
func (d *Dev) Run(ctx context.Context) error {
	every := d.Every
	if every <= 0 {
		every = 200 * time.Millisecond
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	built, last := "", ""
	var turn Turn
	var shown []Shown // what records became last without a fall
	for {
		now, err := snapshot(d.Dir)
		if err != nil {
			return err
		}
		// A folder that is being written is left alone until it has been the same for one look.
		if now != built && (now == last || built == "") {
			turn = d.turn(ctx, turn.Build+1, shown)
			if ctx.Err() != nil {
				return nil
			}
			if turn.Err == nil {
				shown = lastGood(shown, turn.Shown)
			}
			built = now
			d.Tell(turn)
		}
		last = now
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-d.Wake:
			again := Turn{Build: turn.Build, Again: true, Package: turn.Package}
			if turn.Err == nil {
				again.Shown, again.Err = d.show(ctx, turn.Package)
				shown = lastGood(shown, again.Shown)
				d.Tell(again)
			}
		}
	}
}

// turn builds, tests, shows and installs once.
func (d *Dev) turn(ctx context.Context, n int, before []Shown) Turn {
	began := time.Now()
	t := Turn{Build: n}
	if t.Package, t.Err = Build(ctx, d.Dir, d.Toolchain); t.Err != nil {
		t.Took = time.Since(began)
		return t
	}
	var s *Sandbox
	if s, t.Err = Open(ctx, t.Package, d.Dir, d.Sandbox); t.Err != nil {
		t.Took = time.Since(began)
		return t
	}
	defer func() { _ = s.Close() }() // frees memory; there is nothing to do about an error
	t.Tested, t.Err = s.Test(ctx)
	t.Took = time.Since(began)
	if t.Err == nil {
		t.Shown, t.Err = d.showIn(ctx, s)
	}
	if t.Err != nil {
		return t
	}
	t.Changes = Changes(before, t.Shown)
	if d.Install == nil || len(t.Tested.Failures) > 0 {
		return t
	}
	t.Installed, t.Refused = d.Install(ctx, t.Package)
	return t
}

// show runs what was built last on other samples.
func (d *Dev) show(ctx context.Context, p manifest.Package) ([]Shown, error) {
	s, err := Open(ctx, p, d.Dir, d.Sandbox)
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Close() }() // frees memory; there is nothing to do about an error
	return d.showIn(ctx, s)
}

func (d *Dev) showIn(ctx context.Context, s *Sandbox) ([]Shown, error) {
	if d.Samples == nil || s.Module.Manifest.Kind != manifest.Parser {
		return nil, nil
	}
	records, err := d.Samples()
	if err != nil || len(records) == 0 {
		return nil, err
	}
	return s.Show(ctx, records)
}

// maxWatchedFiles bounds the folder that is watched.
const maxWatchedFiles = 10_000

// snapshot names the state of a module's folder: names, sizes and times of its files, without what builds leave there.
func snapshot(dir string) (string, error) {
	h := fnv.New64a()
	err := eachSource(dir, func(path string, info fs.FileInfo) {
		fmt.Fprintf(h, "%s\x00%d\x00%d\x00", path, info.Size(), info.ModTime().UnixNano())
	})
	return fmt.Sprintf("%x", h.Sum64()), err
}

// newestSource is when a module's folder was changed last.
func newestSource(dir string) (newest time.Time, err error) {
	err = eachSource(dir, func(_ string, info fs.FileInfo) {
		if info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	})
	return newest, err
}

// eachSource calls f for each file of a module's folder but those that builds leave there.
func eachSource(dir string, f func(path string, info fs.FileInfo)) error {
	files := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		name := ""
		if e != nil {
			name = e.Name()
		}
		switch {
		case errors.Is(err, fs.ErrNotExist) && path != dir:
			return nil // it went away meanwhile
		case err != nil:
			return err
		case e.IsDir() && path != dir && (strings.HasPrefix(name, ".") || name == "build" || name == "target"):
			return fs.SkipDir
		case e.IsDir() || strings.HasPrefix(name, ".") || name == "go.sum" || name == "Cargo.lock":
			return nil // folders, and what belongs to editors and toolchains
		}
		if files++; files > maxWatchedFiles {
			return fmt.Errorf("more than %d files", maxWatchedFiles)
		}
		info, err := os.Lstat(path)
		if err == nil {
			f(path, info)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look at %s: %w", dir, err)
	}
	return nil
}

// Versioned returns a package under another version.
func Versioned(p manifest.Package, version string) (manifest.Package, error) {
	p.Manifest.Version = version
	var err error
	if p.ManifestBytes, err = p.Manifest.Canonical(); err != nil {
		return p, fmt.Errorf("version %s: %w", version, err)
	}
	if p.Manifest.Entry.Wasm {
		if p.Wasm, err = manifest.Embed(p.Wasm, p.ManifestBytes); err != nil {
			return p, fmt.Errorf("version %s: %w", version, err)
		}
	}
	if err := p.Check(); err != nil {
		return p, fmt.Errorf("version %s: %w", version, err)
	}
	return p, nil
}

// Fresh returns the module in dir, built anew when something of its source is newer than what was built.
func Fresh(ctx context.Context, dir string) (manifest.Package, error) {
	p, err := Folder(dir)
	if err == nil && !p.Manifest.Entry.Wasm {
		return p, nil
	}
	if err == nil {
		wasm, statErr := os.Stat(wasmFile(dir, p.Manifest.Name))
		newest, walkErr := newestSource(dir)
		if statErr == nil && walkErr == nil && !newest.After(wasm.ModTime()) {
			return p, nil
		}
	}
	if _, statErr := os.Stat(filepath.Join(dir, manifest.FileName)); statErr != nil {
		return p, err
	}
	return Build(ctx, dir, "")
}
