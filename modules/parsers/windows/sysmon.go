package main

import "github.com/vedette-siem/vedette/sdk/go/ecs"

// sysmonKinds are Sysmon's events; the actions are the names of Sysmon's own event schema.
var sysmonKinds = []kind{
	{1, "Process creation", cProcess, tStart},
	{2, "A process changed a file creation time", cFile, tChange},
	{3, "Network connection", cNetwork, tStart | tConnection | tProtocol},
	{4, "Sysmon service state changed", cProcess, tChange},
	{5, "Process terminated", cProcess, tEnd},
	{6, "Driver loaded", cDriver, tStart},
	{7, "Image loaded", cProcess, tChange},
	{8, "CreateRemoteThread", cProcess, tChange},
	{9, "RawAccessRead", cProcess, tAccess},
	{10, "ProcessAccess", cProcess, tAccess},
	{11, "FileCreate", cFile, tCreation},
	{12, "RegistryEvent (Object create and delete)", cConfiguration | cRegistry, tChange},
	{13, "RegistryEvent (Value Set)", cConfiguration | cRegistry, tChange},
	{14, "RegistryEvent (Key and Value Rename)", cConfiguration | cRegistry, tChange},
	{15, "FileCreateStreamHash", cFile, tAccess},
	{16, "ServiceConfigurationChange", cConfiguration, tChange},
	{17, "PipeEvent (Pipe Created)", cFile, tCreation},
	{18, "PipeEvent (Pipe Connected)", cFile, tAccess},
	{19, "WmiEvent (WmiEventFilter activity detected)", cConfiguration, tChange},
	{20, "WmiEvent (WmiEventConsumer activity detected)", cConfiguration, tChange},
	{21, "WmiEvent (WmiEventConsumerToFilter activity detected)", cConfiguration, tChange},
	{22, "DNSEvent (DNS query)", cNetwork, tConnection | tProtocol | tInfo},
	{23, "FileDelete (File Delete archived)", cFile, tDeletion},
	{24, "ClipboardChange (New content in the clipboard)", 0, tChange},
	{25, "ProcessTampering (Process image change)", cProcess, tChange},
	{26, "FileDeleteDetected (File Delete logged)", cFile, tDeletion},
	{27, "FileBlockExecutable", cFile, tCreation | tDenied},
	{28, "FileBlockShredding", cFile, tDeletion | tDenied},
	{29, "FileExecutableDetected", cFile, tCreation},
	{255, "Error", cProcess, tError},
}

func (p *event) sysmon(code int64) {
	p.classify(find(sysmonKinds, code))
	p.put(ecs.EventOutcome, p.outcome)
	p.put(ecs.RuleName, p.get("RuleName"))
	user := p.get("User")
	if len(user.v) == 0 {
		user = p.get("SourceUser")
	}
	p.person(p.sid, text{}, user)
	p.sysmonProcess(code)
	switch code {
	case 3:
		p.sysmonNetwork()
	case 6, 7:
		p.file(p.get("ImageLoaded"))
		p.signature()
	case 9:
		p.file(p.get("Device"))
	case 2, 11, 15, 23, 26, 27, 28, 29:
		p.file(p.get("TargetFilename"))
	case 12, 13, 14:
		p.registry()
	case 17, 18:
		p.put(ecs.FileName, p.get("PipeName"))
	case 22:
		p.sysmonDNS()
	case 255:
		p.put(ecs.ErrorCode, p.get("ID"))
		p.put(ecs.ErrorMessage, p.get("Description"))
	}
	hashes := p.get("Hashes")
	if len(hashes.v) == 0 {
		hashes = p.get("Hash")
	}
	switch code {
	case 1, 23, 24, 25:
		p.hash(hashes, ofProcess)
	case 6, 7, 15, 26, 29:
		p.hash(hashes, ofFile)
	default:
		p.hash(hashes, nobody)
	}
}

// sysmonProcess emits the process that did it, which some events call the source.
func (p *event) sysmonProcess(code int64) {
	guid, image, pid := p.get("ProcessGuid"), p.get("Image"), p.get("ProcessId")
	if code == 8 || code == 10 {
		image, pid = p.get("SourceImage"), p.get("SourceProcessId")
		if guid = p.get("SourceProcessGuid"); len(guid.v) == 0 {
			guid = p.get("SourceProcessGUID")
		}
		p.integer(ecs.ProcessThreadID, p.get("SourceThreadId"))
	}
	if !is(guid.v, "{00000000-0000-0000-0000-000000000000}") {
		p.put(ecs.ProcessEntityID, guid)
	}
	p.program(image, pid)
	if code == 6 || code == 7 {
		p.pe("file.")
		return
	}
	p.command(ecs.ProcessCommandLine, ecs.ProcessArgs, ecs.ProcessArgsCount, p.get("CommandLine"))
	p.put(ecs.ProcessWorkingDirectory, p.get("CurrentDirectory"))
	if code != 255 {
		p.pe("process.")
	}
	p.put(ecs.ProcessParentEntityID, p.get("ParentProcessGuid"))
	parent := p.get("ParentImage")
	p.put(ecs.ProcessParentExecutable, parent)
	if i := lastIndex(parent.v, '\\'); i >= 0 {
		p.put(ecs.ProcessParentName, parent.sub(i+1, len(parent.v)))
	}
	p.integer(ecs.ProcessParentPID, p.get("ParentProcessId"))
	p.command(ecs.ProcessParentCommandLine, ecs.ProcessParentArgs, ecs.ProcessParentArgsCount, p.get("ParentCommandLine"))
}

