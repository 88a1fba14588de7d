// Package protocol lets one program drive a module host in another by lines of JSON: what a host must say to be tested.
//
// PROTOCOL.md beside this folder describes it for hosts in other languages. Meanings are written as the golden vectors
// of sdk/testdata/abi write them: texts in hexadecimal, members that are zero left out.
package protocol

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// Version of the protocol. A host answers it in hello; a driver refuses another.
const Version = 1

// MaxLineBytes bounds one message: the largest module and the largest batch, in hexadecimal, with room around them.
const MaxLineBytes = 64 << 20

// The operations.
const (
	OpHello = "hello"
	OpLoad  = "load"
	OpCall  = "call"
	OpClose = "close"
	OpStats = "stats"
)

// Codes that are no verdict on a module; all others are those of ABI 10.
const (
	CodeClosed  = "closed"  // no module of that name is loaded
	CodeRequest = "request" // the message is not understood
	CodeHost    = "host"    // the host could not do it, through no fault of the module
)

// Request is one line to the host. ID is chosen by the driver; the members below it belong to the operation.
type Request struct {
	ID int    `json:"id"`
	Op string `json:"op"`

	Module string `json:"module,omitempty"` // load, call, close: the driver's name for it

	Load  *Load  `json:"load,omitempty"`
	Call  *Call  `json:"call,omitempty"`
	Stats *Stats `json:"stats,omitempty"`
}

// Load has a host make a module ready. A name that is taken is an error of the driver.
type Load struct {
	Kind     string   `json:"kind"` // parser, rule or monitor
	Wasm     Bytes    `json:"wasm"`
	Settings Bytes    `json:"settings,omitempty"`
	Grants   []string `json:"grants,omitempty"` // import modules beside vedette_core_v1
	WASI     bool     `json:"wasi,omitempty"`   // the manifest says "wasi: stub"
	Names    []string `json:"names,omitempty"`  // the manifest's own field names
	Targets  []Target `json:"targets,omitempty"`
	Tables   []string `json:"tables,omitempty"` // names that vedette_set_v1 and vedette_lookup_v1 may be asked for
	Limits   Limits   `json:"limits,omitzero"`
}

// Target is a place that a monitor may reach. What may be done there is what is not zero.
type Target struct {
	Name    string            `json:"name"`
	Private bool              `json:"private,omitempty"` // may be a loopback, private or shared address
	URL     string            `json:"url,omitempty"`     // vedette_http_v1
	Header  map[string]string `json:"header,omitempty"`  // credentials that the host adds to requests: what stands after the last blank is secret
	Address string            `json:"address,omitempty"` // of the device, for what follows
	SNMP    *SNMP             `json:"snmp,omitempty"`    // vedette_snmp_v1
	SSH     *SSH              `json:"ssh,omitempty"`     // vedette_ssh_v1
	Ports   []uint16          `json:"ports,omitempty"`   // vedette_probe_v1
	Trust   string            `json:"trust,omitempty"`   // certificates in PEM form that may vouch for the device's; "": those that the system trusts
	Texts   *Texts            `json:"texts,omitempty"`   // vedette_config_v1
}

// SNMP is what may be read of a device, over version 2c.
type SNMP struct {
	Port      uint16   `json:"port"`
	Community string   `json:"community"`
	OIDs      []string `json:"oids"` // prefixes
}

// SSH is what may be run on a device.
type SSH struct {
	Port     uint16    `json:"port"`
	User     string    `json:"user"`
	Password string    `json:"password"`
	HostKeys []string  `json:"host_keys,omitempty"` // that a person has approved, in the form of authorized_keys
	Commands []Command `json:"commands,omitempty"`
}

// Command is a granted command: a template, and a pattern for each of its arguments.
type Command struct {
	ID   string     `json:"id"`
	Run  string     `json:"run"` // "show {section}"
	Args []Argument `json:"args,omitempty"`
}

// Argument is a hole of a template.
type Argument struct {
	Name    string `json:"name"`
	Pattern string `json:"pattern"` // a regular expression (RE2) that all of it must match
}

// Texts are what is known of a device's texts when a module is loaded.
type Texts struct {
	Blessed map[string]Bytes `json:"blessed,omitempty"` // by name: what a person has declared right
}

