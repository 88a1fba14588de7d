package backtest

// Limits of one test.
const (
	MaxRecords         = 100_000  // that are looked at; the newest of the span
	MaxRecordBytes     = 64 << 20 // of their text, and of the names and values of their fields
	MaxExamples        = 200      // records whose change is shown
	MaxIncidentChanges = 500      // that are shown; all are counted
	MaxFieldChanges    = 100      // field names that are counted apart
	MaxShownBytes      = 512      // of a value that is shown
	MaxTrialIncidents  = 10_000   // that a trial holds
)
