package attest

// Limits of what is said about an artifact.
const (
	MaxDependencies = 5_000 // of a bill of materials, or of a build
	MaxTextBytes    = 1_024 // one name, version or address
	MaxLevel        = 5     // of conformance: L0 to L5
	MaxFailures     = 100   // requirements that a report says do not hold
)
