package meter

import "fmt"

// Stable codes of what is wrong with a module. A crossed limit has its own code, E_LIMIT_ and the limit's name (limits.go).
const (
	CodeModule = "E_MODULE" // not a well-formed module: truncated, wrong order, index out of range
	CodeABI    = "E_ABI"    // well-formed, but of a shape that no host runs: imports other than functions, reserved or double names
	CodeOpcode = "E_OPCODE" // an instruction that is unknown or refused
)

// Error says why a module is refused. Code is stable and machine-readable, Detail is for its author.
type Error struct{ Code, Detail string }

func (e *Error) Error() string { return e.Code + ": " + e.Detail }

func errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}