// Table is ABI 14.1 and 14.2.
type Table struct {
	Name    string     `json:"name"`
	Kind    string     `json:"kind"` // exact, nocase, cidr or domain
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"`
}

// Limits are the manifest's. Zero is the host's default.
type Limits struct {
	FuelPerCall   uint64 `json:"fuel_per_call,omitempty"`
	FuelPerRecord uint64 `json:"fuel_per_record,omitempty"`
	FuelPerByte   uint64 `json:"fuel_per_byte,omitempty"`
	MemoryPages   uint32 `json:"memory_pages,omitempty"`
}

// Call is one batch, of the module's kind: Records, Rows or Poll; or, of a rule and with From, all keys that it is to take
// over; or, of a rule and with Due, all its timers that are due. The host encodes it (ABI 4, 6.1, 7.1, 19.2, 20.3).
type Call struct {
	Seq     uint64   `json:"seq,omitempty"`
	At      int64    `json:"at,omitempty"` // log time, ns
	Records []Record `json:"records,omitempty"`
	Columns int      `json:"columns,omitempty"`
	Rows    []Row    `json:"rows,omitempty"`
	Cursor  Bytes    `json:"cursor,omitempty"`
	Keep    bool     `json:"keep,omitempty"`    // state is what the module's last call has left, instead of none
	Tables  []Table  `json:"tables,omitempty"`  // in force at this batch
	Targets []Target `json:"targets,omitempty"` // that this poll may reach, beside those of the load
	From    uint32   `json:"from,omitempty"`    // state version of the keys
	Keys    []Key    `json:"keys,omitempty"`
	Due     bool     `json:"due,omitempty"` // of a rule: the timers that are due are handed over, and Keep is understood
}

// Key is ABI 19.2.
type Key struct {
	Kind  uint32 `json:"kind,omitempty"`
	Ends  int64  `json:"ends,omitempty"` // log time, ns
	Name  Bytes  `json:"name"`
	Value Bytes  `json:"value,omitempty"`
}

// Record is ABI 4.2.
type Record struct {
	Raw      Bytes  `json:"raw,omitempty"`
	Source   Bytes  `json:"source,omitempty"`
	Received int64  `json:"received,omitempty"`
	Flags    uint32 `json:"flags,omitempty"`
}

// Row is ABI 6.2; a cell that is null is absent. Ref is its reference, for a rule that has state.
type Row struct {
	Time  int64   `json:"time,omitempty"`
	Cells []Bytes `json:"cells,omitempty"`
	Ref   Bytes   `json:"ref,omitempty"`
}

// Reply is one line from the host. Code is "" when it was done; otherwise it is one of ABI 10 or of the codes above.
type Reply struct {
	ID     int    `json:"id"`
	Code   string `json:"code,omitempty"`
	Detail string `json:"detail,omitempty"`

	Hello  *Hello  `json:"hello,omitempty"`
	Answer *Answer `json:"answer,omitempty"` // of a call
	Usage  *Usage  `json:"usage,omitempty"`  // of stats
}

// Hello says who a host is.
type Hello struct {
	Protocol     int      `json:"protocol"`
	Host         string   `json:"host"`
	Version      string   `json:"version"`
	ABI          string   `json:"abi"`
	Capabilities []string `json:"capabilities"` // import modules that it can link
}

// Answer is what became of a batch, each record or row with exactly one verdict.
type Answer struct {
	Fuel     uint64    `json:"fuel,omitempty"`     // consumed by all that the batch needed
	Outcomes []Outcome `json:"outcomes,omitempty"` // parsers: one for each record; of a poison one, Poison is true
	Events   []Event   `json:"events,omitempty"`
	Findings []Finding `json:"findings,omitempty"`
	Records  []Bytes   `json:"records,omitempty"` // monitors
	Cursor   Bytes     `json:"cursor,omitempty"`
	Keys     []Key     `json:"keys,omitempty"`   // that the module has made, by kind and name
	Poison   []Poison  `json:"poison,omitempty"` // records or rows that the module fails on when they stand alone
	Log      []Line    `json:"log,omitempty"`    // what the module logged, as the host passed it on
}

