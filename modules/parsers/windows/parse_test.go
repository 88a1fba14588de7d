package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/vedette-siem/vedette/modules/moduletest"
	sdk "github.com/vedette-siem/vedette/sdk/go"
)

var parser = sdk.Parser{Parse: Parse}

func TestCases(t *testing.T) { moduletest.Cases(t, parser) }

// sample is a process creation of 1.1 KB.
const sample = `{"@timestamp":"2024-03-01T11:04:22.517Z","event":{"code":"1","kind":"event","provider":"Microsoft-Windows-Sysmon","action":"Process Create (rule: ProcessCreate)"},"host":{"name":"ws-17.example.net"},"log":{"level":"information"},"winlog":{"channel":"Microsoft-Windows-Sysmon/Operational","computer_name":"ws-17.example.net","event_id":"1","provider_name":"Microsoft-Windows-Sysmon","record_id":48213,"process":{"pid":2712,"thread":{"id":3944}},"user":{"identifier":"S-1-5-18"},"event_data":{"UtcTime":"2024-03-01 11:04:22.514","ProcessGuid":"{6a1f0c55-b7a6-65e1-9b02-000000001d00}","ProcessId":"7344","Image":"C:\\Windows\\System32\\whoami.exe","CommandLine":"whoami.exe /groups /fo csv","CurrentDirectory":"C:\\Users\\eva\\","User":"EXAMPLE\\eva","LogonId":"0x8f21a","IntegrityLevel":"Medium","Hashes":"MD5=0E1C7A2B9F4D4E0D8B1B6D7C5A3F2E19,SHA256=7B5F0E6D1C2A39485766FEDCBA98765432100F1E2D3C4B5A69788796A5B4C3D2","ParentProcessId":"6120","ParentImage":"C:\\Windows\\System32\\cmd.exe","ParentCommandLine":"\"C:\\Windows\\System32\\cmd.exe\" /k"}}}`

// Tables that are searched by halves must be in order.
func TestTablesAreSorted(t *testing.T) {
	for _, table := range [][]kind{sysmonKinds, securityKinds, powershellKinds, defenderKinds, serviceKinds, taskKinds, sessionKinds} {
		for i := 1; i < len(table); i++ {
			if table[i-1].code >= table[i].code {
				t.Errorf("%d stands before %d", table[i-1].code, table[i].code)
			}
		}
		for _, k := range table {
			if find(table, int64(k.code)) == nil {
				t.Errorf("%d is not found", k.code)
			}
		}
	}
}

// One more than MaxPairs is left out, and what finds no room in the scratch buffer is kept as written.
func TestLimits(t *testing.T) {
	doc := []byte(`{"EventID":1,"Channel":"x","ProviderName":"y"`)
	for i := range MaxPairs + 1 {
		doc = fmt.Appendf(doc, `,"k%d":"v"`, i)
	}
	got, err := moduletest.Events(parser, moduletest.Received, append(doc, '}'))
	if err != nil || !bytes.Contains(got, fmt.Appendf(nil, "event_data.k%d\"", MaxPairs-1)) || bytes.Contains(got, fmt.Appendf(nil, "event_data.k%d\"", MaxPairs)) {
		t.Errorf("pairs: %v\n%s", err, got)
	}
	long := strings.Repeat(`\\`, MaxScratchBytes/2) + "z"
	got, err = moduletest.Events(parser, moduletest.Received, []byte(`{"EventID":1,"Channel":"x","a":"`+long+`","b":"c\\d"}`))
	if err != nil || !bytes.Contains(got, []byte(`"winlog.event_data.b":"c\\d"`)) || !bytes.Contains(got, []byte(strings.Repeat(`\`, 2*MaxScratchBytes)+"z")) {
		t.Errorf("scratch: %v, %d bytes", err, len(got))
	}
}

func FuzzParse(f *testing.F) {
	moduletest.Fuzz(f, parser, sample,
		`<Event xmlns='x'><System><Provider Name='P'/><EventID>1</EventID></System><UserData><A><B>c&lt;</B></A></UserData><RenderingInfo><Message>m</Message></RenderingInfo></Event>`,
		`{"EventID":4732,"Channel":"Security","MemberName":"CN=a\\,b,DC=c","Keywords":-1}`,
		`{"EventID":800,"Channel":"Windows PowerShell","SourceName":"PowerShell","param2":"\tHostApplication=a \"b\nc\nEngineVersion=1"}`,
		`{"message":"{\"EventID\":13,\"Channel\":\"Microsoft-Windows-Sysmon/Operational\",\"Details\":\"DWORD (0x)\",\"TargetObject\":\"HKU\\\\x\"}"}`,
		"An account failed to log on.\nSubject:\n\tAccount Name:\tx", "%OSDRIVE%\\A.PS1 was prevented from running.")
}

func BenchmarkParse(b *testing.B) { moduletest.Benchmark(b, parser, sample) }