// pe emits what the file's version information says.
func (p *event) pe(owner string) {
	for _, f := range [...][2]string{
		{"Company", "pe.company"},
		{"Description", "pe.description"},
		{"FileVersion", "pe.file_version"},
		{"OriginalFileName", "pe.original_file_name"},
		{"Product", "pe.product"},
	} {
		t := p.get(f[0])
		p.e.Key(owner, bytesOf(f[1]), t.v, t.at)
	}
}

func (p *event) signature() {
	p.key("file.code_signature.subject_name", p.get("Signature"))
	status := p.get("SignatureStatus")
	p.key("file.code_signature.status", status)
	p.key("file.code_signature.signed", p.get("Signed"))
	if len(status.v) > 0 {
		valid := "false"
		if is(status.v, "Valid") {
			valid = "true"
		}
		p.e.Key("file.code_signature.valid", nil, bytesOf(valid), status.place())
	}
}

func (p *event) sysmonNetwork() {
	p.ip(ecs.SourceIP, 0, p.get("SourceIp"))
	p.port(ecs.SourcePort, p.get("SourcePort"))
	p.put(ecs.SourceDomain, p.get("SourceHostname"))
	p.ip(ecs.DestinationIP, 0, p.get("DestinationIp"))
	p.port(ecs.DestinationPort, p.get("DestinationPort"))
	p.put(ecs.DestinationDomain, p.get("DestinationHostname"))
	p.put(ecs.NetworkTransport, p.get("Protocol"))
	service := p.get("DestinationPortName")
	if len(service.v) == 0 {
		service = p.get("SourcePortName")
	}
	p.put(ecs.NetworkProtocol, service)
	initiated := p.get("Initiated")
	switch {
	case is(initiated.v, "true"):
		p.e.Text(ecs.NetworkDirection, "egress", initiated.place())
	case is(initiated.v, "false"):
		p.e.Text(ecs.NetworkDirection, "ingress", initiated.place())
	}
	six := p.get("SourceIsIpv6")
	switch {
	case is(six.v, "true"):
		p.e.Text(ecs.NetworkType, "ipv6", six.place())
	case is(six.v, "false"):
		p.e.Text(ecs.NetworkType, "ipv4", six.place())
	}
}

// sysmonDNS reads a query and its answers: "type:  5 name;::ffff:192.0.2.1;".
func (p *event) sysmonDNS() {
	p.put(ecs.DNSQuestionName, p.get("QueryName"))
	p.put(ecs.DNSResponseCode, p.get("QueryStatus"))
	p.e.Text(ecs.NetworkProtocol, "dns", p.code.place())
	t := p.get("QueryResults")
	for from := 0; from < len(t.v); {
		to := from
		for to < len(t.v) && t.v[to] != ';' {
			to++
		}
		one := t.sub(from, to).trimmed()
		if a, ok := address(one); ok {
			p.e.Element(ecs.DNSResolvedIP, a.v, a.at)
			p.ips.add(a)
		}
		from = to + 1
	}
}

// hives are the roots that Sysmon and Windows write, and their short names.
var hives = [...][2]string{
	{`HKLM\`, "HKLM"},
	{`HKU\`, "HKU"},
	{`HKCR\`, "HKCR"},
	{`HKCU\`, "HKCU"},
	{`HKCC\`, "HKCC"},
	{`\REGISTRY\MACHINE\`, "HKLM"},
	{`\REGISTRY\USER\`, "HKU"},
}

func (p *event) registry() {
	path := p.get("TargetObject")
	p.registryPath(path)
	if i := lastIndex(path.v, '\\'); i >= 0 {
		p.put(ecs.RegistryValue, path.sub(i+1, len(path.v)))
	}
	details := p.get("Details")
	switch d := details.v; {
	case hasPrefix(d, "DWORD (0x") && d[len(d)-1] == ')':
		p.e.Text(ecs.RegistryDataType, "SZ_DWORD", details.place())
		p.decimal(ecs.RegistryDataStrings, details, d[len("DWORD ("):len(d)-1])
	case is(d, "Binary Data"):
		p.e.Text(ecs.RegistryDataType, "REG_BINARY", details.place())
	case len(d) > 0 && !hasPrefix(d, "QWORD ("):
		p.e.Text(ecs.RegistryDataType, "REG_SZ", details.place())
		p.e.Element(ecs.RegistryDataStrings, d, details.at)
	}
}

// registryPath emits a path, its hive and its key.
func (p *event) registryPath(path text) {
	p.put(ecs.RegistryPath, path)
	for i := range hives {
		if h := &hives[i]; hasPrefix(path.v, h[0]) {
			p.e.Text(ecs.RegistryHive, h[1], path.place())
			p.put(ecs.RegistryKey, path.sub(len(h[0]), len(path.v)))
		}
	}
}
