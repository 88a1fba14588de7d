package overview

// Limits of what is counted. What does not fit is counted as Skipped, or makes counts upper bounds.
const (
	MaxTenants          = 10_000  // organizations that are counted; one takes about 1 KiB, and more by what it sends
	MaxValues           = 1_000   // values of one field of one organization; further ones take the place of the rarest
	MaxCounters         = 400_000 // values of all fields and organizations together, about 140 bytes each
	MinValues           = 20      // that a field may hold when MaxCounters are used up
	MaxCountries        = 300     // of one organization
	MaxRules            = 200     // of one organization; firings of further ones count for OtherRules
	MaxSources          = 10_000  // senders of all organizations together; the longest silent of a few is forgotten for a new one
	MaxSourcesPerTenant = 5_000   //
	MaxValueBytes       = 256     // of a value that is counted; longer ones are cut
	MaxMinutes          = 60      // the window
	TopValues           = 20      // values of a field that are shown
)
