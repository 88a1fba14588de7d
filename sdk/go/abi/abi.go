// Package abi is the flat batch codec of the Vedette module ABI v1: what host and guest write into each other's buffers.
//
// All integers are little-endian; every table starts at a multiple of 8. The normative text is sdk/ABI.md; clause
// numbers in comments point there.
package abi

// Version is the ABI version: major, then minor. A host accepts a module of its own major and no higher minor.
const (
	Major = 1
	Minor = 3
)

// Names of the exports and import modules (ABI 2.1, 3.1).
const (
	ExportMarker  = "vedette_abi_1"
	ExportBuffers = "vedette_buffers"
	ExportInit    = "vedette_init"
	ExportParse   = "vedette_parse"
	ExportPoll    = "vedette_poll"
	ExportEval    = "vedette_eval"
	ExportMigrate = "vedette_migrate"
	ExportDue     = "vedette_due"
	ImportCore    = "vedette_core_v1"
	ImportHTTP    = "vedette_http_v1"
	ImportWASI    = "wasi_snapshot_preview1"
	SectionName   = "vedette.manifest"
)

// Magic numbers of the batches: four ASCII bytes, read as a little-endian u32.
const (
	MagicRecords  = 'V' | 'R'<<8 | 'B'<<16 | '1'<<24 // host to parser: records
	MagicEvents   = 'V' | 'E'<<8 | 'B'<<16 | '1'<<24 // parser to host: events
	MagicRows     = 'V' | 'E'<<8 | 'P'<<16 | '1'<<24 // host to rule: projected events
	MagicFindings = 'V' | 'F'<<8 | 'B'<<16 | '1'<<24 // rule to host: findings
	MagicPoll     = 'V' | 'P'<<8 | 'I'<<16 | '1'<<24 // host to monitor: what to poll
	MagicPolled   = 'V' | 'P'<<8 | 'O'<<16 | '1'<<24 // monitor to host: records and a cursor
	MagicKeys     = 'V' | 'K'<<8 | 'P'<<16 | '1'<<24 // a page of state, between host and rule in both directions
	MagicDue      = 'V' | 'D'<<8 | 'B'<<16 | '1'<<24 // host to rule: timers whose time has come
)

// Sizes of the fixed structures in bytes.
const (
	RecordsHeader  = 48
	RecordSize     = 32
	EventsHeader   = 48
	OutcomeSize    = 16
	EventSize      = 32
	FieldSize      = 24
	RowsHeader     = 48
	CellSize       = 8
	FindingsHeader = 32
	FindingSize    = 48
	PollHeader     = 40
	PolledHeader   = 32
	PolledSize     = 8
	KeysHeader     = 32
	KeySize        = 32
	DueHeader      = 40
	DueSize        = 16
	RefSize        = 32
)

// None marks an absent offset, cell or source span.
const None = ^uint32(0)

// NoTime is an event without a time of its own; the host then uses the receive time.
const NoTime = -1 << 63

// Name numbers a field name: 0 is invalid, 1..0x7FFF are well-known (package ecs), 0x8000.. index the manifest's own
// names, NameInArena says that the name itself stands in the arena.
type Name uint16

// The ranges of Name.
const (
	FirstLocal  Name = 0x8000
	LastLocal   Name = 0xFFFE
	NameInArena Name = 0xFFFF
)

// Type says how a field's 8 value bytes are read.
type Type uint8

// The field types (ABI 5.4).
const (
	InRecord Type = 1 // u32 offset, u32 length: bytes of the raw record
	InArena  Type = 2 // u32 offset, u32 length: bytes of the output arena
	Int      Type = 3 // i64
	Uint     Type = 4 // u64
	Float    Type = 5 // IEEE 754 binary64; NaN and infinities are refused
	Bool     Type = 6 // 0 or 1
	Time     Type = 7 // i64, ns since the Unix epoch
	IPv4     Type = 8 // u32, the address as a big-endian number
)

// Field flags.
const (
	FlagList uint8 = 1 << 0 // one element of a list-valued field; the elements of a list share a name, in order
)

// Flags of an event (ABI 5.3).
const (
	EventCut uint32 = 1 << 0 // fields or bytes were left out to stay within clause 9
)

// Outcome is what became of one record.
type Outcome uint8

// The outcomes (ABI 5.2).
const (
	OK      Outcome = 0 // one or more events
	NotMine Outcome = 1 // another parser should be asked
	Drop    Outcome = 2 // recognised, and known to be of no value; counted
	Failed  Outcome = 3 // recognised, but broken; kept as unparsed with the message
)

// Status is the code half of an export's result: code<<32 | bytes written to OUT.
type Status int32

// The results (ABI 2.4). A negative one fails the call.
const (
	StatusOK          Status = 0
	StatusOutTooShort Status = -1 // OUT is too small for this batch: the host halves the batch or enlarges OUT
	StatusBadInput    Status = -2 // IN is not a batch of this kind
	StatusSettings    Status = -3 // settings refused; OUT holds the reason as UTF-8
	StatusFailed      Status = -4 // anything else; OUT holds the reason as UTF-8
)

// Pack joins a status and a length to an export's result.
func Pack(s Status, n int) uint64 { return uint64(uint32(s))<<32 | uint64(uint32(n)) }

// Unpack splits an export's result.
func Unpack(r uint64) (Status, uint32) { return Status(int32(uint32(r >> 32))), uint32(r) }

// Severities on the wire, Sigma's five; 0 keeps the rule's own.
const (
	SeverityKeep uint8 = iota
	SeverityInformational
	SeverityLow
	SeverityMedium
	SeverityHigh
	SeverityCritical
)

// Log levels of vedette_core_v1.log.
const (
	LogDebug uint32 = iota
	LogInfo
	LogWarn
	LogError
)
