package main

// sentence is how a rendered message begins, or what its first line holds, and the event that says so.
type sentence struct {
	begins, holds string
	code          string
	provider      string
}

const (
	fromSecurity   = "Microsoft-Windows-Security-Auditing"
	fromPowerShell = "PowerShell"
	fromDefender   = "Microsoft-Windows-Windows Defender"
	fromAppLocker  = "Microsoft-Windows-AppLocker"
)

// sentences are in the order in which they are tried.
var sentences = [...]sentence{
	{"An account was successfully logged on", "", "4624", fromSecurity},
	{"An account failed to log on", "", "4625", fromSecurity},
	{"An account was logged off", "", "4634", fromSecurity},
	{"User initiated logoff", "", "4647", fromSecurity},
	{"A logon was attempted using explicit credentials", "", "4648", fromSecurity},
	{"A registry value was modified", "", "4657", fromSecurity},
	{"An attempt was made to access an object", "", "4663", fromSecurity},
	{"Special privileges assigned to new logon", "", "4672", fromSecurity},
	{"A privileged service was called", "", "4673", fromSecurity},
	{"An operation was attempted on a privileged object", "", "4674", fromSecurity},
	{"A new process has been created", "", "4688", fromSecurity},
	{"A process has exited", "", "4689", fromSecurity},
	{"A service was installed in the system", "", "4697", fromSecurity},
	{"A scheduled task was created", "", "4698", fromSecurity},
	{"A scheduled task was deleted", "", "4699", fromSecurity},
	{"A scheduled task was enabled", "", "4700", fromSecurity},
	{"A scheduled task was disabled", "", "4701", fromSecurity},
	{"A scheduled task was updated", "", "4702", fromSecurity},
	{"System audit policy was changed", "", "4719", fromSecurity},
	{"A user account was created", "", "4720", fromSecurity},
	{"A user account was enabled", "", "4722", fromSecurity},
	{"An attempt was made to change an account's password", "", "4723", fromSecurity},
	{"An attempt was made to reset an account's password", "", "4724", fromSecurity},
	{"A user account was disabled", "", "4725", fromSecurity},
	{"A user account was deleted", "", "4726", fromSecurity},
	{"A security-enabled global group was created", "", "4727", fromSecurity},
	{"A member was added to a security-enabled global group", "", "4728", fromSecurity},
	{"A member was removed from a security-enabled global group", "", "4729", fromSecurity},
	{"A security-enabled global group was deleted", "", "4730", fromSecurity},
	{"A security-enabled local group was created", "", "4731", fromSecurity},
	{"A member was added to a security-enabled local group", "", "4732", fromSecurity},
	{"A member was removed from a security-enabled local group", "", "4733", fromSecurity},
	{"A security-enabled local group was deleted", "", "4734", fromSecurity},
	{"A security-enabled local group was changed", "", "4735", fromSecurity},
	{"A security-enabled global group was changed", "", "4737", fromSecurity},
	{"A user account was changed", "", "4738", fromSecurity},
	{"A user account was locked out", "", "4740", fromSecurity},
	{"A computer account was created", "", "4741", fromSecurity},
	{"A computer account was changed", "", "4742", fromSecurity},
	{"A computer account was deleted", "", "4743", fromSecurity},
	{"A member was added to a security-enabled universal group", "", "4756", fromSecurity},
	{"A member was removed from a security-enabled universal group", "", "4757", fromSecurity},
	{"A user account was unlocked", "", "4767", fromSecurity},
	{"A Kerberos authentication ticket (TGT) was requested", "", "4768", fromSecurity},
	{"A Kerberos service ticket was requested", "", "4769", fromSecurity},
	{"Kerberos pre-authentication failed", "", "4771", fromSecurity},
	{"The computer attempted to validate the credentials for an account", "", "4776", fromSecurity},
	{"The domain controller attempted to validate the credentials for an account", "", "4776", fromSecurity},
	{"A session was reconnected to a Window Station", "", "4778", fromSecurity},
	{"A session was disconnected from a Window Station", "", "4779", fromSecurity},
	{"The name of an account was changed", "", "4781", fromSecurity},
	{"A network share object was accessed", "", "5140", fromSecurity},
	{"A network share object was checked to see", "", "5145", fromSecurity},
	{"The audit log was cleared", "", "1102", "Microsoft-Windows-Eventlog"},
	{"Provider \"", "\" is ", "600", fromPowerShell},
	{"Engine state is changed from ", "to Available", "400", fromPowerShell},
	{"Engine state is changed from ", "to Stopped", "403", fromPowerShell},
	{"Pipeline execution details for command line", "", "800", fromPowerShell},
	{"Creating Scriptblock text (", "", "4104", "Microsoft-Windows-PowerShell"},
	{"", " was allowed to run but would have been prevented from running if the AppLocker policy", "8003", fromAppLocker},
	{"%", " was prevented from running.", "8004", fromAppLocker},
	{"%", " was allowed to run.", "8002", fromAppLocker},
	{"Endpoint Protection client health report", "", "1151", fromDefender},
	{"Endpoint Protection client is up and running", "", "1150", fromDefender},
	{"", "Defender Antivirus scan has started", "1000", fromDefender},
	{"", "Defender Antivirus scan has finished", "1001", fromDefender},
	{"", "Defender Antivirus scan has been stopped", "1002", fromDefender},
	{"", "Defender Antivirus has detected malware", "1116", fromDefender},
	{"", "Defender Antivirus has taken action to protect this machine", "1117", fromDefender},
	{"", "Defender Antivirus has encountered a", "1118", fromDefender},
	{"", "Defender Antivirus Real-time Protection scanning for malware and other potentially unwanted software was disabled", "5001", fromDefender},
	{"", "Defender Antivirus Configuration has changed", "5007", fromDefender},
}

