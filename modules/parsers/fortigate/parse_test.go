package main

import (
	"testing"

	"github.com/vedette-siem/vedette/modules/moduletest"
	sdk "github.com/vedette-siem/vedette/sdk/go"
)

var parser = sdk.Parser{Parse: Parse}

const sample = `<189>date=2024-03-01 time=12:00:01 devname="fw-berlin-01" devid="FG100FTK20001234" eventtime=1709290801123456789 tz="+0100" logid="0000000013" type="traffic" subtype="forward" level="notice" vd="root" srcip=10.20.30.40 srcport=51514 srcintf="lan" srcintfrole="lan" dstip=198.51.100.23 dstport=443 dstintf="wan1" dstintfrole="wan" srccountry="Reserved" dstcountry="Germany" sessionid=8812345 proto=6 action="close" policyid=12 policytype="policy" poluuid="5d3f6a1e-aaaa-51ee-bbbb-0123456789ab" service="HTTPS" trandisp="snat" transip=203.0.113.9 transport=51514 duration=61 sentbyte=4821 rcvdbyte=91822 sentpkt=31 rcvdpkt=77 appcat="unscanned"`

func TestCases(t *testing.T) { moduletest.Cases(t, parser) }

func FuzzParse(f *testing.F) {
	moduletest.Fuzz(f, parser, sample, "date=2024-03-01,time=12:00:05,type=\"traffic\",subtype=\"x\",logid=1,url=\"http://h:1/p?q\"", `"date=2024-03-01","type=""event""","subtype=""system""","logid=1","msg=""x"""`, "<1>date= msg=x")
}

func BenchmarkParse(b *testing.B) { moduletest.Benchmark(b, parser, sample) }
