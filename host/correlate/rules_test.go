package correlate

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/rule"
)

// TestRules runs the rules of testdata, one for each operator and kind of windows, through their inline tests.
func TestRules(t *testing.T) {
	files, err := filepath.Glob("testdata/rules/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(len(files), err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			r, err := rule.Parse(name, src)
			if err != nil {
				t.Fatal(err)
			}
			match, err := detect.CaseMatcher(r)
			if err != nil {
				t.Fatal(err)
			}
			for i := range r.Tests {
				one := *r
				one.Tests = r.Tests[i : i+1]
				if err := RunTests(&one, match); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
