package pipeline_test

import (
	"fmt"
	"testing"

	"github.com/vedette-siem/vedette/host/detect"
	"github.com/vedette-siem/vedette/host/module"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/modules"
	"github.com/vedette-siem/vedette/storage"
)

// BenchmarkFrame is what an event costs between queue and store: decode, route, Wasm, build, canonical form, and detect.
func BenchmarkFrame(b *testing.B) {
	w := newWorld(b)
	all, err := modules.Builtin()
	if err != nil {
		b.Fatal(err)
	}
	var run module.Running
	for i, p := range all {
		c := module.Control{Kind: module.Activate, Name: p.Manifest.Publisher + "/" + p.Manifest.Name, Digest: w.packages.add(p)}
		if len(p.Manifest.Capabilities) > 0 || p.Manifest.Entry.Interprets {
			continue // monitors, and what runs in other packages only
		}
		if run, err = run.Apply(uint64(i+1), 0, c); err != nil {
			b.Fatal(err)
		}
	}
	lib := w.library()
	defer lib.Keep(b.Context())
	gen, err := module.Build(b.Context(), lib, nil, run, storage.NoTenant)
	if err != nil {
		b.Fatal(err)
	}
	f := queue.Frame{LogTime: epoch.UnixNano(), Segments: []queue.Segment{{Tenant: 1}}}
	for i := range 256 {
		f.Segments[0].Records = append(f.Segments[0].Records, queue.Record{
			Received: epoch.UnixNano(), Source: queue.Source{Listener: "syslog-udp:5514", Peer: "192.0.2.1"},
			Raw: fmt.Appendf(nil, `<189>date=2024-03-01 time=12:00:%02d devname="fw-berlin-01" devid="FG100FTK20001234" eventtime=17092944000000%05d tz="+0000" logid="0000000013" type="traffic" subtype="forward" level="notice" vd="root" srcip=10.20.%d.%d srcport=%d srcintf="port2" srcintfrole="lan" dstip=203.0.113.%d dstport=443 dstintf="port1" dstintfrole="wan" srccountry="Reserved" dstcountry="Germany" sessionid=%d proto=6 action="close" policyid=7 policytype="policy" service="HTTPS" trandisp="snat" duration=12 sentbyte=%d rcvdbyte=%d sentpkt=21 rcvdpkt=33 appcat="unscanned"`,
				i%60, i, i%4, i, 40000+i, i%250, 900000+i, i*37, i*911),
		})
	}
	msg, err := queue.Encode(nil, &f)
	if err != nil {
		b.Fatal(err)
	}
	m := queue.Message{Seq: 9, Kind: queue.KindFrame, LogTime: f.LogTime, Data: msg}
	var frame queue.Frame
	p := pipeline.NewParser()
	var scratch detect.Scratch
	var events []storage.Event
	for _, stage := range []string{"parse", "parse and detect"} {
		b.Run(stage, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(msg)))
			n := 0
			for b.Loop() {
				if err := m.Frame(&frame); err != nil {
					b.Fatal(err)
				}
				var poison []pipeline.Poison
				events, poison, err = p.FrameAgain(b.Context(), gen, &frame, events[:0])
				if err != nil || len(poison) > 0 || len(events) != 256 || events[0].Stream != "fortinet_fortigate.log" {
					b.Fatalf("%d events, %d poison, %v: %+v", len(events), len(poison), err, events[0])
				}
				if stage != "parse" {
					view := gen.View(1)
					for i := range events {
						n += len(view.Rules.Match(&events[i], &scratch))
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/256, "ns/event")
		})
	}
}
