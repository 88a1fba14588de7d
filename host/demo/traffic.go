package demo

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"
)

// world makes an organization's log lines.
type world struct {
	org     *Org
	rnd     *rand.Rand
	session int
	pid     int
	record  int
}

type firewall struct {
	name, serial, vdom string
	policies           []string
}

func pick[T any](w *world, from []T) T { return from[w.rnd.IntN(len(from))] }

// inside is an address of the organization's own network.
func (w *world) inside() string { return fmt.Sprintf("10.0.0.%d", 20+w.rnd.IntN(180)) }

// outside is an address of the internet: documentation ranges and a few well-known resolvers.
func (w *world) outside() string {
	switch w.rnd.IntN(4) {
	case 0:
		return fmt.Sprintf("192.0.2.%d", 1+w.rnd.IntN(250))
	case 1:
		return fmt.Sprintf("198.51.100.%d", 100+w.rnd.IntN(100))
	case 2:
		return pick(w, []string{"9.9.9.9", "1.1.1.1", "8.8.8.8"})
	}
	return fmt.Sprintf("203.0.113.%d", 100+w.rnd.IntN(100))
}

// background is one round of an ordinary day.
func (w *world) background(now time.Time) batch {
	var b batch
	for range 1 + w.rnd.IntN(4) {
		b.udp = append(b.udp, w.gateTraffic(now))
	}
	switch w.rnd.IntN(12) {
	case 0:
		b.udp = append(b.udp, w.gateWeb(now))
	case 1:
		b.udp = append(b.udp, w.gateDNS(now))
	case 2, 3:
		b.tcp = append(b.tcp, w.sshLogin(now)...)
	case 4:
		b.tcp = append(b.tcp, w.sudo(now), w.cron(now))
	case 5, 6:
		b.http = append(b.http, w.sysmonProcess(now))
	case 7:
		b.http = append(b.http, w.logon(now))
	case 8:
		b.http = append(b.http, w.sysmonNetwork(now))
	case 9:
		b.udp = append(b.udp, w.gateDeny(now, fmt.Sprintf("203.0.113.%d", 100+w.rnd.IntN(100)), "10.0.0.12", 1+w.rnd.IntN(1024)))
	default:
		for range 1 + w.rnd.IntN(3) {
			b.http = append(b.http, w.access(now))
		}
	}
	return b
}

// gateLine is a FortiGate syslog line with its common head.
func (w *world) gateLine(now time.Time, pri int, logid, kind, subtype, level, rest string) []byte {
	g := w.org.gate
	return fmt.Appendf(nil, `<%d>date=%s time=%s devname="%s" devid="%s" eventtime=%d tz="+0000" logid="%s" type="%s" subtype="%s" level="%s" vd="%s" %s`,
		pri, now.UTC().Format("2006-01-02"), now.UTC().Format("15:04:05"), g.name, g.serial, now.UnixNano(), logid, kind, subtype, level, g.vdom, rest)
}

var services = []struct {
	name  string
	port  int
	proto int
	app   string
}{
	{"HTTPS", 443, 6, "HTTPS.BROWSER"},
	{"HTTP", 80, 6, "HTTP.BROWSER"},
	{"DNS", 53, 17, "DNS"},
	{"NTP", 123, 17, "NTP"},
	{"SSH", 22, 6, "SSH"},
	{"SMB", 445, 6, "SMB"},
	{"IMAPS", 993, 6, "IMAPS"},
}

