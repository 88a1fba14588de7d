package module

// Limits of what runs.
const (
	MaxRoutedBytes      = 4 << 10  // of a record that are searched for signatures
	MaxControlBytes     = 64 << 10 // one control record
	MaxModulesPerSet    = 128      // that one control record activates: it has room for so many with their grants
	MaxModulesPerTenant = 256      // in a tenant's own layer
	MaxPollsAtOnce      = 16       // of one monitor: each is a copy of its memory
	MaxModulesGlobal    = 2048
	MaxVersionsKept     = 5        // versions to roll back to, per module
	MaxLiteralBytes     = 64 << 10 // of the signatures of one layer; the automaton takes up to 1 KiB for each byte
	MaxCommentBytes     = 8 << 10
	MaxSettingsBytes    = 32 << 10
	maxFaultsNamed      = 20 // of a package's rules
)
