package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/vedette-siem/vedette/host/author"
)

// command runs the command line and returns its code and what it wrote.
func command(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(context.Background(), args, strings.NewReader(""), &o, &e)
	return code, o.String(), e.String()
}

// A module goes from an author's folder to other people's registries and back out of circulation, by the commands alone.
func TestPublish(t *testing.T) {
	remote := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true)))
	defer remote.Close()
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	in := func(name string) string { return filepath.Join(dir, name) }
	if err := author.NewSpec(in("doors")); err != nil {
		t.Fatal(err)
	}
	const ref = "local/doors:0.1.0"
	there := strings.Replace(remote.URL, "http://", "", 1) + "/team"
	for _, c := range []struct {
		args string // words
		fail bool
		says string
	}{
		{"key new KEY", false, "public   "},
		{"key new KEY", true, "a key is not overwritten"},
		{"key show KEY.pub", false, "-----BEGIN PUBLIC KEY-----"},
		{"key new OTHER", false, "private  "},
		{"publish DOORS --registry MINE --channel stable", true, "nothing is signed without --key"},
		{"publish DOORS --registry MINE --key KEY --channel stable --to http://THERE", false, "next       vedette module install local/doors:0.1.0"},
		{"publish DOORS --registry MINE --key KEY", false, "published  local/doors:0.1.0"}, // the same again
		{"verify REF --registry MINE --key KEY.pub", false, "signed   by KEY.pub"},
		{"verify REF --registry MINE --key OTHER.pub", true, "OTHER.pub has not signed it"},
		{"verify http://THERE/REF --registry YOURS --key KEY.pub", false, "signed   by KEY.pub"},
		{"verify local/doors:0.2.0 --registry YOURS", true, "vedette module publish puts it there"},
		{"sign REF --registry YOURS --key OTHER --audience bank", false, "signed     local/doors:0.1.0"},
		{"verify REF --registry YOURS --key OTHER.pub", true, "not trusted"}, // it is meant for another site
		{"sign REF --registry YOURS --key OTHER", false, "signed     local/doors:0.1.0"},
		{"verify REF --registry YOURS --key OTHER.pub --key KEY.pub", false, "signed   by KEY.pub, OTHER.pub"},
		{"inspect REF --registry YOURS", false, "application/vnd.in-toto.provenance+dsse by"},
		{"conform REF --registry MINE --key KEY --to http://THERE", false, "parser local/doors 0.1.0: conforms L5"},
		{"conform local/doors:0.2.0 --registry MINE --key KEY", true, "vedette module publish puts it there"},
		{"inspect http://THERE/REF --registry YOURS", false, "application/vnd.vedette.conformance.v1 by"},
		{"export REF --registry MINE --file TAR", false, "holds 1 versions"},
		{"import TAR --registry THEIRS", false, "imported  local/doors:0.1.0"},
		{"verify REF --registry THEIRS --key KEY.pub", false, "signed   by KEY.pub"},
		{"yank REF --registry MINE --key KEY", true, "--reason"},
		{"yank REF --registry MINE --key OTHER --reason wrong", true, "does not speak for the registry"},
		{"yank REF --registry MINE --key KEY --reason wrong --to http://THERE", false, "yank local/doors:0.1.0"},
		{"verify REF --registry MINE --key KEY.pub", true, "is yanked: wrong"},
		{"yank REF --registry MINE --key KEY --undo", false, "yank local/doors:0.1.0"},
		{"verify REF --registry MINE --key KEY.pub", false, "signed   by KEY.pub"},
		{"key root ROOT --registry MINE", false, "is the first root of"},
		{"key root ROOT --registry YOURS", true, "has no signed index yet"},
		{"key rotate OTHER --registry MINE --key OTHER", true, "does not speak for the registry"},
		{"key rotate OTHER --registry MINE --key KEY --to http://THERE", false, " speaks for "},
		{"yank REF --registry MINE --key KEY --reason late", true, "does not speak for the registry"},
		{"revoke REF --registry MINE --key OTHER --reason stolen", false, "revoke local/doors:0.1.0"},
		{"verify REF --registry MINE --key KEY.pub", true, "is revoked: stolen"},
	} {
		words := strings.NewReplacer("KEY", in("KEY"), "OTHER", in("OTHER"), "DOORS", in("doors"), "MINE", in("mine"), "YOURS", in("yours"),
			"THEIRS", in("theirs"), "THERE", there, "TAR", in("doors.tar"), "ROOT", in("root"), "REF", ref).Replace(c.args)
		code, out, errs := command(t, append([]string{"module"}, strings.Fields(words)...)...)
		if (code != 0) != c.fail || !strings.Contains(out+errs, c.says) {
			t.Errorf("%s: code %d, want %q\n%s%s", c.args, code, c.says, out, errs)
		}
	}
	if info, err := os.Stat(in("KEY")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the private key has mode %v, %v", info.Mode(), err)
	}
	// What changed under the same version is refused, with the way out.
	name := filepath.Join(in("doors"), "README.md")
	if err := os.WriteFile(name, []byte("other"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := command(t, "module", "publish", in("doors"), "--registry", in("mine")); code == 0 || !strings.Contains(errs, "give module.yaml another version") {
		t.Errorf("another content under the same version: code %d, %s", code, errs)
	}
	_, out, _ := command(t, "module", "verify", ref, "--registry", in("theirs"), "-o", "json")
	var got map[string]any
	if err := json.Unmarshal([]byte(out), &got); err != nil || got["module"] != ref || got["documents"] != 4.0 {
		t.Errorf("as JSON: %s, %v", out, err)
	}
}
