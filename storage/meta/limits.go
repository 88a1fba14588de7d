package meta

import "time"

// Limits of what the database keeps and answers. Writing past one is refused with storage.ErrExhausted or
// storage.ErrInvalid, or drops the oldest with a count where the comment says so.
const (
	MaxSlugBytes             = 40
	MaxNameBytes             = 128      // of a tenant, user, token or webhook
	MaxUsersPerTenant        = 1_000    // and of admins
	MinPasswordBytes         = 10       //
	MaxPasswordBytes         = 1_024    // argon2id reads all of it
	MaxHashesAtOnce          = 2        // argon2id runs at the same time, 19 MiB each
	MaxLoginsPerMinute       = 10       // failed attempts for one name
	MaxSessionsPerUser       = 20       // the oldest ends
	MaxTokensPerTenant       = 100      // ingest tokens in force
	MaxWebhooksPerTenant     = 10       //
	MaxURLBytes              = 2_048    // of a webhook
	MaxSecretBytes           = 256      // of a webhook
	MaxPayloadBytes          = 1 << 20  // of one notice
	MaxErrorBytes            = 1_024    // of an outbox row's last error; longer is cut
	MaxOutboxPerTenant       = 10_000   // rows; Prune drops the oldest
	MaxChangesPerTenant      = 50_000   // changed things remembered; Prune drops the oldest, readers behind them get a gap
	MaxQuarantinePerTenant   = 1_000    // entries; the oldest is dropped and counted
	MaxQuarantineBytes       = 16 << 20 // raw bytes per tenant; the oldest is dropped and counted
	MaxQuarantineRawBytes    = 1 << 20  // raw bytes of one entry; longer is cut
	MaxQuarantineDetailBytes = 4 << 10  // of one entry; longer is cut
	MaxWaitingPerTenant      = 100      // installations that wait for approval
	MaxNoteBytes             = 1_024    // of a decision; longer is cut
	MaxCasesPerModule        = 200      // of one organization
	MaxCaseBytes             = 1 << 20  // events of one case, as JSON
	MaxListed                = 1_000    // rows in one answer
	DefaultListed            = 100      // rows in one answer when the query does not say
	MaxRelated               = 200      // incidents related to one in one answer
	DefaultRelated           = 50       //
	MaxRelatedPerEntity      = 200      // incidents of one entity that are looked at, the newest; one that more have does not count
	MaxSearchBytes           = 256      // text searched in incidents
	MaxDetailBytes           = 16 << 10 // of a history entry
	MaxEndedMembers          = 200_000  // values that were in the lists of an organization; Prune drops those that ended first
	MaxUsageMinuteRows       = 200_000  // rows of usage by the minute; with more, minutes become hours sooner
)

// Retention, applied by Prune.
const (
	DefaultKeepResolved = 180 * 24 * time.Hour // resolved incidents, after their last change
	DefaultKeepEvents   = 30 * 24 * time.Hour  // events, and what lists and tables were
	keepPastLonger      = 48 * time.Hour       // than events: the clocks of senders and whole days are between them
	KeepDelivered       = 7 * 24 * time.Hour   // outbox rows that were delivered
	KeepFailed          = 30 * 24 * time.Hour  // outbox rows that were given up
	KeepRevoked         = 90 * 24 * time.Hour  // ingest tokens after revocation
	DefaultSessionLife  = 12 * time.Hour
	KeepUsageMinutes    = 2 * time.Hour        // usage by the minute, before it is joined to hours
	KeepUsageHours      = 35 * 24 * time.Hour  // usage by the hour, before it is joined to days
	KeepUsageDays       = 400 * 24 * time.Hour // usage by the day
)
