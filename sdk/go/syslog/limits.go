package syslog

// Limits of RFC 5424 §6, which the strict readers enforce, and of our own.
const (
	MaxHostnameBytes = 255
	MaxAppNameBytes  = 48
	MaxProcIDBytes   = 128
	MaxMsgIDBytes    = 32
	MaxSDNameBytes   = 32  // an element's id or a parameter's name
	MaxTagBytes      = 48  // RFC 3164 says 32, senders say otherwise
	MaxVersion       = 999 // three digits
	MaxElements      = 256 // elements of structured data that are checked for repeated ids; more are refused (ours)

	maxLooseTagBytes = 128 // a tag with blanks in it, as macOS writes
)