// rendered reads the text that the Event Viewer shows, without anything about the event around it: its first line says
// what happened, labels below it name the rest. It is false when the line is not known.
func (p *event) rendered(b []byte) bool {
	t := text{trim(b), nil}
	if p.message.at != nil {
		t.at = p.message.at
	}
	line, rest := nextLine(t)
	line = line.trimmed()
	if len(line.v) == 0 || len(line.v) > 2048 {
		return false
	}
	for i := range sentences {
		s := &sentences[i]
		if !hasPrefix(line.v, s.begins) || !holds(line.v, s.holds) {
			continue
		}
		p.message = t
		p.provider = text{bytesOf(s.provider), line.place()}
		p.code = text{bytesOf(s.code), line.place()}
		switch s.provider {
		case fromAppLocker:
			p.blocked(line, s.holds)
		case fromPowerShell:
		default:
			p.labels(rest)
		}
		return true
	}
	return false
}

// holds says whether s stands in b.
func holds(b []byte, s string) bool {
	for i := 0; i+len(s) <= len(b); i++ {
		if hasPrefix(b[i:], s) {
			return true
		}
	}
	return len(s) == 0
}

// scripts are the extensions that belong to AppLocker's log of installers and scripts, whose numbers are three higher.
var scripts = [...]string{"ps1", "psm1", "psd1", "vbs", "js", "bat", "cmd", "msi", "msp", "mst"}

// blocked reads AppLocker's line, the file's path and what became of it.
func (p *event) blocked(line text, verdict string) {
	n := 0
	for !hasPrefix(line.v[n:], verdict) {
		n++
	}
	path := line.sub(0, n)
	p.add([]byte("FilePath"), path, false)
	dot := lastIndex(path.v, '.')
	for _, s := range scripts {
		if dot >= 0 && fold(path.v[dot+1:], s) {
			p.code.v = bytesOf([...]string{"8005", "8006", "8007"}[p.code.v[3]-'2'])
			return
		}
	}
}

// label names a line of the rendered text and the data that it stands for; a section's own prefix comes before it.
var labels = [...]struct {
	label, name string
	sectioned   bool
}{
	{"Security ID", "Sid", true},
	{"Account Name", "UserName", true},
	{"Account Domain", "DomainName", true},
	{"Logon ID", "LogonId", true},
	{"User ID", "Sid", true},
	{"Logon Account", "TargetUserName", false},
	{"Group Name", "UserName", true},
	{"Group Domain", "DomainName", true},
	{"Logon Type", "LogonType", false},
	{"Failure Reason", "FailureReason", false},
	{"Status", "Status", false},
	{"Sub Status", "SubStatus", false},
	{"Process ID", "ProcessId", false},
	{"Caller Process ID", "ProcessId", false},
	{"Process Name", "ProcessName", false},
	{"Caller Process Name", "ProcessName", false},
	{"New Process ID", "NewProcessId", false},
	{"New Process Name", "NewProcessName", false},
	{"Creator Process ID", "ProcessId", false},
	{"Creator Process Name", "ParentProcessName", false},
	{"Process Command Line", "CommandLine", false},
	{"Workstation Name", "WorkstationName", false},
	{"Source Network Address", "IpAddress", false},
	{"Client Address", "IpAddress", false},
	{"Source Address", "IpAddress", false},
	{"Source Port", "IpPort", false},
	{"Client Port", "IpPort", false},
	{"Source Workstation", "Workstation", false},
	{"Service Name", "ServiceName", false},
	{"Task Name", "TaskName", false},
	{"Object Type", "ObjectType", false},
	{"Object Name", "ObjectName", false},
	{"Share Name", "ShareName", false},
	{"Share Path", "ShareLocalPath", false},
	{"Relative Target Name", "RelativeTargetName", false},
	{"Old Account Name", "OldTargetUserName", false},
	{"New Account Name", "NewTargetUserName", false},
	{"Privileges", "PrivilegeList", false},
	{"Name", "Threat Name", false},
	{"ID", "Threat ID", false},
	{"Path", "Path", false},
	{"User", "Detection User", false},
}

// The names of the data of the person who did it, and of the one whom it was done to.
var (
	subjectNames = map4{"SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId"}
	targetNames  = map4{"TargetUserSid", "TargetUserName", "TargetDomainName", "TargetLogonId"}
	memberNames  = map4{"MemberSid", "MemberName", "", ""}
)

// map4 holds the names for Sid, UserName, DomainName and LogonId.
type map4 [4]string

func (m *map4) name(s string) string {
	for i, n := range [...]string{"Sid", "UserName", "DomainName", "LogonId"} {
		if n == s {
			return m[i]
		}
	}
	return ""
}

// labels reads "Label:  value" lines into the event's data. A label without a value opens a section.
func (p *event) labels(t text) {
	section := &subjectNames
	for len(t.v) > 0 {
		var line text
		line, t = nextLine(t)
		line = line.trimmed()
		colon := index(line.v, ':')
		if colon <= 0 {
			continue
		}
		label, val := line.v[:colon], line.sub(colon+1, len(line.v)).trimmed()
		if len(val.v) == 0 {
			switch str(label) {
			case "Subject":
				section = &subjectNames
			case "Member":
				section = &memberNames
			default:
				section = &targetNames
			}
			continue
		}
		for i := range labels {
			l := &labels[i]
			if !is(label, l.label) {
				continue
			}
			name := l.name
			if l.sectioned {
				name = section.name(l.name)
			}
			if len(p.get(name).v) == 0 {
				p.add(bytesOf(name), val, false)
			}
			break
		}
	}
}
