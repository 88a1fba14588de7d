package live

// Limits of live connections.
const (
	MaxConnections        = 1_000
	MaxConnectionsPerUser = 16
	MaxRequestBytes       = 256 << 10 // a frame that the browser sends; the cursors of 10,000 organizations fit
	MaxTenants            = 10_000    // that one connection looks at
	MaxCredit             = 64        // frames that are on their way
	StartCredit           = 16
	MaxFrameIncidents     = 200    // in one frame
	MaxSnapshotIncidents  = 10_000 // newest of one organization
)