// Outcome is ABI 5.2.
type Outcome struct {
	Outcome int    `json:"outcome,omitempty"`
	Message string `json:"message,omitempty"`
	Poison  bool   `json:"poison,omitempty"`
}

// Event is ABI 5.3; Time is nil when it has none.
type Event struct {
	Record int     `json:"record,omitempty"`
	Flags  int     `json:"flags,omitempty"`
	Time   *int64  `json:"time,omitempty"`
	Fields []Field `json:"fields"`
}

// Field is ABI 5.4, its ranges resolved: Text for types 1 and 2, Bits for the others. Source is offset and length.
type Field struct {
	Name   Name   `json:"name"`
	Type   int    `json:"type"`
	Flags  int    `json:"flags,omitempty"`
	Text   Bytes  `json:"text,omitempty"`
	Bits   uint64 `json:"bits,omitempty"`
	Source []int  `json:"source,omitempty"`
}

// Finding is ABI 6.3, or, of a timer, 20.6, with its place among those that were due for the row.
type Finding struct {
	Row      int    `json:"row,omitempty"`
	Severity int    `json:"severity,omitempty"`
	Title    string `json:"title,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Key      string `json:"key,omitempty"`
	Evidence Bytes  `json:"evidence,omitempty"`
}

// Poison is a record or row that the module fails on by itself, or a poll that failed.
type Poison struct {
	Record int    `json:"record,omitempty"`
	Code   string `json:"code"`
	Detail string `json:"detail,omitempty"`
	Fuel   uint64 `json:"fuel,omitempty"`   // of the failed call
	Status int    `json:"status,omitempty"` // that the module returned, when it did not trap
}

// Line is one line of the module's log.
type Line struct {
	Level int    `json:"level,omitempty"`
	Text  string `json:"text,omitempty"`
}

// Stats asks what a host uses.
type Stats struct {
	Collect bool `json:"collect,omitempty"` // run a whole garbage collection first, if the host has one
}

// Usage is what a host uses now.
type Usage struct {
	Modules   int    `json:"modules"`
	Instances int    `json:"instances"`
	Memory    uint64 `json:"memory"`             // resident bytes of the process
	PauseNs   int64  `json:"pause_ns,omitempty"` // how long the collection that was asked for stopped everything, if the host knows
}

// Name is a field's name: its number, or the name itself when it lies in the arena.
type Name struct {
	Number int
	Text   string
}

// MarshalJSON writes a number or a text.
func (n Name) MarshalJSON() ([]byte, error) {
	if n.Text != "" {
		return json.Marshal(n.Text)
	}
	return json.Marshal(n.Number)
}

// UnmarshalJSON reads a number or a text.
func (n *Name) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &n.Text)
	}
	return json.Unmarshal(b, &n.Number)
}

// Bytes is bytes as hexadecimal text; nil is null.
type Bytes []byte

// MarshalJSON writes hexadecimal text or null.
func (h Bytes) MarshalJSON() ([]byte, error) {
	if h == nil {
		return []byte("null"), nil
	}
	out := make([]byte, 2+hex.EncodedLen(len(h)))
	out[0], out[len(out)-1] = '"', '"'
	hex.Encode(out[1:], h)
	return out, nil
}

// UnmarshalJSON reads hexadecimal text or null.
func (h *Bytes) UnmarshalJSON(b []byte) error {
	if bytes.Equal(b, []byte("null")) {
		*h = nil
		return nil
	}
	if len(b) < 2 || b[0] != '"' || b[len(b)-1] != '"' {
		return errors.New("want bytes as hexadecimal text")
	}
	out := make(Bytes, hex.DecodedLen(len(b)-2))
	if _, err := hex.Decode(out, b[1:len(b)-1]); err != nil {
		return fmt.Errorf("bytes as hexadecimal text: %w", err)
	}
	*h = out
	return nil
}

// Host is a module host. Its methods may be called by many goroutines at once. A refusal is a Reply with a Code; an
// error means that the host is not there any more.
type Host interface {
	Do(ctx context.Context, q Request) (Reply, error)
	Shutdown() error
}
