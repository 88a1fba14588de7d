package device

import (
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/gosnmp/gosnmp"

	"github.com/vedette-siem/vedette/sdk/go/snmp"
)

// datagrams answers each packet that comes until it is closed; nil is no answer.
type datagrams struct {
	asked
	conn net.PacketConn
	all  sync.WaitGroup
}

func packets(answer func(d *datagrams, b []byte) []byte) (*datagrams, error) {
	c, err := net.ListenPacket("udp", Address+":0")
	if err != nil {
		return nil, fmt.Errorf("a device: %w", err)
	}
	d := &datagrams{conn: c}
	d.all.Go(func() {
		b := make([]byte, 64<<10)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			if out := answer(d, b[:n]); out != nil {
				_, _ = c.WriteTo(out, from) // a packet may be lost
			}
		}
	})
	return d, nil
}

// Port is where the device listens.
func (d *datagrams) Port() uint16 { return d.conn.LocalAddr().(*net.UDPAddr).AddrPort().Port() }

// Close ends the device. It may be closed twice.
func (d *datagrams) Close() {
	_ = d.conn.Close() // nothing is lost
	d.all.Wait()
}

// Agent is a device that answers SNMP, version 2c.
type Agent struct {
	*datagrams
	vars []gosnmp.SnmpPDU
	lie  []gosnmp.SnmpPDU
}

// NewAgent starts a device that has some variables, in the order of their OIDs. lie are those that it puts in front of
// the answer to every get, whatever it was asked for.
func NewAgent(community string, vars, lie []snmp.Variable) (*Agent, error) {
	a := &Agent{vars: pdus(vars), lie: pdus(lie)}
	codec := &gosnmp.GoSNMP{Version: gosnmp.Version2c, Logger: gosnmp.NewLogger(log.New(io.Discard, "", 0))}
	var err error
	a.datagrams, err = packets(func(d *datagrams, b []byte) []byte {
		q, err := codec.SnmpDecodePacket(b)
		if err != nil {
			return nil
		}
		d.note(fmt.Sprint(q.PDUType))
		if q.Community != community {
			return nil
		}
		out := &gosnmp.SnmpPacket{Version: q.Version, Community: q.Community, PDUType: gosnmp.GetResponse, RequestID: q.RequestID, Variables: a.answer(q), Logger: codec.Logger}
		text, err := out.MarshalMsg()
		if err != nil {
			return nil
		}
		return text
	})
	return a, err
}

func (a *Agent) answer(q *gosnmp.SnmpPacket) []gosnmp.SnmpPDU {
	var out []gosnmp.SnmpPDU
	if q.PDUType == gosnmp.GetRequest {
		out = slices.Clone(a.lie)
	}
	for _, v := range q.Variables {
		switch q.PDUType {
		case gosnmp.GetRequest:
			at := slices.IndexFunc(a.vars, func(x gosnmp.SnmpPDU) bool { return x.Name == v.Name })
			if at < 0 {
				out = append(out, gosnmp.SnmpPDU{Name: v.Name, Type: gosnmp.NoSuchInstance})
				continue
			}
			out = append(out, a.vars[at])
		case gosnmp.GetNextRequest:
			out = append(out, a.after(v.Name, 1)...)
		case gosnmp.GetBulkRequest:
			out = append(out, a.after(v.Name, int(q.MaxRepetitions))...)
		}
	}
	return out
}

// pdus writes variables as the codec wants them.
func pdus(vars []snmp.Variable) []gosnmp.SnmpPDU {
	var out []gosnmp.SnmpPDU
	for _, v := range vars {
		p := gosnmp.SnmpPDU{Name: "." + v.OID}
		switch v.Type {
		case snmp.Int:
			p.Type, p.Value = gosnmp.Integer, int(v.Signed())
		case snmp.Uint:
			p.Type, p.Value = gosnmp.Counter64, v.Number
		case snmp.Ticks:
			p.Type, p.Value = gosnmp.TimeTicks, uint32(v.Number)
		case snmp.OID:
			p.Type, p.Value = gosnmp.ObjectIdentifier, "."+string(v.Bytes)
		case snmp.Address:
			p.Type, p.Value = gosnmp.IPAddress, string(v.Bytes)
		default:
			p.Type, p.Value = gosnmp.OctetString, string(v.Bytes)
		}
		out = append(out, p)
	}
	return out
}

// after returns n variables behind an OID, and what says that there are no more.
func (a *Agent) after(oid string, n int) []gosnmp.SnmpPDU {
	at := slices.IndexFunc(a.vars, func(x gosnmp.SnmpPDU) bool { return slices.Compare(numbers(x.Name), numbers(oid)) > 0 })
	if at < 0 {
		return []gosnmp.SnmpPDU{{Name: oid, Type: gosnmp.EndOfMibView}}
	}
	return slices.Clone(a.vars[at:min(at+n, len(a.vars))])
}

func numbers(oid string) (list []int) {
	for part := range strings.SplitSeq(strings.TrimPrefix(oid, "."), ".") {
		n := 0
		for _, c := range part {
			n = n*10 + int(c-'0')
		}
		list = append(list, n)
	}
	return list
}

// Names is a name server.
type Names struct{ *datagrams }

// NewNames starts a name server that answers "name TYPE" with the data of records. Types are numbers (RFC 1035).
func NewNames(table map[string][][]byte) (*Names, error) {
	n := &Names{}
	var err error
	n.datagrams, err = packets(func(d *datagrams, q []byte) []byte {
		if len(q) < 17 {
			return nil
		}
		var labels []string
		at := 12
		for at < len(q) && q[at] != 0 && at+1+int(q[at]) < len(q) {
			labels = append(labels, string(q[at+1:at+1+int(q[at])]))
			at += 1 + int(q[at])
		}
		if at+5 > len(q) {
			return nil
		}
		kind := binary.BigEndian.Uint16(q[at+1:])
		question := fmt.Sprint(strings.Join(labels, "."), " ", kind)
		d.note(question)
		out := append([]byte(nil), q[:at+5]...)
		out[2], out[3] = 0x81, 0x80
		clear(out[6:12])
		records, known := table[question]
		if !known {
			out[3] |= 3 // no such name
		}
		out[7] = byte(len(records))
		for _, data := range records {
			out = append(out, 0xc0, 12, byte(kind>>8), byte(kind), 0, 1, 0, 0, 0, 60, byte(len(data)>>8), byte(len(data)))
			out = append(out, data...)
		}
		return out
	})
	return n, err
}
