package main

import "github.com/vedette-siem/vedette/sdk/go/ecs"

// defenderKinds are the events of Microsoft Defender that say more than that it runs.
var defenderKinds = []kind{
	{1006, "malware-detected", cMalware, tInfo},
	{1007, "malware-action-taken", cMalware, tInfo},
	{1008, "malware-action-failed", cMalware, tInfo | tError},
	{1009, "quarantine-restored", cMalware, tChange},
	{1013, "malware-history-deleted", cMalware, tDeletion},
	{1015, "suspicious-behavior-detected", cMalware, tInfo},
	{1116, "malware-detected", cMalware, tInfo},
	{1117, "malware-action-taken", cMalware, tInfo},
	{1118, "malware-action-failed", cMalware, tInfo | tError},
	{1119, "malware-action-failed", cMalware, tInfo | tError},
	{1121, "attack-surface-rule-blocked", cProcess, tDenied},
	{1122, "attack-surface-rule-audited", cProcess, tInfo},
	{5001, "real-time-protection-disabled", cConfiguration, tChange},
	{5004, "real-time-protection-changed", cConfiguration, tChange},
	{5007, "configuration-changed", cConfiguration, tChange},
	{5010, "antispyware-disabled", cConfiguration, tChange},
	{5012, "antivirus-disabled", cConfiguration, tChange},
	{5013, "tamper-protection-blocked", cConfiguration, tDenied},
}

// running is any other event of a program about itself.
var running = kind{0, "", cProcess, tStart}

func (p *event) defender(code int64) {
	k := find(defenderKinds, code)
	if k == nil {
		k = &running
	}
	p.classify(k)
	p.put(ecs.EventOutcome, p.outcome)
	user := p.get("Detection User")
	if len(user.v) > 0 {
		p.person(text{}, text{}, user)
	} else {
		p.person(p.sid, p.userDomain, p.userName)
	}
	if name := p.get("Process Name"); index(name.v, '\\') > 0 {
		p.program(name, text{})
	}
	p.put(ecs.RuleName, p.get("Threat Name"))
	p.put(ecs.RuleID, p.get("Threat ID"))
	// "file:_C:\x.exe; process:_pid:12" names what was found.
	path := p.get("Path")
	for from := 0; from < len(path.v); {
		to := from
		for to < len(path.v) && path.v[to] != ';' {
			to++
		}
		if one := path.sub(from, to).trimmed(); hasPrefix(one.v, "file:_") {
			p.file(one.sub(len("file:_"), len(one.v)))
			return
		}
		from = to + 1
	}
}

func (p *event) applocker(code int64) {
	k := running
	if code == 8004 || code == 8007 || code == 8022 || code == 8025 {
		k.types |= tDenied
	}
	p.classify(&k)
	p.put(ecs.EventOutcome, p.outcome)
	id := p.get("TargetUser")
	if len(p.sid.v) > 0 {
		id = p.sid
	}
	p.person(id, p.userDomain, p.userName)
	p.integer(ecs.ProcessPID, p.get("TargetProcessId"))
	path := p.get("FullFilePath")
	if len(path.v) == 0 {
		path = p.get("FilePath")
	}
	p.file(path)
	if hash := p.get("FileHash"); len(hash.v) == 64 {
		p.put(ecs.FileHashSHA256, hash)
		p.hashes.add(hash)
	}
	p.put(ecs.RuleName, p.get("RuleName"))
	p.put(ecs.RuleID, p.get("RuleId"))
}

// Events of other providers that security people look for.
var (
	serviceKinds = []kind{
		{7034, "service-crashed", cProcess, tEnd | tError},
		{7036, "service-state-changed", cProcess, tChange},
		{7040, "service-start-type-changed", cConfiguration, tChange},
		{7045, "service-installed", cConfiguration, tCreation},
	}
	taskKinds = []kind{
		{106, "scheduled-task-created", cConfiguration, tCreation},
		{140, "scheduled-task-updated", cConfiguration, tChange},
		{141, "scheduled-task-deleted", cConfiguration, tDeletion},
		{200, "scheduled-task-started", cProcess, tStart},
		{201, "scheduled-task-completed", cProcess, tEnd},
	}
	sessionKinds = []kind{
		{21, "logged-in", cAuthentication | cSession, tStart},
		{23, "logged-out", cAuthentication | cSession, tEnd},
		{24, "session-disconnected", cAuthentication | cSession, tEnd},
		{25, "session-reconnected", cAuthentication | cSession, tStart},
		{1149, "remote-desktop-authenticated", cAuthentication, tStart},
	}
)

// other emits what events of any provider have in common.
func (p *event) other(code int64) {
	user := p.userName
	switch str(p.provider.v) {
	case "Service Control Manager":
		p.classify(find(serviceKinds, code))
		p.put(ecs.ServiceName, p.get("ServiceName"))
		if code == 7045 {
			p.command(ecs.ProcessCommandLine, ecs.ProcessArgs, ecs.ProcessArgsCount, p.get("ImagePath"))
		}
	case "Microsoft-Windows-TaskScheduler":
		p.classify(find(taskKinds, code))
	case "Microsoft-Windows-TerminalServices-LocalSessionManager", "Microsoft-Windows-TerminalServices-RemoteConnectionManager":
		p.classify(find(sessionKinds, code))
		if code == 1149 {
			user = p.get("Param1")
			p.userDomain = p.get("Param2")
			p.ip(ecs.SourceIP, ecs.SourceDomain, p.get("Param3"))
		} else {
			user = p.get("User")
			p.ip(ecs.SourceIP, ecs.SourceDomain, p.get("Address"))
		}
	default:
		p.classify(nil)
	}
	p.outcomeOf()
	p.person(p.sid, p.userDomain, user)
}
