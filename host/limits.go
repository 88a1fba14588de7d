package host

import "time"

// Limits of the host's own inputs.
const (
	MaxConfigBytes = 1 << 20 // vedette.yaml
)

// Limits of previews, which share the machine with the pipeline.
const (
	maxPreviews          = 2               // at once; each takes one core at most
	maxPreviewsPerTenant = 8               // of which one runs and the others wait
	maxPreviewPages      = 1024            // of 64 KiB: memory that a candidate may ask for
	previewWait          = 5 * time.Second // for a turn
	previewTime          = 5 * time.Second // from compiling to the last record
)

// Limits of backtests beside those of host/backtest.
const (
	maxBacktests = 1               // that read stored records at once: each takes a core
	maxFollowing = 8               // that follow the stream at once
	backtestTime = 1 * time.Minute // beside the time that it follows the stream
	backtestTell = 500 * time.Millisecond
)

// maxLookBackBytes bounds the texts of the events that a rule which begins anew is shown of one organization.
const maxLookBackBytes = 128 << 20

// maxCaseExportBytes bounds the export that a saved case is made of: events, of which a case keeps meta.MaxCaseBytes, and
// the packages that read and judged them.
const maxCaseExportBytes = 32 << 20
