package main

import (
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/ecs"
)

// securityKinds are the events of the Security log, sorted.
var securityKinds = []kind{
	{104, "event-log-cleared", cIAM, tAdmin | tChange},
	{1100, "logging-service-shutdown", cProcess, tEnd},
	{1102, "audit-log-cleared", cIAM, tAdmin | tChange},
	{1104, "logging-full", cIAM, tAdmin},
	{1105, "auditlog-archived", cIAM, tAdmin},
	{1108, "logging-processing-error", cIAM, tAdmin},
	{4608, "windows-starting", cProcess, tStart},
	{4609, "windows-shutting-down", cProcess, tEnd},
	{4610, "authentication-package-loaded", cConfiguration, tAccess},
	{4611, "trusted-logon-process-registered", cConfiguration, tAccess},
	{4614, "notification-package-loaded", cConfiguration, tAccess},
	{4616, "system-time-changed", cConfiguration, tChange},
	{4622, "security-package-loaded", cConfiguration, tAccess},
	{4624, "logged-in", cAuthentication, tStart},
	{4625, "logon-failed", cAuthentication, tStart},
	{4634, "logged-out", cAuthentication, tEnd},
	{4647, "logged-out", cAuthentication, tEnd},
	{4648, "logged-in-explicit", cAuthentication, tStart},
	{4649, "replay-attack-detected", cAuthentication, tInfo},
	{4656, "object-handle-requested", cFile, tAccess},
	{4657, "registry-value-modified", cConfiguration | cRegistry, tChange},
	{4660, "object-deleted", cFile, tDeletion},
	{4663, "object-accessed", cFile, tAccess},
	{4670, "permissions-changed", cIAM | cConfiguration, tAdmin | tChange},
	{4672, "logged-in-special", cIAM, tAdmin},
	{4673, "privileged-service-called", cIAM, tAdmin},
	{4674, "privileged-operation", cIAM, tAdmin},
	{4688, "created-process", cProcess, tStart},
	{4689, "exited-process", cProcess, tEnd},
	{4697, "service-installed", cIAM | cConfiguration, tAdmin | tChange},
	{4698, "scheduled-task-created", cIAM | cConfiguration, tAdmin | tCreation},
	{4699, "scheduled-task-deleted", cIAM | cConfiguration, tAdmin | tDeletion},
	{4700, "scheduled-task-enabled", cIAM | cConfiguration, tAdmin | tChange},
	{4701, "scheduled-task-disabled", cIAM | cConfiguration, tAdmin | tChange},
	{4702, "scheduled-task-updated", cIAM | cConfiguration, tAdmin | tChange},
	{4706, "domain-trust-added", cConfiguration, tCreation},
	{4707, "domain-trust-removed", cConfiguration, tDeletion},
	{4713, "kerberos-policy-changed", cConfiguration, tChange},
	{4714, "encrypted-data-recovery-policy-changed", cConfiguration, tChange},
	{4715, "object-audit-policy-changed", cConfiguration, tChange},
	{4716, "trusted-domain-information-changed", cConfiguration, tChange},
	{4717, "system-security-access-granted", cIAM | cConfiguration, tAdmin | tChange},
	{4718, "system-security-access-removed", cIAM | cConfiguration, tAdmin | tDeletion},
	{4719, "changed-audit-config", cIAM | cConfiguration, tAdmin | tChange},
	{4720, "added-user-account", cIAM, tUser | tCreation},
	{4722, "enabled-user-account", cIAM, tUser | tChange},
	{4723, "changed-password", cIAM, tUser | tChange},
	{4724, "reset-password", cIAM, tUser | tChange},
	{4725, "disabled-user-account", cIAM, tUser | tDeletion},
	{4726, "deleted-user-account", cIAM, tUser | tDeletion},
	{4727, "added-group-account", cIAM, tGroup | tCreation},
	{4728, "added-member-to-group", cIAM, tGroup | tChange},
	{4729, "removed-member-from-group", cIAM, tGroup | tChange},
	{4730, "deleted-group-account", cIAM, tGroup | tDeletion},
	{4731, "added-group-account", cIAM, tGroup | tCreation},
	{4732, "added-member-to-group", cIAM, tGroup | tChange},
	{4733, "removed-member-from-group", cIAM, tGroup | tChange},
	{4734, "deleted-group-account", cIAM, tGroup | tDeletion},
	{4735, "modified-group-account", cIAM, tGroup | tChange},
	{4737, "modified-group-account", cIAM, tGroup | tChange},
	{4738, "modified-user-account", cIAM, tUser | tChange},
	{4739, "domain-policy-changed", cConfiguration, tChange},
	{4740, "locked-out-user-account", cIAM, tUser | tChange},
	{4741, "added-computer-account", cIAM, tAdmin | tCreation},
	{4742, "changed-computer-account", cIAM, tAdmin | tChange},
	{4743, "deleted-computer-account", cIAM, tAdmin | tDeletion},
	{4744, "added-distribution-group-account", cIAM, tGroup | tCreation},
	{4745, "changed-distribution-group-account", cIAM, tGroup | tChange},
	{4746, "added-member-to-distribution-group", cIAM, tGroup | tChange},
	{4747, "removed-member-from-distribution-group", cIAM, tGroup | tChange},
	{4748, "deleted-distribution-group-account", cIAM, tGroup | tDeletion},
	{4749, "added-distribution-group-account", cIAM, tGroup | tCreation},
	{4750, "changed-distribution-group-account", cIAM, tGroup | tChange},
	{4751, "added-member-to-distribution-group", cIAM, tGroup | tChange},
	{4752, "removed-member-from-distribution-group", cIAM, tGroup | tChange},
	{4753, "deleted-distribution-group-account", cIAM, tGroup | tDeletion},
	{4754, "added-group-account", cIAM, tGroup | tCreation},
	{4755, "modified-group-account", cIAM, tGroup | tChange},
	{4756, "added-member-to-group", cIAM, tGroup | tChange},
	{4757, "removed-member-from-group", cIAM, tGroup | tChange},
	{4758, "deleted-group-account", cIAM, tGroup | tDeletion},
	{4759, "added-distribution-group-account", cIAM, tGroup | tCreation},
	{4760, "changed-distribution-group-account", cIAM, tGroup | tChange},
	{4761, "added-member-to-distribution-group", cIAM, tGroup | tChange},
	{4762, "removed-member-from-distribution-group", cIAM, tGroup | tChange},
	{4763, "deleted-distribution-group-account", cIAM, tGroup | tDeletion},
	{4764, "type-changed-group-account", cIAM, tGroup | tChange},
	{4767, "unlocked-user-account", cIAM, tUser | tChange},
	{4768, "kerberos-authentication-ticket-requested", cAuthentication, tStart},
	{4769, "kerberos-service-ticket-requested", cAuthentication, tStart},
	{4770, "kerberos-service-ticket-renewed", cAuthentication, tStart},
	{4771, "kerberos-preauth-failed", cAuthentication, tStart},
	{4772, "kerberos-authentication-ticket-request-failed", cAuthentication, tStart},
	{4773, "kerberos-service-ticket-request-failed", cAuthentication, tStart},
	{4776, "credential-validated", cAuthentication, tStart},
	{4777, "credential-validation-failed", cAuthentication, tStart},
	{4778, "session-reconnected", cAuthentication | cSession, tStart},
	{4779, "session-disconnected", cAuthentication | cSession, tEnd},
	{4781, "renamed-user-account", cIAM, tUser | tChange},
	{4794, "directory-restore-password-set", cIAM, tUser | tChange},
	{4797, "query-existence-of-blank-password", cIAM, tUser | tInfo},
	{4798, "group-membership-enumerated", cIAM, tUser | tInfo},
	{4799, "user-member-enumerated", cIAM, tGroup | tInfo},
	{4800, "workstation-locked", cAuthentication | cSession, tEnd},
	{4801, "workstation-unlocked", cAuthentication | cSession, tStart},
	{4817, "object-audit-changed", cIAM | cConfiguration, tAdmin | tChange},
	{4902, "user-audit-policy-created", cIAM | cConfiguration, tAdmin | tCreation},
	{4904, "security-event-source-added", cIAM | cConfiguration, tAdmin | tChange},
	{4905, "security-event-source-removed", cIAM | cConfiguration, tAdmin | tDeletion},
	{4906, "crash-on-audit-changed", cIAM | cConfiguration, tAdmin | tChange},
	{4907, "audit-setting-changed", cIAM | cConfiguration, tAdmin | tChange},
	{4908, "special-group-table-changed", cIAM | cConfiguration, tAdmin | tChange},
	{4912, "per-user-audit-policy-changed", cIAM | cConfiguration, tAdmin | tChange},
	{4946, "windows-firewall-rule-added", cConfiguration, tCreation},
	{4947, "windows-firewall-rule-changed", cConfiguration, tChange},
	{4948, "windows-firewall-rule-deleted", cConfiguration, tDeletion},
	{4950, "windows-firewall-setting-changed", cConfiguration, tChange},
	{4954, "windows-firewall-group-policy-changed", cConfiguration, tChange},
	{4964, "logged-in-special", cIAM, tAdmin | tGroup},
	{5024, "windows-firewall-service-started", cProcess, tStart},
	{5025, "windows-firewall-service-stopped", cProcess, tEnd},
	{5031, "windows-firewall-blocked-application", cNetwork, tInfo | tDenied},
	{5033, "windows-firewall-driver-started", cDriver, tStart},
	{5034, "windows-firewall-driver-stopped", cDriver, tEnd},
	{5037, "windows-firewall-driver-error", cDriver, tEnd},
	{5136, "directory-service-object-modified", cConfiguration, tChange},
	{5137, "directory-service-object-created", cConfiguration, tCreation},
	{5138, "directory-service-object-undeleted", cConfiguration, tCreation},
	{5139, "directory-service-object-moved", cConfiguration, tChange},
	{5140, "network-share-object-accessed", cNetwork | cFile, tInfo | tAccess},
	{5141, "directory-service-object-deleted", cConfiguration, tDeletion},
	{5142, "network-share-object-added", cNetwork | cFile, tInfo | tCreation},
	{5143, "network-share-object-modified", cNetwork | cFile, tInfo | tChange},
	{5144, "network-share-object-deleted", cNetwork | cFile, tInfo | tDeletion},
	{5145, "network-share-object-access-checked", cNetwork | cFile, tInfo | tAccess},
	{5152, "windows-firewall-packet-drop", cNetwork, tConnection | tInfo | tDenied},
	{5153, "windows-firewall-packet-veto-drop", cNetwork, tConnection | tInfo | tDenied},
	{5154, "windows-firewall-app-listen", cNetwork, tInfo},
	{5155, "windows-firewall-app-listen-denied", cNetwork, tInfo | tDenied},
	{5156, "windows-firewall-connection", cNetwork, tConnection | tInfo | tAllowed},
	{5157, "windows-firewall-packet-block", cNetwork, tConnection | tInfo | tDenied},
	{5158, "windows-firewall-bind-local-port", cNetwork, tInfo},
	{5159, "windows-firewall-bind-local-port-denied", cNetwork, tInfo | tDenied},
	{5379, "credential-manager-credentials-were-read", cIAM, tUser | tInfo},
	{5380, "vault-credential-find", cIAM, tUser | tInfo},
	{5381, "vault-credentials-were-read", cIAM, tUser | tInfo},
	{5382, "vault-credentials-were-read", cIAM, tUser | tInfo},
}