func (w *world) gateTraffic(now time.Time) []byte {
	w.session++
	s := pick(w, services)
	return w.gateLine(now, 189, "0000000013", "traffic", "forward", "notice", fmt.Sprintf(
		`srcip=%s srcport=%d srcintf="lan" srcintfrole="lan" dstip=%s dstport=%d dstintf="wan1" dstintfrole="wan" srccountry="Reserved" dstcountry="Netherlands" sessionid=%d proto=%d action="%s" policyid=%d policytype="policy" poluuid="b7d0ae8a-%04x-51ee-9c2f-%012x" policyname="%s" service="%s" trandisp="snat" transip=203.0.113.2 transport=%d appid=%d app="%s" appcat="Network.Service" duration=%d sentbyte=%d rcvdbyte=%d sentpkt=%d rcvdpkt=%d`,
		w.inside(), 1024+w.rnd.IntN(60000), w.outside(), s.port, w.session, s.proto, pick(w, []string{"close", "accept", "close", "client-rst", "server-rst"}),
		1+w.rnd.IntN(len(w.org.gate.policies)), w.rnd.IntN(1<<16), w.rnd.IntN(1<<40), pick(w, w.org.gate.policies), s.name, 1024+w.rnd.IntN(60000),
		10000+w.rnd.IntN(30000), s.app, w.rnd.IntN(300), 60+w.rnd.IntN(20000), 60+w.rnd.IntN(200000), 1+w.rnd.IntN(60), 1+w.rnd.IntN(200)))
}

// countries are where the internet's knocking comes from, by the last number of its address.
var countries = []string{"Netherlands", "United States", "Germany", "Brazil", "Viet Nam", "India", "Reserved"}

func country(addr string) string { return countries[int(addr[len(addr)-1])%len(countries)] }

func (w *world) gateDeny(now time.Time, src, dst string, port int) []byte {
	w.session++
	return w.gateLine(now, 188, "0000000013", "traffic", "forward", "warning", fmt.Sprintf(
		`srcip=%s srcport=%d srcintf="wan1" srcintfrole="wan" dstip=%s dstport=%d dstintf="dmz" dstintfrole="dmz" srccountry="%s" dstcountry="Reserved" sessionid=%d proto=6 action="deny" policyid=0 policytype="policy" policyname="implicit-deny" service="tcp/%d" trandisp="noop" duration=0 sentbyte=0 rcvdbyte=0 sentpkt=0 rcvdpkt=0 crscore=30 craction=131072 crlevel="high"`,
		src, 1024+w.rnd.IntN(60000), dst, port, country(src), w.session, port))
}

func (w *world) gateWeb(now time.Time) []byte {
	site := pick(w, []string{"weather.example", "news.example", "parts.example", "maps.example"})
	return w.gateLine(now, 189, "0317013312", "utm", "webfilter", "notice", fmt.Sprintf(
		`eventtype="ftgd_allow" policyid=1 sessionid=%d srcip=%s srcport=%d srcintf="lan" dstip=%s dstport=443 dstintf="wan1" proto=6 service="HTTPS" hostname="%s" profile="default" action="passthrough" reqtype="direct" url="https://%s/" sentbyte=517 rcvdbyte=0 direction="outgoing" msg="URL belongs to an allowed category in policy" method="domain" cat=52 catdesc="Information Technology"`,
		w.session, w.inside(), 1024+w.rnd.IntN(60000), w.outside(), site, site))
}

func (w *world) gateDNS(now time.Time) []byte {
	return w.gateLine(now, 189, "1501054802", "utm", "dns", "notice", fmt.Sprintf(
		`eventtype="dns-response" policyid=1 sessionid=%d srcip=%s srcport=%d srcintf="lan" dstip=9.9.9.9 dstport=53 dstintf="wan1" proto=17 profile="default" xid=%d qname="%s" qtype="A" qtypeval=1 qclass="IN" ipaddr="%s" msg="Domain is monitored" action="pass" cat=52 catdesc="Information Technology"`,
		w.session, w.inside(), 1024+w.rnd.IntN(60000), w.rnd.IntN(65536), pick(w, []string{"mail.example", "cdn.example", "time.example"}), w.outside()))
}

