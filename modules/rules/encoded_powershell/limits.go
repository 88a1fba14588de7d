package main

const (
	MaxScriptBytes  = 64 << 10 // of a decoded command that are looked at, as UTF-8
	MaxLayers       = 4        // commands encoded inside each other
	MaxExcerptBytes = 120      // of the command in the finding's title
	MinCodeUnits    = 4        // of UTF-16 that a command has; less is no command
)