func (p *event) security(code int64) {
	p.classify(find(securityKinds, code))
	p.outcomeOf()
	p.securityUser(code)
	p.securityProcess(code)
	p.securityNetwork(code)
	p.securityObject(code)
	p.put(ecs.ServiceName, p.get("ServiceName"))
}

// securityUser emits who did it, and to whom. Windows calls the first Subject, except where somebody logs in: then the
// one who does is the Target.
func (p *event) securityUser(code int64) {
	subject := [3]text{p.get("SubjectUserSid"), p.get("SubjectDomainName"), p.get("SubjectUserName")}
	target := [3]text{p.get("TargetUserSid"), p.get("TargetDomainName"), p.get("TargetUserName")}
	if len(target[0].v) == 0 {
		target[0] = p.get("TargetSid")
	}
	switch {
	case code == 4624 || code == 4625 || code == 4634 || code == 4647 || code == 4649 || code >= 4768 && code <= 4777 || code == 4964 || code == 4800 || code == 4801:
		p.person(target[0], target[1], target[2])
		p.users.add(subject[2])
	case code == 4778 || code == 4779:
		p.person(text{}, p.get("AccountDomain"), p.get("AccountName"))
	case code == 4648 || code == 4688:
		p.person(subject[0], subject[1], subject[2])
		p.put(ecs.UserEffectiveID, target[0])
		p.put(ecs.UserEffectiveDomain, target[1])
		p.put(ecs.UserEffectiveName, target[2])
		p.users.add(target[2])
	case grouped(code):
		p.person(subject[0], subject[1], subject[2])
		p.group(target[0], target[1], target[2])
	case code == 4781:
		p.person(subject[0], subject[1], subject[2])
		p.key("user.target.name", p.get("OldTargetUserName"))
		p.put(ecs.UserChangesName, p.get("NewTargetUserName"))
		p.users.add(p.get("OldTargetUserName"))
		p.users.add(p.get("NewTargetUserName"))
	default:
		if len(subject[2].v) == 0 && len(p.userName.v) > 0 {
			subject = [3]text{p.sid, p.userDomain, p.userName}
		}
		p.person(subject[0], subject[1], subject[2])
		if code < 4741 || code > 4743 {
			p.target(target[0], target[1], target[2])
		}
	}
}

