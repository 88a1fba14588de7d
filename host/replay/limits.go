package replay

import "github.com/vedette-siem/vedette/storage/logs"

// Limits of an export.
const (
	MaxEvents        = logs.MaxSearchRows // of the incident's key that are looked at; one with more cannot be replayed
	MaxPackages      = 64                 // modules in an export
	MaxEpisodes      = 1_000              // earlier incidents of the key that an export goes back over
	MaxInner         = 32                 // rules that rules look at
	MaxQuiet         = 100                // times that an export goes back further because a rule that is looked at had seen something just before
	MaxMembers       = 500_000            // values that were in the lists that rules ask
	MaxListed        = 200_000            // of them, that events have
	MaxTables        = 1_000              // versions of tables
	MaxForgets       = 10_000             // records that had rules forget what they had learnt
	MaxManifestBytes = 4 << 20
	MaxPartBytes     = 64 << 20 // of one file in an export
	MaxExportBytes   = 1 << 30  // of all files of an export
	partEvents       = 1_000    // events in one file
	partBytes        = 8 << 20  // about, of one file: one event may be larger
)
