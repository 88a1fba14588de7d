package rule

import (
	"embed"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/vedette-siem/vedette/storage"
)

//go:embed drafts
var drafts embed.FS

// draftSpace makes the ids of Sigma drafts: of one name always the same, so that a draft can be drawn again.
var draftSpace = uuid.MustParse("3f0b7f5c-52f9-5c5c-8f2e-0d3a6a1f9b10")

// Draft returns the skeleton of a new rule with comments: a working pattern document, or a Sigma rule. name is an id such
// as ssh-guessing, and makes the title. The error wraps storage.ErrInvalid.
func Draft(l Language, name string) ([]byte, error) {
	file := "drafts/pattern.yaml"
	switch l {
	case PatternLanguage, "":
	case SigmaLanguage:
		file = "drafts/sigma.yaml"
	default:
		return nil, fmt.Errorf("draft of a rule: language %.80q, want pattern or sigma: %w", l, storage.ErrInvalid)
	}
	if name == "" {
		name = "new-rule"
	}
	if !idForm.MatchString(name) {
		return nil, fmt.Errorf("draft of a rule: name %.140q: want lower-case letters, digits, dots and dashes, such as ssh-guessing: %w", name, storage.ErrInvalid)
	}
	text, err := drafts.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("draft of a rule: %w", err)
	}
	title := strings.ReplaceAll(name, "-", " ")
	title = strings.ToUpper(title[:1]) + title[1:]
	id := uuid.NewSHA1(draftSpace, []byte(name)).String()
	return []byte(strings.NewReplacer("NAME", name, "TITLE", title, "UUID", id).Replace(string(text))), nil
}