func grouped(code int64) bool {
	return code >= 4727 && code <= 4735 || code == 4737 || code >= 4744 && code <= 4764 || code == 4799
}

// group emits the group that was changed, and the member named as "CN=Eva,OU=…,DC=example,DC=net".
func (p *event) group(id, domain, name text) {
	p.put(ecs.GroupID, id)
	p.put(ecs.GroupDomain, domain)
	p.put(ecs.GroupName, name)
	member := p.get("MemberName")
	if len(member.v) == 0 {
		return
	}
	p.key("user.target.group.id", id)
	p.key("user.target.group.domain", domain)
	p.key("user.target.group.name", name)
	var cn, dc text
	for from := 0; from < len(member.v); {
		to := from
		for to < len(member.v) && (member.v[to] != ',' || to > 0 && member.v[to-1] == '\\') {
			to++
		}
		part := member.sub(from, to)
		switch {
		case len(part.v) > 3 && fold(part.v[:3], "cn=") && len(cn.v) == 0:
			cn = part.sub(3, len(part.v))
		case len(part.v) > 3 && fold(part.v[:3], "dc="):
			dc = part.sub(3, len(part.v))
		}
		from = to + 1
	}
	p.target(p.get("MemberSid"), dc, cn)
}

func (p *event) securityProcess(code int64) {
	switch {
	case code == 4688:
		p.program(p.get("NewProcessName"), p.get("NewProcessId"))
		p.command(ecs.ProcessCommandLine, ecs.ProcessArgs, ecs.ProcessArgsCount, p.get("CommandLine"))
		parent := p.get("ParentProcessName")
		p.put(ecs.ProcessParentExecutable, parent)
		if i := lastIndex(parent.v, '\\'); i >= 0 {
			p.put(ecs.ProcessParentName, parent.sub(i+1, len(parent.v)))
		}
		p.integer(ecs.ProcessParentPID, p.get("ProcessId"))
	case code >= 5031 && code <= 5159 && len(p.get("Application").v) > 0:
		p.program(p.get("Application"), text{})
		if app := p.get("Application"); index(app.v, '\\') < 0 {
			p.put(ecs.ProcessName, app)
		}
	default:
		pid := p.get("ProcessId")
		if number(pid.v) > 0 {
			p.program(p.get("ProcessName"), pid)
		} else {
			p.program(p.get("ProcessName"), text{})
		}
	}
}

