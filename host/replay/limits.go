package replay

import "github.com/vedette-siem/vedette/storage/logs"

// Limits of an export.
const (
	MaxEvents        = logs.MaxSearchRows // of the incident's key that are looked at; one with more cannot be replayed
	MaxPackages      = 64                 // modules in an export
	MaxEpisodes      = 1_000              // earlier incidents of the key that an export goes back over
	MaxManifestBytes = 4 << 20
	MaxPartBytes     = 64 << 20 // of one file in an export
	MaxExportBytes   = 1 << 30  // of all files of an export
	partEvents       = 1_000    // events in one file
	partBytes        = 8 << 20  // about, of one file: one event may be larger
)
