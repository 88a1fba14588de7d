package storagetest

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/vedette-siem/vedette/storage"
)

// Event returns an event of frame seq: the record number, the time and pairs of field names and values.
func Event(seq uint64, record uint32, tenant storage.Tenant, at time.Time, raw string, pairs ...string) storage.Event {
	e := storage.Event{
		ID:     storage.EventID{Seq: seq, Segment: uint16(tenant), Record: record},
		Tenant: tenant, Time: at.UnixNano(), Received: at.Add(time.Second).UnixNano(), Raw: raw, Stream: "test.log",
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		e.Fields = append(e.Fields, storage.Field{Name: pairs[i], Value: pairs[i+1]})
	}
	return e
}

// Firewall returns a realistic event of a firewall: about thirty fields, 400 bytes of names and values, and a raw line
// of 500 bytes, with the spread of values that such logs have.
func Firewall(r *rand.Rand, seq uint64, record uint32, tenant storage.Tenant, at time.Time) storage.Event {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	action := pick("accept", "accept", "accept", "accept", "deny", "close", "timeout")
	src := fmt.Sprintf("10.%d.%d.%d", tenant%16, r.IntN(4), r.IntN(250))
	dst := fmt.Sprintf("%d.%d.%d.%d", 20+r.IntN(180), r.IntN(256), r.IntN(256), r.IntN(256))
	sport, dport := strconv.Itoa(1024+r.IntN(60000)), pick("443", "443", "443", "80", "53", "22", "3389", "8443")
	sent, got, session := strconv.Itoa(r.IntN(90000)), strconv.Itoa(r.IntN(900000)), strconv.Itoa(100000+r.IntN(1<<24))
	policy, device := strconv.Itoa(1+r.IntN(40)), "fw-"+strconv.Itoa(int(tenant)%7+r.IntN(3))
	user := pick("", "a.moreau", "k.lind", "svc-backup", "t.okafor")
	service := pick("HTTPS", "HTTP", "DNS", "SSH", "RDP")
	raw := fmt.Sprintf(`<189>date=%s time=%s devname="%s" devid="FGVM%08d" logid="0000000013" type="traffic" subtype="forward" level="notice" `+
		`vd="root" srcip=%s srcport=%s srcintf="port2" srcintfrole="lan" dstip=%s dstport=%s dstintf="port1" dstintfrole="wan" `+
		`sessionid=%s proto=6 action="%s" policyid=%s policytype="policy" service="%s" trandisp="snat" duration=%d `+
		`sentbyte=%s rcvdbyte=%s sentpkt=%d rcvdpkt=%d appcat="unscanned" user="%s"`,
		at.Format("2006-01-02"), at.Format("15:04:05"), device, tenant, src, sport, dst, dport, session, action, policy, service,
		r.IntN(300), sent, got, r.IntN(90), r.IntN(900), user)
	e := Event(seq, record, tenant, at, raw,
		"event.kind", "event", "event.category", `["network"]`, "event.type", `["connection"]`, "event.action", action,
		"event.code", "0000000013", "event.outcome", "success", "log.level", "notice",
		"observer.vendor", "Fortinet", "observer.product", "Fortigate", "observer.type", "firewall", "observer.name", device,
		"observer.ingress.interface.name", "port2", "observer.egress.interface.name", "port1",
		"source.ip", src, "source.port", sport, "source.bytes", sent,
		"destination.ip", dst, "destination.port", dport, "destination.bytes", got,
		"network.transport", "tcp", "network.iana_number", "6", "network.protocol", service,
		"rule.id", policy, "rule.category", "policy", "fortinet.firewall.sessionid", session, "fortinet.firewall.vd", "root",
		"vedette.parser", "fortinet_fortigate", "vedette.digest", "0123456789ab", "vedette.generation", "17")
	if user != "" {
		e.Fields = append(e.Fields, storage.Field{Name: "user.name", Value: user})
	}
	e.Stream = "fortinet_fortigate.log"
	return e
}
