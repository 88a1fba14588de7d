package rule

import (
	"regexp"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
	"github.com/goccy/go-yaml/ast"

	"github.com/vedette-siem/vedette/storage"
)

// The keys of a document. pattern.schema.json lists the same; a test compares them.
var (
	ruleKeys = []string{
		"kind", "id", "name", "version", "description", "severity", "techniques", "data_sources", "window", "lateness",
		"subs", "expr", "rearm", "join", "incident", "suppress", "clear", "watchlist", "exceptions", "limits", "false_positives",
		"next_steps", "containment", "eradication", "references", "tests",
	}
	subKeys = []string{
		"title", "where", "rule", "by", "null_key", "having", "window", "windows", "gap", "baseline", "first_seen", "code",
	}
	firstSeenKeys = []string{"fields", "within", "learn"}
	baselineKeys  = []string{"slots", "least", "peers"}
	incidentKeys  = []string{"key", "title"}
	clearKeys     = []string{"after", "title", "where", "rule", "by", "null_key", "having", "window", "windows", "gap"}
	watchKeys     = []string{"name", "value", "ttl"}
	limitKeys     = []string{"max_keys"}
	exceptionKeys = []string{"reason", "where"}
	testKeys      = []string{"name", "lists", "events", "until", "expect"}
	eventKeys     = []string{"at", "fields", "repeat", "every"}
	expectKeys    = []string{"incidents", "count", "title"}
)

// ClearSub is the name of the sub-pattern that ends an incident; it is the last of Rule.Subs.
const ClearSub = "clear"

var (
	idForm        = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,127}$`)
	subForm       = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
	techniqueForm = regexp.MustCompile(`^T[0-9]{4}(\.[0-9]{3})?$`)
)

// Parse reads one pattern document. Faults are *Error with file, line, column and hint.
func Parse(file string, src []byte) (*Rule, error) {
	root, err := parseYAML(file, src)
	if err != nil {
		return nil, err
	}
	d := &document{reader: reader{file: file}, rule: &Rule{File: file, Language: PatternLanguage, Lateness: DefaultLateness}, at: map[string]entry{}}
	d.read(root)
	if d.err != nil {
		return nil, d.err
	}
	return d.rule, nil
}

// document is a rule being read.
type document struct {
	reader
	rule   *Rule
	root   ast.Node
	at     map[string]entry // top-level entries
	window time.Duration
}

func (d *document) read(root ast.Node) {
	d.root = root
	for _, e := range d.mapping(root, "rule", ruleKeys) {
		d.at[e.key] = e
	}
	for _, key := range [...]string{"kind", "id", "name", "version", "severity", "subs", "incident"} {
		if _, ok := d.at[key]; !ok {
			d.fail(root, "", "rule: %s is missing", key)
		}
	}
	if d.err != nil {
		return
	}
	for _, part := range [...]func(){d.head, d.patterns, d.joined, d.exceptions, d.incident, d.actions, d.clear, d.cases} {
		if d.err == nil {
			part()
		}
	}
}

// head reads what describes the rule.
func (d *document) head() {
	r := d.rule
	if k := d.text(d.at["kind"].val, "kind"); k != "pattern" {
		d.fail(d.at["kind"].val, `kind: pattern`, "kind %q", k)
	}
	if r.ID = d.text(d.at["id"].val, "id"); !idForm.MatchString(r.ID) {
		d.fail(d.at["id"].val, "lower-case letters, digits, dots, dashes; such as ssh-bruteforce or a UUID", "id %q", r.ID)
	}
	r.Name = d.text(d.at["name"].val, "name")
	r.Version = d.text(d.at["version"].val, "version")
	if _, err := semver.StrictNewVersion(r.Version); err != nil {
		d.fail(d.at["version"].val, "such as 1.0.0", "version %q: %v", r.Version, err)
	}
	sev, err := storage.ParseSeverity(d.text(d.at["severity"].val, "severity"))
	if err != nil {
		d.fail(d.at["severity"].val, "", "%v", err)
	}
	r.Severity = sev
	if e, ok := d.at["description"]; ok {
		r.Description = d.text(e.val, "description")
	}
	r.DataSources, r.FalsePositives, r.NextSteps = d.advice("data_sources"), d.advice("false_positives"), d.advice("next_steps")
	r.Containment, r.Eradication, r.References = d.advice("containment"), d.advice("eradication"), d.advice("references")
	for _, u := range r.References {
		if !strings.HasPrefix(u, "https://") {
			d.fail(d.at["references"].val, "URLs that begin with https://", "references: %q", u)
		}
	}
	if e, ok := d.at["techniques"]; ok {
		for i, t := range d.texts(e.val, "techniques") {
			if r.Techniques = append(r.Techniques, t); !techniqueForm.MatchString(t) {
				d.fail(e.val, "ATT&CK ids such as T1110 or T1110.001", "techniques: %q (number %d)", t, i+1)
			}
		}
	}
	if e, ok := d.at["window"]; ok {
		d.window = d.duration(e.val, "window", MaxDuration)
	}
	if e, ok := d.at["lateness"]; ok {
		r.Lateness = d.duration(e.val, "lateness", MaxLateness)
	}
	if e, ok := d.at["limits"]; ok {
		for _, k := range d.mapping(e.val, "limits", limitKeys) {
			if r.MaxKeys = d.number(k.val, "max_keys"); r.MaxKeys < 1 || r.MaxKeys > MaxKeys {
				d.fail(k.val, "", "max_keys: %d, want 1 to %d", r.MaxKeys, MaxKeys)
			}
		}
	}
}

// advice reads a list of texts for people.
func (d *document) advice(key string) []string {
	e, ok := d.at[key]
	if !ok {
		return nil
	}
	list := d.texts(e.val, key)
	if len(list) > MaxAdvice {
		d.fail(e.val, "", "%s: %d entries, the limit is %d", key, len(list), MaxAdvice)
	}
	for _, text := range list {
		if len(text) > MaxAdviceBytes {
			d.fail(e.val, "", "%s: an entry of %d bytes, the limit is %d", key, len(text), MaxAdviceBytes)
		}
	}
	return list
}
