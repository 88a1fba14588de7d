package abi

// Limits that both sides check.
const (
	MaxRecordsPerBatch  = 1024
	MaxRecordBytes      = 1 << 20 // a single raw record
	MaxInBytes          = 4 << 20
	MaxOutBytes         = 16 << 20
	MaxEventsPerRecord  = 256
	MaxFieldsPerEvent   = 500
	MaxNameBytes        = 128
	MaxValueBytes       = 128 << 10
	MaxEventBytes       = 1 << 20  // texts of one event: values that are ranges, and names in the arena
	MaxBatchTextBytes   = 64 << 20 // texts of all events of one batch: ranges may overlap, so this is more than OUT
	MaxFindingsPerBatch = 4096
	MaxTitleBytes       = 512
	MaxMessageBytes     = 1024 // an outcome's or status' text
	MaxColumns          = 64   // fields that a rule may read
	MaxKeysPerPage      = 1024 // of state that is migrated
	MaxKeyBytes         = 512
	MaxKeyValueBytes    = 64 << 10
	MaxDuePerBatch      = 1024 // timers
	MaxEvidence         = 16   // references of one finding
)

// OutBytes is the size of OUT that the host offers for an input: four times its bytes and room for the tables.
func OutBytes(records, inBytes int) int {
	n := 4*inBytes + records*(OutcomeSize+EventSize+128*FieldSize) + EventsHeader + 64<<10
	if n > MaxOutBytes {
		return MaxOutBytes
	}
	return (n + 7) &^ 7
}
