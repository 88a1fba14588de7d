package layout

import "github.com/vedette-siem/vedette/sdk/manifest"

// Limits of what is read from a layout. They are checked before the bytes are.
const (
	MaxIndexBytes         = 16 << 20 // index.json
	MaxArtifacts          = 20_000   // entries of index.json
	MaxImageManifestBytes = 64 << 10 // the OCI manifest of one artifact
	MaxLayers             = 4
	MaxTarBytes           = manifest.MaxContentBytes + manifest.MaxFiles*1536 + 1024 // files, their headers and padding, the end mark
)
