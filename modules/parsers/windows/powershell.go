package main

import "github.com/vedette-siem/vedette/sdk/go/ecs"

// powershellKinds are the events of both PowerShell logs; they have no actions but the shipper's.
var powershellKinds = []kind{
	{400, "", cProcess, tStart},
	{403, "", cProcess, tEnd},
	{500, "", cProcess, tStart},
	{501, "", cProcess, tEnd},
	{600, "", cProcess, tInfo},
	{800, "", cProcess, tInfo},
	{4100, "", cProcess, tError},
	{4101, "", cProcess, tInfo},
	{4102, "", cProcess, tInfo},
	{4103, "", cProcess, tInfo},
	{4104, "", cProcess, tInfo},
	{4105, "", cProcess, tStart},
	{4106, "", cProcess, tEnd},
}

func (p *event) powershell(code int64) {
	p.classify(find(powershellKinds, code))
	p.put(ecs.EventOutcome, p.outcome)
	var context text
	switch code {
	case 400, 403, 600:
		context = p.get("param3")
	case 800:
		context = p.get("param2")
	default:
		context = p.get("ContextInfo")
	}
	if len(context.v) == 0 {
		context = p.message
	}
	user, script := p.get("UserId"), p.get("ScriptName")
	for rest := context; len(rest.v) > 0; {
		var line text
		line, rest = nextLine(rest)
		if eq := index(line.v, '='); eq > 0 {
			val := text{line.v[eq+1:], line.place()}
			if is(trim(line.v[:eq]), "HostApplication") || is(trim(line.v[:eq]), "Host Application") {
				val, rest = p.application(val, rest)
			}
			p.powershellFact(trim(line.v[:eq]), val.trimmed(), &user, &script)
		}
	}
	p.person(p.sid, text{}, user)
	if code == 4104 {
		script = p.get("Path")
		p.key("powershell.file.script_block_text", p.get("ScriptBlockText"))
		p.key("powershell.sequence", p.get("MessageNumber"))
		p.key("powershell.total", p.get("MessageTotal"))
	}
	p.file(script)
	p.key("powershell.file.script_block_id", p.get("ScriptBlockId"))
	if code >= 4105 {
		p.key("powershell.runspace_id", p.get("RunspaceId"))
	}
}

func nextLine(t text) (line, rest text) {
	n := index(t.v, '\n')
	if n < 0 {
		return t, text{}
	}
	return t.sub(0, n), t.sub(n+1, len(t.v))
}

// application returns a command line that goes over line ends: it ends before the next of PowerShell's own lines.
func (p *event) application(val, rest text) (text, text) {
	end := 0
	for at := 0; at < len(rest.v); {
		stop := at
		for stop < len(rest.v) && rest.v[stop] != '\n' {
			stop++
		}
		line := trim(rest.v[at:stop])
		if hasPrefix(line, "EngineVersion=") || hasPrefix(line, "Engine Version =") {
			break
		}
		end = min(stop+1, len(rest.v))
		at = stop + 1
	}
	if end == 0 {
		return val, rest
	}
	// Both parts lie in one text, one line end apart.
	whole := val.v[: len(val.v)+1+end : len(val.v)+1+end]
	return text{whole, val.place()}, rest.sub(end, len(rest.v))
}

// powershellFact takes one line of the context: "HostName=ConsoleHost", or "Host Name = ConsoleHost".
func (p *event) powershellFact(name []byte, val text, user, script *text) {
	if len(val.v) == 0 {
		return
	}
	switch str(name) {
	case "SequenceNumber", "Sequence Number":
		p.integer(ecs.EventSequence, val)
	case "HostName", "Host Name":
		p.put(ecs.ProcessTitle, val)
	case "HostId", "Host ID":
		p.put(ecs.ProcessEntityID, val)
	case "HostApplication", "Host Application":
		p.command(ecs.ProcessCommandLine, ecs.ProcessArgs, ecs.ProcessArgsCount, val)
	case "UserId", "User":
		*user = val
	case "Connected User":
		p.put(ecs.UserEffectiveName, val)
		p.users.add(val)
	case "ScriptName", "Script Name":
		*script = val
	case "HostVersion", "Host Version":
		p.key("powershell.process.executable_version", val)
	case "EngineVersion", "Engine Version":
		p.key("powershell.engine.version", val)
	case "RunspaceId", "Runspace ID":
		p.key("powershell.runspace_id", val)
	case "PipelineId", "Pipeline ID":
		p.key("powershell.pipeline_id", val)
	case "NewEngineState":
		p.key("powershell.engine.new_state", val)
	case "PreviousEngineState":
		p.key("powershell.engine.previous_state", val)
	case "ProviderName":
		p.key("powershell.provider.name", val)
	case "NewProviderState":
		p.key("powershell.provider.new_state", val)
	case "Command Name", "CommandName":
		p.key("powershell.command.name", val)
	case "Command Type", "CommandType":
		p.key("powershell.command.type", val)
	case "Command Path", "CommandPath":
		p.key("powershell.command.path", val)
	case "CommandLine":
		p.key("powershell.command.value", val)
	case "DetailSequence":
		p.key("powershell.sequence", val)
	case "DetailTotal":
		p.key("powershell.total", val)
	}
}