func (p *event) securityNetwork(code int64) {
	if code >= 5150 && code <= 5159 {
		p.filtered()
		return
	}
	p.ip(ecs.SourceIP, 0, p.get("IpAddress"))
	p.port(ecs.SourcePort, p.get("IpPort"))
	p.put(ecs.SourceDomain, p.get("WorkstationName"))
	if code == 4778 || code == 4779 {
		p.put(ecs.SourceDomain, p.get("ClientName"))
		p.ip(ecs.SourceIP, 0, p.get("ClientAddress"))
	}
}

// transports are the numbers of IANA that have a name in network.transport.
var transports = [...]struct {
	number int64
	name   string
}{{1, "icmp"}, {2, "igmp"}, {6, "tcp"}, {17, "udp"}, {41, "ipv6"}, {47, "gre"}, {50, "esp"}, {58, "ipv6-icmp"}}

// filtered emits the connection that the Windows Filtering Platform has decided about.
func (p *event) filtered() {
	p.ip(ecs.SourceIP, 0, p.get("SourceAddress"))
	p.port(ecs.SourcePort, p.get("SourcePort"))
	p.ip(ecs.DestinationIP, 0, p.get("DestAddress"))
	p.port(ecs.DestinationPort, p.get("DestPort"))
	proto := p.get("Protocol")
	p.put(ecs.NetworkIanaNumber, proto)
	for _, t := range transports {
		if number(proto.v) == t.number {
			p.e.Text(ecs.NetworkTransport, t.name, proto.place())
		}
	}
	switch d := p.get("Direction"); {
	case is(d.v, "%%14592"):
		p.e.Text(ecs.NetworkDirection, "inbound", d.place())
	case is(d.v, "%%14593"):
		p.e.Text(ecs.NetworkDirection, "outbound", d.place())
	}
}

// securityObject emits the file, share or registry value that the event is about.
func (p *event) securityObject(code int64) {
	name := p.get("ObjectName")
	switch {
	case code == 5140 || code >= 5142 && code <= 5145:
		p.put(ecs.FileDirectory, p.get("ShareLocalPath"))
		p.put(ecs.FileName, p.get("RelativeTargetName"))
	case code == 4657:
		p.registryPath(name)
		p.put(ecs.RegistryValue, p.get("ObjectValueName"))
	case code >= 4656 && code <= 4663 && is(p.get("ObjectType").v, "File"):
		p.file(name)
	case code >= 4656 && code <= 4663 && is(p.get("ObjectType").v, "Key"):
		p.registryPath(name)
	}
}

// decimal emits a number behind 0x as a decimal one in a list of texts.
func (p *event) decimal(name abi.Name, t text, hex []byte) {
	v := number(hex)
	if v < 0 {
		return
	}
	var b [20]byte
	i := len(b)
	for ok := true; ok; ok = v > 0 {
		i--
		b[i] = byte('0' + v%10)
		v /= 10
	}
	if c, ok := p.scratch.Copy(b[i:]); ok {
		p.e.Element(name, c, t.place())
	}
}