// virus is a FortiGate antivirus event.
func (w *world) virus(now time.Time, src, action string) []byte {
	return w.gateLine(now, 188, "0211008192", "utm", "virus", "warning", fmt.Sprintf(
		`eventtype="infected" msg="File is infected." action="%s" service="HTTP" sessionid=%d srcip=%s dstip=198.51.100.77 srcport=%d dstport=80 srcintf="lan" dstintf="wan1" policyid=1 proto=6 direction="incoming" filename="invoice_8841.zip" quarskip="Quarantine-disabled" virus="EICAR_TEST_FILE" dtype="Virus" ref="http://www.example/ve?vn=EICAR_TEST_FILE" virusid=2172 url="http://files.example/invoice_8841.zip" profile="default" analyticscksum="275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"`,
		action, w.session, src, 1024+w.rnd.IntN(60000)))
}

// adminLogin is an administrator's login to the firewall itself.
func (w *world) adminLogin(now time.Time, from string) []byte {
	return w.gateLine(now, 190, "0100032001", "event", "system", "information", fmt.Sprintf(
		`logdesc="Admin login successful" sn="%d" user="admin" ui="https(%s)" method="https" srcip=%s dstip=10.0.0.1 action="login" status="success" reason="none" profile="super_admin" msg="Administrator admin logged in successfully from https(%s)"`,
		now.Unix(), from, from, from))
}

// unix is a syslog line of a Linux host.
func (w *world) unix(now time.Time, pri int, host, tag, message string) []byte {
	w.pid = 900 + w.rnd.IntN(30000)
	return fmt.Appendf(nil, "<%d>%s %s %s[%d]: %s", pri, now.UTC().Format("Jan _2 15:04:05"), host, tag, w.pid, message)
}

func (w *world) sshLogin(now time.Time) [][]byte {
	host, user := pick(w, w.org.linux), pick(w, w.org.users)
	if w.rnd.IntN(12) == 0 { // somebody mistypes
		return [][]byte{w.sshFailure(now, host, user, w.inside(), false)}
	}
	return [][]byte{
		w.unix(now, 86, host, "sshd", fmt.Sprintf("Accepted publickey for %s from %s port %d ssh2: ED25519 SHA256:%08x%08xqJk3", user, w.inside(), 30000+w.rnd.IntN(30000), w.rnd.Uint32(), w.rnd.Uint32())),
		w.unix(now, 86, host, "sshd", fmt.Sprintf("pam_unix(sshd:session): session opened for user %s(uid=%d) by (uid=0)", user, 1000+w.rnd.IntN(20))),
	}
}

func (w *world) sshFailure(now time.Time, host, user, from string, unknown bool) []byte {
	invalid := ""
	if unknown {
		invalid = "invalid user "
	}
	return w.unix(now, 86, host, "sshd", fmt.Sprintf("Failed password for %s%s from %s port %d ssh2", invalid, user, from, 30000+w.rnd.IntN(30000)))
}

func (w *world) sshSuccess(now time.Time, host, user, from string) []byte {
	return w.unix(now, 86, host, "sshd", fmt.Sprintf("Accepted password for %s from %s port %d ssh2", user, from, 30000+w.rnd.IntN(30000)))
}

func (w *world) sudo(now time.Time) []byte {
	user := pick(w, w.org.users)
	return fmt.Appendf(nil, "<85>%s %s sudo: %8s : TTY=pts/%d ; PWD=/home/%s ; USER=root ; COMMAND=%s", now.UTC().Format("Jan _2 15:04:05"),
		pick(w, w.org.linux), user, w.rnd.IntN(4), user, pick(w, []string{"/usr/bin/systemctl restart nginx", "/usr/bin/apt-get update", "/usr/bin/journalctl -u sshd"}))
}

func (w *world) cron(now time.Time) []byte {
	return w.unix(now, 78, pick(w, w.org.linux), "CRON", "(root) CMD (/usr/lib/sysstat/debian-sa1 1 1)")
}

