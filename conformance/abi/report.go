package conform

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/vedette-siem/vedette/conformance/abi/protocol"
)

// Version of the suite: it changes when what passes may change.
const Version = "1.0"

// Status is what became of a requirement.
type Status string

// The statuses.
const (
	Pass          Status = "pass"
	Fail          Status = "fail"
	Advice        Status = "advice" // it does what the text says it should not
	NotApplicable Status = "n/a"
)

// NoLevel is the level of what fails a requirement of L0.
const NoLevel = -1

// Result is what became of one requirement.
type Result struct {
	ID      string        `json:"id"`
	Level   int           `json:"level"`
	Clauses []string      `json:"clauses"`
	Text    string        `json:"text"`
	Status  Status        `json:"status"`
	Detail  string        `json:"detail,omitempty"` // why it failed or does not apply
	Cases   int           `json:"cases"`            // loads and calls that it took
	Took    time.Duration `json:"took_ns"`
}

// Subject is what was tried.
type Subject struct {
	Kind    string `json:"kind"` // host, parser, rule or monitor
	Name    string `json:"name"`
	Version string `json:"version"`
	Digest  string `json:"digest,omitempty"` // of a module's code
}

// Report is the outcome of a run of the suite.
type Report struct {
	Suite   string         `json:"suite"`
	Subject Subject        `json:"subject"`
	Host    protocol.Hello `json:"host"` // that it was tried on, or itself
	Level   int            `json:"level"`
	Partial bool           `json:"partial,omitempty"` // not all requirements were tried: Level means nothing
	Passed  int            `json:"passed"`
	Failed  int            `json:"failed"`
	Advised int            `json:"advised"`
	Skipped int            `json:"not_applicable"`
	Results []Result       `json:"requirements"`
}

func (r *Report) add(res Result) {
	r.Results = append(r.Results, res)
	switch res.Status {
	case Pass:
		r.Passed++
	case Fail:
		r.Failed++
	case Advice:
		r.Advised++
	default:
		r.Skipped++
	}
}

// decide finds the highest level such that no requirement of it or of those below fails.
func (r *Report) decide() {
	r.Level = MaxLevel
	for _, res := range r.Results {
		if res.Status == Fail && res.Level <= r.Level {
			r.Level = res.Level - 1
		}
	}
	if r.Partial {
		r.Level = NoLevel
	}
}

// LevelName is "L3", or "none".
func (r *Report) LevelName() string {
	if r.Level == NoLevel {
		return "none"
	}
	return fmt.Sprintf("L%d", r.Level)
}

// JSON writes the report as one document.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// Text writes the report for people; all shows what holds and what does not apply too.
func (r *Report) Text(w io.Writer, all bool) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, res := range r.Results {
		if res.Status != Fail && res.Status != Advice && !all {
			continue
		}
		fmt.Fprintf(t, "%s\t%s\tABI %s\t%s\n", res.Status, res.ID, strings.Join(res.Clauses, ", "), res.Text)
		if res.Detail != "" {
			fmt.Fprintf(t, "\t\t\t%s\n", strings.ReplaceAll(res.Detail, "\n", " "))
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	level := "conforms " + r.LevelName()
	switch {
	case r.Partial:
		level = "tried in part"
	case r.Level == NoLevel:
		level = "does not conform"
	}
	_, err := fmt.Fprintf(w, "%s %s %s: %s (%d hold, %d fail, %d advised, %d do not apply; suite %s, %s %s)\n", r.Subject.Kind, r.Subject.Name, r.Subject.Version, level,
		r.Passed, r.Failed, r.Advised, r.Skipped, r.Suite, r.Host.Host, r.Host.Version)
	return err
}

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitMessage `xml:"failure,omitempty"`
	Skipped *junitMessage `xml:"skipped,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
}

// JUnit writes the report in the XML that build servers read.
func (r *Report) JUnit(w io.Writer) error {
	s := junitSuite{Name: "vedette conformance of " + r.Subject.Name, Tests: len(r.Results), Failures: r.Failed, Skipped: r.Skipped + r.Advised}
	for _, res := range r.Results {
		c := junitCase{Name: res.ID + " " + res.Text, Class: fmt.Sprintf("L%d", res.Level), Time: fmt.Sprintf("%.3f", res.Took.Seconds())}
		switch res.Status {
		case Fail:
			c.Failure = &junitMessage{res.Detail}
		case NotApplicable, Advice:
			c.Skipped = &junitMessage{res.Detail}
		}
		s.Cases = append(s.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(s); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
