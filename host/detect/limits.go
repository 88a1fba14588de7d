package detect

// Limits of one set.
const (
	MaxRulesPerSet  = 20_000
	MaxFieldsPerSet = 1 << 16 // distinct field names
)
