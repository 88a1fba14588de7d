package runtime

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Codes of a Trap (ABI 10). They are stable: programs and people search for them.
const (
	CodeTrap        = "E_TRAP"         // an instruction trapped, or the guest gave up
	CodeFuel        = "E_FUEL"         // the budget of the call is spent
	CodeMemory      = "E_MEMORY"       // the memory could not grow any more
	CodeStack       = "E_STACK"        // calls are nested too deeply
	CodeABI         = "E_ABI"          // what the guest exports or answers breaks sdk/ABI.md
	CodeOutputLimit = "E_OUTPUT_LIMIT" // the answer to one record does not fit into the largest OUT
	CodeDenied      = "E_DENIED"       // a granted capability was used beyond its grant
	CodeImport      = "E_IMPORT"       // an import is unknown, was not granted, or has another type
	CodeSettings    = "E_SETTINGS"     // the module refused its settings
	CodeHostIO      = "E_HOST_IO"      // the outside did not answer
	CodeLimit       = "E_LIMIT"        // a limit of the host; the meter's have longer names, such as E_LIMIT_FUNCTIONS
)

// Trap is a guest's failure. Module is the digest, Fuel what the failed call consumed; Detail is for the module's
// author and names functions where the module has a name section. Took is for people: the wall-clock time from handing
// the batch over until the call was ended, 0 when that is not known.
type Trap struct {
	Code   string
	Detail string
	Module string
	Fuel   int64
	Took   time.Duration
}

func (t *Trap) Error() string { return t.Code + ": " + t.Detail }

// abort is panicked by host functions to end a call; the engine hands it back wrapped.
type abort struct{ code, detail string }

func (a *abort) Error() string { return a.code + ": " + a.detail }

var errStall = errors.New("the wall clock ran out")

// trap turns what a call returned into a *Trap, or into the error that is no verdict on the module.
func (i *instance) trap(err error) error {
	t := &Trap{Code: CodeTrap, Module: i.mod.spec.Digest, Fuel: i.used()}
	var a *abort
	text := err.Error()
	switch {
	case errors.Is(err, errStall):
		return errStall
	case i.call.Err() != nil && errors.Is(err, i.call.Err()):
		return fmt.Errorf("run %s: %w", t.Module, i.call.Err())
	case errors.As(err, &a):
		t.Code = a.code
		// The engine adds where it happened.
		text = a.detail + strings.TrimPrefix(strings.TrimPrefix(text, a.Error()), " (recovered by wazero)")
	case strings.Contains(text, "stack overflow"):
		t.Code = CodeStack
	case i.outOfMemory():
		t.Code = CodeMemory
	}
	t.Detail = clip(text, i.mod.host.lim.TrapBytes)
	return t
}

// clip cuts text to at most n bytes of whole characters and makes it valid UTF-8.
func clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
