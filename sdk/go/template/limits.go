package template

// Limits of a program. The host checks them when it compiles a spec, so that a guest never meets one.
const (
	MaxHoles     = 64  // of one template
	MaxStopBytes = 16  // of the text behind a hole that are looked for
	MaxIntDigits = 18  // of a hole of type int
	MaxHostBytes = 253 // of a host name
)
