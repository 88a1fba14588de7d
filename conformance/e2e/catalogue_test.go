package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"connectrpc.com/connect"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

// shop is somebody who publishes modules to a host: the real binary, a key, and a folder.
type shop struct {
	*testing.T
	dir string
	env []string
	to  string
}

func newShop(t *testing.T, s *server) *shop {
	dir := t.TempDir()
	h := &shop{T: t, dir: dir, to: s.url, env: append(os.Environ(),
		"VEDETTE_REGISTRY="+filepath.Join(dir, "registry"), "XDG_CONFIG_HOME="+filepath.Join(dir, "config"), "XDG_CACHE_HOME="+filepath.Join(dir, "cache"),
		"VEDETTE_REGISTRY_USER=admin", "VEDETTE_REGISTRY_PASSWORD="+s.password)}
	h.run("key", "new", "KEY")
	return h
}

func (h *shop) run(args ...string) string {
	h.Helper()
	cmd := exec.CommandContext(h.Context(), binary(h.T), append([]string{"module"}, args...)...)
	cmd.Dir, cmd.Env = h.dir, h.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		h.Fatalf("vedette module %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// release publishes a version of a module and makes it what the channel stable names.
func (h *shop) release(name, version string) {
	h.Helper()
	file := filepath.Join(h.dir, name, "module.yaml")
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, regexp.MustCompile(`(?m)^version: .*$`).ReplaceAll(text, []byte("version: "+version)), 0o600)
	}
	if err != nil {
		h.Fatal(err)
	}
	h.run("publish", name, "--key", "KEY", "--channel", "stable", "--to", h.to)
}

// policy is one that takes what the shop has signed, if it conforms and says what it is made of.
func (h *shop) policy() string {
	h.Helper()
	key, err := os.ReadFile(filepath.Join(h.dir, "KEY.pub"))
	if err != nil {
		h.Fatal(err)
	}
	return "version: 1\nkeys:\n  shop: |\n    " + strings.ReplaceAll(strings.TrimSpace(string(key)), "\n", "\n    ") + `
scopes:
  - name: of the shop
    modules: ["local/gates"]
    level: strict
    signatures: {anyOf: [shop]}
    require: {sbom: {}, provenance: {}, conformance: {level: 3}}
  - {name: the rest, modules: ["*/*"], level: unsigned-allowed, capabilities: ["*"]}
`
}

// testCatalogue finds a published module, installs it, goes to its next version, and says whom to trust.
func testCatalogue(t *testing.T, s *server, _ string) {
	h := newShop(t, s)
	h.run("new", "gates", "--kind", "parser", "--lang", "spec")
	h.release("gates", "0.1.0")
	p := openPage(t, "catalogue", s.url)
	p.signIn(s)

	p.open(s.url + "/catalogue?org=main")
	p.find("heading", "Catalogue")
	p.find("row", `(?i)local/gates parser 0\.1\.0 stable unsigned .* nothing nobody .*`).click()
	p.says(`What is said about it\s+Signature`)
	p.says(`Provenance\s+NOT KNOWN`)
	p.says(`1 dependency, \d+ files`)
	p.picture("catalogue")
	p.click("link", `Install 0\.1\.0`)
	p.says(`local/gates 0\.1\.0`)
	p.says(`Now\s+not installed`)
	p.click("button", "Install")
	p.says(`local/gates 0\.1\.0 running since`)

	// The host tries it by itself.
	p.open(s.url + "/modules/local/gates?org=main")
	p.says(`Conforms L5 \(determinism\), checked on this host`)
	p.picture("catalogue-conforms")

	h.release("gates", "0.2.0")
	p.open(s.url + "/modules?org=main&text=local/gates")
	p.click("link", `→ 0\.2\.0`)
	p.says(`local/gates 0\.2\.0`)
	p.says(`Now\s+0\.1\.0 runs`)
	p.picture("catalogue-update")

	p.open(s.url + "/trust?org=main")
	policy := p.find("textbox", "Policy, as YAML")
	policy.fill("version: 1\nscopse: []\n")
	p.find("button", `2:1 .*`)
	policy.fill("version: 1\nscopes:\n  - {name: acme's, modules: [\"acme/*\"], level: unsigned-allowed}\n")
	p.says(`This would stop \d+ running modules?: .*local/gates`)
	p.find("button", `Put in force and stop \d+ modules?`)
	p.picture("trust")
	policy.fill(h.policy())
	p.says(`local/gates\s+0\.1\.0\s+ALLOWED\s+scope “of the shop”, strict, signed by shop`)
	p.click("button", "Put in force")
	p.says(`The policy is in force as version \d+`)
	p.open(s.url + "/catalogue?org=main&at=local/gates")
	p.says(`it is tried on this host when it is installed`)

	for _, theme := range []string{"light", "dark"} {
		eval[bool](p, fmt.Sprintf("localStorage.setItem('mantine-color-scheme-value', %q), true", theme))
		p.open(s.url + "/catalogue?org=main&at=local/gates")
		p.says(`The trust policy allows it`)
		p.axe(theme + " catalogue")
		p.open(s.url + "/trust?org=main")
		p.says(`signed by shop`)
		p.axe(theme + " trust")
	}
	// The tests that follow install what the shop has not signed.
	trust := vedettev1connect.NewRegistryServiceClient(http.DefaultClient, s.url, s.bearer())
	if _, err := trust.SetTrustPolicy(t.Context(), connect.NewRequest(&v1.SetTrustPolicyRequest{Tenant: mainTenant})); err != nil {
		t.Fatal(err)
	}
}
