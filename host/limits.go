package host

// Limits of the host's own inputs.
const (
	MaxConfigBytes = 1 << 20 // vedette.yaml
)