// access is an nginx access line in the combined format.
func (w *world) access(now time.Time) []byte {
	status := pick(w, []int{200, 200, 200, 200, 304, 301, 404})
	return fmt.Appendf(nil, `%s - - [%s] "%s %s HTTP/1.1" %d %d "https://%s/" "%s"`, w.outside(), now.UTC().Format("02/Jan/2006:15:04:05 -0700"),
		pick(w, []string{"GET", "GET", "GET", "POST"}), pick(w, []string{"/", "/booking", "/static/app.js", "/api/v1/slots?day=3", "/login", "/favicon.ico"}),
		status, 200+w.rnd.IntN(40000), w.org.web, pick(w, []string{
			"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
			"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
			"curl/8.14.1",
		}))
}

// failedLogon is the one code here of which the shipper says that it failed.
const failedLogon = 4625

// windows is a Windows event as Winlogbeat ships it.
func (w *world) windows(now time.Time, host, provider, channel string, code int, task string, data map[string]any) []byte {
	w.record++
	event := map[string]any{"code": fmt.Sprint(code), "kind": "event", "provider": provider}
	if channel == "Security" {
		event["outcome"] = "success"
		if code == failedLogon {
			event["outcome"] = "failure"
		}
	}
	b, err := json.Marshal(map[string]any{
		"@timestamp": now.UTC().Format("2006-01-02T15:04:05.000Z"),
		"event":      event,
		"host":       map[string]any{"name": host + "." + w.org.Slug + ".example"},
		"log":        map[string]any{"level": "information"},
		"winlog": map[string]any{
			"api": "wineventlog", "channel": channel, "computer_name": host + "." + w.org.Slug + ".example", "event_id": fmt.Sprint(code),
			"provider_name": provider, "record_id": w.record, "task": task, "opcode": "Info", "event_data": data,
		},
	})
	if err != nil {
		panic(err) // maps of strings and numbers always marshal
	}
	return b
}

const (
	sysmon   = "Microsoft-Windows-Sysmon"
	security = "Microsoft-Windows-Security-Auditing"
)

var commands = []struct{ image, line, parent string }{
	{`C:\Windows\System32\svchost.exe`, `C:\Windows\system32\svchost.exe -k netsvcs -p -s Schedule`, `C:\Windows\System32\services.exe`},
	{`C:\Program Files\Google\Chrome\Application\chrome.exe`, `"C:\Program Files\Google\Chrome\Application\chrome.exe" --type=renderer`, `C:\Program Files\Google\Chrome\Application\chrome.exe`},
	{`C:\Windows\System32\conhost.exe`, `\??\C:\Windows\system32\conhost.exe 0xffffffff -ForceV1`, `C:\Windows\System32\cmd.exe`},
	{`C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`, `powershell.exe -NoProfile -File C:\Scripts\inventory.ps1`, `C:\Windows\System32\svchost.exe`},
	{`C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE`, `"C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE"`, `C:\Windows\explorer.exe`},
}

