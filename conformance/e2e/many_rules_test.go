package e2e

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

const (
	manyRules        = 2_000
	maxListWireBytes = 1 << 20 // of the list as a browser gets it
	maxListLines     = 100     // of its rows that are in the document
)

// manyPackage is a package of rules in the language that people have thousands of. Every hundredth is critical.
func manyPackage(t *testing.T) []byte {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "many")
	for i := range manyRules {
		level := []string{"low", "medium", "high"}[i%3]
		if i%100 == 0 {
			level = "critical"
		}
		put(t, filepath.Join(dir, fmt.Sprintf("rules/%04d.yml", i)), fmt.Sprintf(`title: A needle %[1]d of the haystack
id: %08[1]x-0000-4000-8000-000000000000
status: test
description: Looks for the tool number %[1]d, whose arguments nobody else uses.
author: Somebody, and somebody else
logsource: {product: windows, category: process_creation}
detection:
  tool: {Image|endswith: '\tool%[1]d.exe', CommandLine|contains: [--needle%[1]d, --hay%[1]d]}
  condition: tool
level: %[2]s
tags: [attack.execution, attack.t1059]
`, i, level))
	}
	put(t, filepath.Join(dir, manifest.FileName), strings.ReplaceAll(strings.ReplaceAll(ruleManifest, "NAME", "many"), "rule.yaml", "rules/*.yml"))
	return pack(t, dir)
}

// listBytes returns how long the list of rules is as a browser gets it.
func (s *server) listBytes(t *testing.T) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/vedette.v1.RuleService/ListRules", strings.NewReader(`{"brief":true}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept-Encoding", "gzip") // said here, it is not undone
	req.Header.Set("Authorization", "Bearer "+s.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("list the rules: %s, %v", resp.Status, err)
	}
	return len(got)
}

// typed is how long a key of the filter took until the page was painted again, ms, the longest.
const typed = `(() => {
  window.typed = 0;
  document.addEventListener('keydown', () => {
    const at = performance.now();
    requestAnimationFrame(() => setTimeout(() => (window.typed = Math.max(window.typed, performance.now() - at))));
  }, true);
  return true;
})()`

// TestManyRules works with a list of thousands of rules as somebody does who looks for one.
func TestManyRules(t *testing.T) {
	s := newServer(t, "no_syslog: true\n")
	s.start()
	defer s.stop()
	ctx := t.Context()
	s.signIn(ctx)
	s.install(ctx, manyPackage(t))
	list, err := s.ruleService().ListRules(ctx, connect.NewRequest(&v1.ListRulesRequest{Brief: true}))
	if err != nil {
		t.Fatal(err)
	}
	all := len(list.Msg.Rules)
	if n := s.listBytes(t); all <= manyRules || n > maxListWireBytes {
		t.Errorf("%d rules in %d bytes, at most %d are sent", all, n, maxListWireBytes)
	} else {
		t.Logf("%d rules in %d bytes", all, n)
	}
	p := openPage(t, "many-rules", s.url)
	p.signIn(s)
	opened := time.Now()
	p.open(s.url + "/rules?org=main")
	p.find("row", "Critical A needle 0 of the haystack .*")
	t.Logf("usable after %v", time.Since(opened).Round(time.Millisecond))
	count := func(n string) {
		t.Helper()
		p.await(n+" of the rules to be counted", fmt.Sprintf(`[...document.querySelectorAll('[role=status]')].some((e) => e.innerText === %q)`, n))
	}
	count(thousands(all) + " rules")
	if shown := eval[int](p, `document.querySelectorAll('[role=grid] [role=row]').length`); shown > maxListLines {
		t.Errorf("%d rows are in the document", shown)
	}
	if said := eval[int](p, `Number(document.querySelector('[role=grid]').ariaRowCount)`); said != all+1 {
		t.Errorf("the table says that it has %d rows, with its head", said)
	}
	p.axe("thousands of rules")
	eval[bool](p, typed)
	p.find("textbox", "Filter rules").click()
	p.press("needle 1718")
	count("1 of " + thousands(all) + " rules")
	p.find("row", "High A needle 1718 of the haystack .*").click()
	p.says("Looks for the tool number 1718")
	t.Logf("the slowest key was painted after %d ms", eval[int](p, `Math.round(window.typed)`))
	p.await("the address to have the filter", `location.search.includes('text=needle+1718')`)
	p.fill("textbox", "Filter rules", "haystack")
	count(thousands(manyRules) + " of " + thousands(all) + " rules")
	p.click("button", "Close the details")
	p.find("checkbox", fmt.Sprintf("Critical %d", manyRules/100)).click()
	count(fmt.Sprintf("%d of %s rules", manyRules/100, thousands(all)))
	p.find("row", "Critical A needle 1000 of the haystack .*")
	p.gone("row", "High A needle 1718 .*")
}

// thousands writes a number as the page does.
func thousands(n int) string {
	if n < 1_000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d,%03d", n/1_000, n%1_000)
}
