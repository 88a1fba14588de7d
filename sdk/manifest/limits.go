package manifest

import "time"

// Limits of a manifest and a package. One over is refused with the limit in the text.
const (
	MaxSourceBytes      = 64 << 10 // a module.yaml, and its canonical form
	MaxDepth            = 64       // nesting of mappings and sequences
	MaxNodes            = 20_000   // keys and values of a module.yaml
	MaxBrackets         = 2048     // "[" and "{" in a module.yaml
	MaxNameBytes        = 64       // publisher, name, target names
	MaxVersionBytes     = 64
	MaxTitleBytes       = 120
	MaxTextBytes        = 4 << 10 // description, reasons
	MaxURLBytes         = 512
	MaxSignatures       = 64  // alternatives of one parser
	MaxLiterals         = 32  // in one list of a signature
	MaxLiteralBytes     = 256 // one literal
	MinLiteralBytes     = 2   // shorter ones select nothing; prefixes and generic parsers may have one byte
	MaxPriority         = 100 // and -MaxPriority
	MaxLocalNames       = 2048
	MaxFieldNameBytes   = 128
	MaxCapabilities     = 16
	MaxTargets          = 32
	MaxReach            = 64 // OIDs, commands, ports of one target
	MaxOIDBytes         = 512
	MaxCommandBytes     = 1 << 10 // a command's template
	MaxCommandArgs      = 16
	MaxArgumentBytes    = 256
	MaxPatternBytes     = 256
	MaxPaths            = 256 // documents, vectors
	MaxPathBytes        = 200
	MaxSettingsBytes    = 32 << 10 // the schema, and the settings themselves
	MaxMemoryPages      = 4096     // 256 MiB
	MaxFuel             = 1 << 40
	MinScheduleInterval = time.Second
	MaxScheduleInterval = 24 * time.Hour
	MaxScheduleTimeout  = 5 * time.Minute
	MaxLookBack         = 7 * 24 * time.Hour // of a rule that begins anew

	MaxWasmBytes     = 8 << 20 // a Wasm file
	MaxFiles         = 4096    // documents, vectors and docs of a package together
	MaxFileBytes     = 1 << 20 // one of them
	MaxContentBytes  = 8 << 20 // all of one of the three kinds
	MaxWasmImports   = 256
	MaxWasmSections  = 64
	MaxWasmNameBytes = 256 // an import's or export's name
)
