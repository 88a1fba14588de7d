package layout

import (
	"github.com/vedette-siem/vedette/registry/sign"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// Limits of what is read from a layout and kept in one. They are checked before the bytes are.
const (
	MaxIndexBytes         = 32 << 20 // index.json
	MaxArtifacts          = 50_000   // entries of index.json: module versions and what refers to them
	MaxImageManifestBytes = 64 << 10 // the OCI manifest of one artifact
	MaxLayers             = 4
	MaxTarBytes           = manifest.MaxContentBytes + manifest.MaxFiles*1536 + 1024 // files, their headers and padding, the end mark
	MaxReferrers          = 32                                                       // of one artifact, in one namespace
	MaxReferrerBytes      = 2 << 20                                                  // the envelope of one
	MaxEnvelopeBytes      = sign.MaxEnvelopeBytes                                    // an envelope of a snapshot
	MaxRoots              = 64                                                       // of a snapshot
	MaxTenantBytes        = 1 << 30                                                  // all blobs of one organization's namespace
	MaxCollectedBytes     = 16 << 20                                                 // the list of versions that were collected
	maxWritesAtOnce       = 16                                                       // blobs of one change
)
