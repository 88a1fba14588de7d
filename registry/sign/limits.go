package sign

// Limits of what is signed and of what signs it.
const (
	MaxKeyFileBytes  = 4 << 10
	MaxEnvelopeBytes = 12 << 20 // the JSON of an envelope; the index of a registry is the largest content
	MaxPayloadBytes  = 8 << 20
	MaxSignatures    = 16 // of one envelope
	MaxKeys          = 64 // of one set
	MaxTypeBytes     = 256
	MaxSubjects      = 64 // of one statement
	MaxAudienceBytes = 256
)
