package main

// xml reads an event's own XML, the text of one <Event>. It is false when it is none.
//
// This is no XML reader: it knows the few forms that Windows writes (elements, attributes in either quotes, the five
// named entities and numbers), which is all that the schema allows.
func (p *event) xml(doc []byte) bool {
	x := tags{b: doc}
	data := false
	for x.next() {
		switch str(x.name) {
		case "Provider":
			p.provider = p.decode(x.attr("Name"))
		case "EventID":
			p.code = p.decode(x.body())
		case "Level":
			p.level = p.decode(x.body())
		case "Keywords":
			p.keywords = p.decode(x.body())
		case "TimeCreated":
			p.when = p.decode(x.attr("SystemTime"))
		case "Channel":
			p.channel = p.decode(x.body())
		case "Computer":
			p.computer = p.decode(x.body())
		case "Security":
			p.sid = p.decode(x.attr("UserID"))
		case "Message":
			p.message = p.decode(x.body())
		case "Data":
			if name := x.attr("Name"); name != nil {
				p.add(name, p.decode(x.body()), false)
			} else {
				p.param(p.decode(x.body()))
			}
		case "EventRecordID":
			p.key("winlog.record_id", p.decode(x.body()))
		case "Version":
			p.key("winlog.version", p.decode(x.body()))
		case "Task":
			if !data {
				p.key("winlog.task", p.decode(x.body()))
			}
		case "Opcode":
			p.key("winlog.opcode", p.decode(x.body()))
		case "Correlation":
			p.key("winlog.activity_id", p.decode(x.attr("ActivityID")))
		case "Execution":
			p.key("winlog.process.pid", p.decode(x.attr("ProcessID")))
			p.key("winlog.process.thread.id", p.decode(x.attr("ThreadID")))
		case "UserData", "RenderingInfo":
			data = str(x.name) == "UserData"
			if !data {
				x.skip("</RenderingInfo>", p)
			}
		default:
			if data {
				if v := x.leaf(); v != nil {
					p.add(x.name, p.decode(v), false)
				}
			}
		}
	}
	return number(p.code.v) >= 0 && len(p.code.v) > 0 && len(p.code.v) <= 5 && len(p.provider.v) > 0
}

// tags goes from start tag to start tag.
type tags struct {
	b     []byte
	pos   int
	name  []byte
	attrs []byte
	empty bool // <x/>
}

func (x *tags) next() bool {
	for x.pos < len(x.b) {
		if x.b[x.pos] != '<' {
			x.pos++
			continue
		}
		start := x.pos + 1
		end := x.close(start)
		if end < 0 {
			return false
		}
		x.pos = end + 1
		if start == end || x.b[start] == '/' || x.b[start] == '?' || x.b[start] == '!' {
			continue
		}
		x.empty = x.b[end-1] == '/'
		if x.empty {
			end--
		}
		n := start
		for n < end && x.b[n] > ' ' {
			n++
		}
		x.name, x.attrs = x.b[start:n], x.b[n:end]
		return true
	}
	return false
}

// close returns where the tag ends whose inside begins at i; a ">" in quotes is none.
func (x *tags) close(i int) int {
	var quote byte
	for ; i < len(x.b); i++ {
		switch c := x.b[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i
		}
	}
	return -1
}

// attr returns an attribute's value, nil when there is none of that name.
func (x *tags) attr(name string) []byte {
	b := x.attrs
	for i := 0; i < len(b); {
		for i < len(b) && (b[i] <= ' ') {
			i++
		}
		start := i
		for i < len(b) && b[i] != '=' && b[i] > ' ' {
			i++
		}
		key := b[start:i]
		for i < len(b) && b[i] != '"' && b[i] != '\'' {
			i++
		}
		if i == len(b) {
			return nil
		}
		quote := b[i]
		i++
		start = i
		for i < len(b) && b[i] != quote {
			i++
		}
		if is(key, name) {
			return b[start:i:i]
		}
		i++
	}
	return nil
}

// body returns the text up to the next tag, nil for an element without any.
func (x *tags) body() []byte {
	if x.empty {
		return nil
	}
	start := x.pos
	for x.pos < len(x.b) && x.b[x.pos] != '<' {
		x.pos++
	}
	return x.b[start:x.pos:x.pos]
}

// leaf returns the text of an element that holds nothing else.
func (x *tags) leaf() []byte {
	v := x.body()
	if len(v) > 0 && x.pos+1 < len(x.b) && x.b[x.pos+1] == '/' && len(trim(v)) > 0 {
		return v
	}
	return nil
}

// skip goes to the end of RenderingInfo, of which only the message is read: it repeats the rest in the reader's language.
func (x *tags) skip(end string, p *event) {
	for x.pos < len(x.b) {
		if rest := x.b[x.pos:]; hasPrefix(rest, end) {
			return
		} else if hasPrefix(rest, "<Message>") {
			x.pos += len("<Message>")
			x.empty = false
			p.message = p.decode(x.body())
			continue
		}
		x.pos++
	}
}

// decode returns a text without its entities.
func (p *event) decode(v []byte) text {
	escaped := false
	for _, c := range v {
		if c == '&' {
			escaped = true
			break
		}
	}
	if !escaped {
		return text{v, nil}
	}
	b, ok := p.scratch.Copy(v)
	if !ok {
		return text{v, nil}
	}
	return text{entities(b), v}
}

// named are the entities that Windows writes.
var named = [...]struct {
	name string
	c    byte
}{
	{"&lt;", '<'},
	{"&gt;", '>'},
	{"&amp;", '&'},
	{"&quot;", '"'},
	{"&apos;", '\''},
	{"&#13;", '\r'},
	{"&#10;", '\n'},
	{"&#9;", '\t'},
	{"&#xD;", '\r'},
	{"&#xA;", '\n'},
	{"&#x9;", '\t'},
}

// entities decodes b in place.
func entities(b []byte) []byte {
	n := 0
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c == '&' {
			for j := range named {
				if hasPrefix(b[i:], named[j].name) {
					c = named[j].c
					i += len(named[j].name) - 1
					break
				}
			}
		}
		b[n] = c
		n++
	}
	return b[:n]
}
