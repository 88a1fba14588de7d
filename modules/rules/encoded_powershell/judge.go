package main

import (
	"strings"

	"github.com/vedette-siem/vedette/sdk/go/abi"
)

// trait is something that scripts of attackers do, told by words of which one must occur. The words are written as
// flatten leaves them.
type trait struct {
	reason   string
	severity uint8
	words    []string
}

var traits = [...]trait{
	{"switches off the inspection of scripts (AMSI)", abi.SeverityCritical, []string{"amsiutils", "amsiinitfailed", "amsiscanbuffer", "amsicontext", "amsi.dll"}},
	{"steals credentials", abi.SeverityCritical, []string{"mimikatz", "sekurlsa", "lsadump", "minidumpwritedump", "comsvcs.dll", "invoke-kerberoast", "rubeus"}},
	{"opens a reverse shell", abi.SeverityCritical, []string{"sockets.tcpclient", "powercat", "invoke-powershelltcp"}},
	{"downloads", abi.SeverityHigh, []string{"downloadstring", "downloadfile", "downloaddata", "openread", "invoke-webrequest", "invoke-restmethod", "start-bitstransfer", "net.webclient", "net.httpwebrequest", "net.http.httpclient", "msxml2.xmlhttp", "winhttp.winhttprequest"}},
	{"runs code from memory", abi.SeverityHigh, []string{"reflection.assembly]::load", "assembly]::load", "appdomain]::currentdomain.load", "virtualalloc", "virtualprotect", "createthread", "getdelegateforfunctionpointer", "definedynamicassembly", "dllimport", "queueuserapc"}},
	{"weakens Microsoft Defender", abi.SeverityHigh, []string{"set-mppreference-disable", "add-mppreference-exclusion", "uninstall-windowsfeature-namewindows-defender", "mpcmdrun.exe-removedefinitions"}},
	{"deletes shadow copies or logs", abi.SeverityHigh, []string{"win32_shadowcopy", "vssadmindeleteshadows", "clear-eventlog", "wevtutilcl"}},
	{"stays after a restart", abi.SeverityHigh, []string{"currentversion\\run", "register-scheduledtask", "schtasks/create", "__eventfilter", "new-service"}},
	{"unpacks more code", abi.SeverityHigh, []string{"frombase64string", "gzipstream", "deflatestream"}},
	{"puts its words together from characters", abi.SeverityMedium, []string{"[char[]]", "-bxor", "[char]0x", "[array]::reverse", "-join[char", "::toint16"}},
}

// runs are words that run a text as code; they are too short to be looked for without what is around them.
var runs = [...]string{"iex", "invoke-expression", "icm", "invoke-command"}

// judge tells what a script does. The reason lives until the next call.
func (w *work) judge(script []byte, layers int) (severity uint8, reason []byte) {
	const subject = "the decoded command "
	severity, reason = abi.SeverityLow, append(w.reason[:0], subject...)
	plain := str(flatten(w.plain[:0], script))
	for i := range traits {
		t := &traits[i]
		for _, word := range t.words {
			if strings.Contains(plain, word) {
				severity = max(severity, t.severity)
				reason = say(reason, len(subject), t.reason)
				break
			}
		}
	}
	if runsText(script) {
		reason = say(reason, len(subject), "runs a text as code")
		if severity >= abi.SeverityHigh {
			severity = abi.SeverityCritical
		} else {
			severity = max(severity, abi.SeverityMedium)
		}
	}
	if layers > 1 {
		reason = say(reason, len(subject), "was encoded more than once")
		severity = max(severity, abi.SeverityHigh)
	}
	if len(reason) == len(subject) {
		reason = say(reason, len(subject), "does nothing that is known to be hostile")
	}
	return severity, reason
}

// say appends one more predicate to a sentence that begins with a subject of n bytes, while there is room for it.
func say(b []byte, n int, what string) []byte {
	if len(b)+len(what)+2 > cap(b) {
		return b
	}
	if len(b) > n {
		b = append(b, ", "...)
	}
	return append(b, what...)
}

// flatten writes a script in small letters without blanks, quotes, brackets, carets, back-ticks and plus signs, so that
// "Down`Load" + 'String' reads downloadstring.
func flatten(dst, script []byte) []byte {
	for _, c := range script {
		switch {
		case c <= ' ', c == '\'', c == '"', c == '`', c == '^', c == '+', c == '(', c == ')', c == '&':
			continue
		case c-'A' < 26:
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}

// runsText says whether one of the words of runs stands by itself in a script, back-ticks aside.
func runsText(script []byte) bool {
	for i := range script {
		if i > 0 && (letter(script[i-1]) || script[i-1] == '`' || script[i-1] == '$' || script[i-1] == '-') {
			continue
		}
		for _, word := range runs {
			if n := spelt(script[i:], word); n > 0 && (i+n == len(script) || !letter(script[i+n]) && script[i+n] != '-' && script[i+n] != '=') {
				return true
			}
		}
	}
	return false
}

// spelt returns how many bytes of b spell word, letters of any size and back-ticks between them; 0 when they do not.
func spelt(b []byte, word string) int {
	i := 0
	for j := range len(word) {
		for i < len(b) && b[i] == '`' {
			i++
		}
		if i == len(b) {
			return 0
		}
		c := b[i]
		if c-'A' < 26 {
			c |= 0x20
		}
		if c != word[j] {
			return 0
		}
		i++
	}
	return i
}

func letter(c byte) bool { return (c|0x20)-'a' < 26 || c-'0' < 10 || c == '_' }
