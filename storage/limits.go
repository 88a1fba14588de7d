package storage

// Limits of what is kept. What exceeds one is refused or cut with a count, never dropped silently.
const (
	MaxFieldNameBytes  = 128       // logstorage drops rows with longer names
	MaxFieldsPerEvent  = 500       // far below logstorage's 2000, whose cost is quadratic in places
	MaxFieldValueBytes = 128 << 10 // per value
	MaxRawBytes        = 512 << 10 // the record as received; a queue frame holds no more
	MaxRowBytes        = 1 << 20   // names and values of one event; logstorage drops rows over 2 MiB
	MaxStreamBytes     = 128       // a stream label
	MaxQueryBytes      = 64 << 10  // LogsQL text; deeper nesting overflows the parser's stack
	MaxEvidence        = 50        // events kept per sub-pattern of an incident
	MaxEntities        = 32        // entities kept of an incident, the newest
	MaxEntityBytes     = 256       // value of an entity; longer is cut
)
