package server

import (
	"time"

	"github.com/vedette-siem/vedette/registry/layout"
)

// Limits of what clients may do.
const (
	MaxManifestBytes   = layout.MaxImageManifestBytes
	MaxBlobBytes       = layout.MaxBlobBytes
	MaxUploads         = 256              // upload sessions that are open at once
	MaxTenantUploads   = 16               // of them in one namespace
	MaxStagedBytes     = 256 << 20        // uploaded to one namespace and not part of an artifact yet
	MaxStagedBlobs     = 256              // the same, in blobs
	MaxPageEntries     = 1_000            // of tags and of the catalog; also the default
	MaxManifestPuts    = 4                // artifacts that are verified at once
	MaxPathBytes       = 512              // of a request
	UploadLifetime     = 10 * time.Minute // of a session without a request
	StagedBlobLifetime = time.Hour        // of a blob that no manifest came for
)
