package probe

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/go/probe"
)

// The record types that can be asked for (RFC 1035, 3596, 2782).
var recordTypes = map[string]uint16{"A": 1, "NS": 2, "CNAME": 5, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33}

// dns asks a name server one question and tells what it answers. The system's own files and resolvers have no part in it.
func (p *Prober) dns(ctx context.Context, at Place, question string) ([]probe.Fact, error) {
	name, kind, _ := strings.Cut(question, " ")
	qtype, known := recordTypes[kind]
	if !known {
		return nil, denied("want a name and A, AAAA, CNAME, MX, NS, PTR, SRV or TXT")
	}
	if err := CheckAddress(name); err != nil {
		return nil, denied("%v", err)
	}
	id := uint16(rand.Uint32()) //nolint:gosec // it tells answers apart; the connected socket keeps strangers out
	query := appendQuery(nil, id, name, qtype)
	began := p.now()
	answer, err := exchange(ctx, "udp", at, query)
	if err == nil && len(answer) > 2 && answer[2]&0x02 != 0 { // truncated
		answer, err = exchange(ctx, "tcp", at, query)
	}
	elapsed := probe.Fact{Name: "elapsed_ns", Value: number(p.now().Sub(began).Nanoseconds())}
	if errors.Is(err, errDNSTimeout) {
		return []probe.Fact{elapsed, {Name: "status", Value: "timeout"}}, nil
	}
	if err != nil {
		return nil, err
	}
	status, answers, err := parseAnswer(answer, id, qtype)
	if err != nil {
		return nil, err
	}
	facts := []probe.Fact{elapsed, {Name: "status", Value: status}}
	for _, a := range answers {
		facts = append(facts, probe.Fact{Name: "answer", Value: a})
	}
	return facts, nil
}

// appendQuery appends a question with recursion desired.
func appendQuery(b []byte, id uint16, name string, qtype uint16) []byte {
	b = binary.BigEndian.AppendUint16(b, id)
	b = append(b, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0)
	for label := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		b = append(append(b, byte(len(label))), label...)
	}
	b = binary.BigEndian.AppendUint16(append(b, 0), qtype)
	return binary.BigEndian.AppendUint16(b, 1)
}

var errDNSTimeout = errors.New("the name server did not answer in time")

const dnsTimeout = 3 * time.Second

func exchange(ctx context.Context, network string, at Place, query []byte) ([]byte, error) {
	c, err := dial(ctx, network, at)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	deadline := time.Now().Add(dnsTimeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := c.SetDeadline(deadline); err != nil {
		return nil, runtime.Plain(err)
	}
	if network == "tcp" {
		query = append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)
	}
	if _, err := c.Write(query); err != nil {
		return nil, runtime.Plain(err)
	}
	var answer []byte
	if network == "tcp" {
		var head [2]byte
		if _, err = io.ReadFull(c, head[:]); err == nil {
			answer = make([]byte, binary.BigEndian.Uint16(head[:]))
			_, err = io.ReadFull(c, answer)
		}
	} else {
		answer = make([]byte, MaxDNSBytes)
		var n int
		n, err = c.Read(answer)
		answer = answer[:n]
	}
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		return nil, errDNSTimeout
	}
	if err != nil {
		return nil, runtime.Plain(err)
	}
	return answer, nil
}

var errDNSAnswer = errors.New("the name server's answer cannot be read")

// parseAnswer reads an answer to one question: its status, and the records of the type that was asked for.
func parseAnswer(b []byte, id, qtype uint16) (status string, answers []string, err error) {
	if len(b) < 12 || binary.BigEndian.Uint16(b) != id || b[2]&0x80 == 0 {
		return "", nil, errDNSAnswer
	}
	switch b[3] & 0x0f {
	case 0:
		status = "noerror"
	case 3:
		return "nxdomain", nil, nil
	default:
		return "failure", nil, nil
	}
	at := 12
	for range binary.BigEndian.Uint16(b[4:]) {
		if _, at, err = readName(b, at); err != nil || at+4 > len(b) {
			return "", nil, errDNSAnswer
		}
		at += 4
	}
	for range binary.BigEndian.Uint16(b[6:]) {
		if _, at, err = readName(b, at); err != nil || at+10 > len(b) {
			return "", nil, errDNSAnswer
		}
		kind, size := binary.BigEndian.Uint16(b[at:]), int(binary.BigEndian.Uint16(b[at+8:]))
		at += 10
		if at+size > len(b) {
			return "", nil, errDNSAnswer
		}
		if kind == qtype {
			text, err := recordText(b, at, size, kind)
			if err != nil {
				return "", nil, err
			}
			answers = append(answers, text)
		}
		at += size
	}
	return status, answers, nil
}

// recordText writes the data of a record as people write it.
func recordText(b []byte, at, size int, kind uint16) (string, error) {
	data := b[at : at+size]
	named := func(skip int, format string, args ...any) (string, error) {
		if size < skip {
			return "", errDNSAnswer
		}
		name, _, err := readName(b, at+skip)
		return fmt.Sprintf(format, append(args, name)...), err
	}
	switch kind {
	case 1, 28:
		a, ok := netip.AddrFromSlice(data)
		if !ok || a.Is4() != (kind == 1) {
			return "", errDNSAnswer
		}
		return a.String(), nil
	case 15:
		if size < 2 {
			return "", errDNSAnswer
		}
		return named(2, "%d %s", binary.BigEndian.Uint16(data))
	case 33:
		if size < 6 {
			return "", errDNSAnswer
		}
		return named(6, "%d %d %d %s", binary.BigEndian.Uint16(data), binary.BigEndian.Uint16(data[2:]), binary.BigEndian.Uint16(data[4:]))
	case 16:
		var text strings.Builder
		for len(data) > 0 {
			n := int(data[0])
			if 1+n > len(data) {
				return "", errDNSAnswer
			}
			text.Write(data[1 : 1+n])
			data = data[1+n:]
		}
		return strings.ToValidUTF8(text.String(), "\uFFFD"), nil
	}
	return named(0, "%s")
}

// readName reads a name at an offset and returns what follows it. Pointers lead backwards only, so it ends.
func readName(b []byte, at int) (name string, next int, err error) {
	var text strings.Builder
	next = -1
	for limit := at; ; {
		if at >= len(b) {
			return "", 0, errDNSAnswer
		}
		n := int(b[at])
		switch {
		case n == 0:
			if next < 0 {
				next = at + 1
			}
			return text.String(), next, nil
		case n&0xc0 == 0xc0:
			if at+1 >= len(b) {
				return "", 0, errDNSAnswer
			}
			if next < 0 {
				next = at + 2
			}
			to := (n&0x3f)<<8 | int(b[at+1])
			if to >= limit {
				return "", 0, errDNSAnswer
			}
			at, limit = to, to
			continue
		case n > 63 || at+1+n > len(b) || text.Len()+n > 255:
			return "", 0, errDNSAnswer
		}
		if text.Len() > 0 {
			text.WriteByte('.')
		}
		text.WriteString(strings.ToValidUTF8(string(b[at+1:at+1+n]), "\uFFFD"))
		at += 1 + n
	}
}
