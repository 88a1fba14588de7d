package bundle

import "github.com/vedette-siem/vedette/registry/layout"

// Limits of a bundle. They are checked before anything is written.
const (
	MaxBundleBytes  = 4 << 30 // the tar, and its content
	MaxBundleFiles  = 100_000
	MaxIndexBytes   = layout.MaxIndexBytes // index.json
	MaxBlobBytes    = layout.MaxBlobBytes  // one blob
	MaxModules      = 5_000
	MaxRefusalsTold = 20 // of one import; the rest is counted
)
