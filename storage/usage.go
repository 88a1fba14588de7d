package storage

// Measure is one thing that is counted of what modules do for an organization.
type Measure int

// The measures. The words after each are its unit.
const (
	Calls        Measure = iota // of modules
	Records                     // handed to a module; of an organization: received
	Events                      // that a module made
	Findings                    // that a rule's module confirmed; of an organization: firings of its rules
	Errors                      // records that a module failed on
	Skipped                     // records and hits that were not handed to a module, since it had used up its quota
	BytesIn                     // of the records handed to a module; of an organization: of those received
	BytesOut                    // of a module's answers
	Fuel                        // units of host/meter
	LogLines                    // that a module wrote
	StateCalls                  // of vedette_kv_v1 and vedette_window_v1
	StateBytes                  // of keys and values in those calls
	Requests                    // of monitors to their targets
	RequestBytes                // of those and of their answers
	Stored                      // events in the log store; of an organization
	StoredBytes                 // of their records and fields; of an organization
	Measures     = int(iota)
)

var measureNames = [Measures]string{
	"calls", "records", "events", "findings", "errors", "skipped", "bytes_in", "bytes_out", "fuel", "log_lines", "state_calls", "state_bytes",
	"requests", "request_bytes", "stored", "stored_bytes",
}

// String returns the measure's name, which is its column and its field on the wire too.
func (m Measure) String() string { return measureNames[m] }

// Used is how much of each measure was used.
type Used [Measures]int64

// Add adds what else was used.
func (u *Used) Add(o *Used) {
	for m := range u {
		u[m] += o[m]
	}
}

// Consumer is who used something: a module at work for an organization, or, without a name, the organization itself, for
// what the host does with its records. What a shared module does is the organization's whose records it reads.
type Consumer struct {
	Tenant Tenant
	Module string // "publisher/name"
	Shared bool   // the module is the one that all organizations share
}

// UsageRow is what a consumer used in a span of log time. Both are in ns; At is a multiple of Span.
type UsageRow struct {
	Consumer
	At, Span int64
	Used     Used
}

// Cost is one thing that is measured of the process: processor time, in ns, or what that was spent on.
type Cost int

// The costs. Those of the stages are as in the API's health; what modules take is not in them.
const (
	CostProcess   Cost = iota // all of it, user and system
	CostModules               // calls of modules: restoring and checking them included
	CostReceive               //
	CostQueue                 //
	CostParse                 //
	CostDetect                //
	CostStore                 //
	CostCorrelate             //
	CostIncident              //
	CostFuel                  // units that CostModules was spent on, also for records that were read again after a restart
	TotalFuel                 // of all rows of the same span
	TotalBytesIn              // of all organizations
	TotalStored               // of all organizations
	Costs         = int(iota)
)

var costNames = [Costs]string{
	"process", "modules", "receive", "queue", "parse", "detect", "store", "correlate", "incident", "fuel", "total_fuel", "total_bytes_in", "total_stored",
}

// String returns the cost's name, which is its column too.
func (c Cost) String() string { return costNames[c] }

// CostRow is what the process spent in a span of log time. At is a multiple of Span.
type CostRow struct {
	At, Span int64
	Spent    [Costs]int64
}