func (w *world) process(now time.Time, host, user, image, line, parent string) []byte {
	return w.windows(now, host, sysmon, sysmon+"/Operational", 1, "Process Create (rule: ProcessCreate)", map[string]any{
		"UtcTime": now.UTC().Format("2006-01-02 15:04:05.000"), "ProcessGuid": fmt.Sprintf("{%08X-4A1F-68F0-%04X-000000001B00}", w.rnd.Uint32(), w.rnd.IntN(1<<16)),
		"ProcessId": fmt.Sprint(1000 + w.rnd.IntN(9000)), "Image": image, "CommandLine": line, "CurrentDirectory": `C:\Windows\system32\`,
		"User": `CORP\` + user, "LogonId": fmt.Sprintf("0x%x", w.rnd.Uint32()), "IntegrityLevel": "Medium",
		"Hashes": fmt.Sprintf("SHA256=%064X", w.rnd.Uint64()), "ParentProcessId": fmt.Sprint(500 + w.rnd.IntN(500)), "ParentImage": parent, "ParentCommandLine": parent,
	})
}

func (w *world) sysmonProcess(now time.Time) []byte {
	c := pick(w, commands)
	return w.process(now, pick(w, w.org.windows), pick(w, w.org.users), c.image, c.line, c.parent)
}

func (w *world) sysmonNetwork(now time.Time) []byte {
	c := pick(w, commands[1:])
	return w.windows(now, pick(w, w.org.windows), sysmon, sysmon+"/Operational", 3, "Network connection detected (rule: NetworkConnect)", map[string]any{
		"UtcTime": now.UTC().Format("2006-01-02 15:04:05.000"), "ProcessId": fmt.Sprint(1000 + w.rnd.IntN(9000)), "Image": c.image, "User": `CORP\` + pick(w, w.org.users),
		"Protocol": "tcp", "Initiated": "true", "SourceIsIpv6": "false", "SourceIp": w.inside(), "SourcePort": fmt.Sprint(49152 + w.rnd.IntN(16000)),
		"DestinationIsIpv6": "false", "DestinationIp": w.outside(), "DestinationPort": "443", "DestinationPortName": "https",
	})
}

func (w *world) logon(now time.Time) []byte {
	user := pick(w, w.org.users)
	return w.windows(now, pick(w, w.org.windows), security, "Security", 4624, "Logon", map[string]any{
		"SubjectUserSid": "S-1-5-18", "SubjectUserName": "-", "SubjectDomainName": "-", "TargetUserName": user, "TargetDomainName": "CORP", "LogonType": "3",
		"LogonProcessName": "Kerberos", "AuthenticationPackageName": "Kerberos", "WorkstationName": "-", "IpAddress": w.inside(), "IpPort": fmt.Sprint(49152 + w.rnd.IntN(16000)), "ProcessName": "-",
	})
}

func (w *world) logonFailure(now time.Time, host, user, from string) []byte {
	return w.windows(now, host, security, "Security", failedLogon, "Logon", map[string]any{
		"SubjectUserSid": "S-1-0-0", "SubjectUserName": "-", "SubjectDomainName": "-", "TargetUserName": user, "TargetDomainName": "CORP", "LogonType": "3",
		"Status": "0xc000006d", "SubStatus": "0xc000006a", "FailureReason": "%%2313", "LogonProcessName": "NtLmSsp", "AuthenticationPackageName": "NTLM",
		"WorkstationName": "-", "IpAddress": from, "IpPort": fmt.Sprint(49152 + w.rnd.IntN(16000)), "ProcessName": "-",
	})
}

func (w *world) logCleared(now time.Time, host, user string) []byte {
	w.record++
	b, err := json.Marshal(map[string]any{
		"@timestamp": now.UTC().Format("2006-01-02T15:04:05.000Z"),
		"event":      map[string]any{"code": "1102", "kind": "event", "provider": "Microsoft-Windows-Eventlog"},
		"host":       map[string]any{"name": host + "." + w.org.Slug + ".example"},
		"winlog": map[string]any{
			"api": "wineventlog", "channel": "Security", "computer_name": host + "." + w.org.Slug + ".example", "event_id": "1102", "provider_name": "Microsoft-Windows-Eventlog",
			"record_id": w.record, "task": "Log clear", "user_data": map[string]any{"SubjectUserName": user, "SubjectDomainName": "CORP", "SubjectUserSid": "S-1-5-21-1004", "SubjectLogonId": "0x3e7"},
		},
	})
	if err != nil {
		panic(err)
	}
	return b
}

// defender is an alert of Microsoft Defender about a file that it found and left where it is.
func (w *world) defender(now time.Time, host, user string) []byte {
	return w.windows(now, host, "Microsoft-Windows-Windows Defender", "Microsoft-Windows-Windows Defender/Operational", 1116, "", map[string]any{
		"Threat Name": "Virus:DOS/EICAR_Test_File", "Severity Name": "Severe", "Category Name": "Virus", "Path": `file:_C:\Users\Public\invoice_8841.zip`,
		"Detection User": "MSC\\" + user, "Process Name": `C:\Windows\explorer.exe`, "Action Name": "Not Applicable", "Source Name": "Real-Time Protection",
	})
}
