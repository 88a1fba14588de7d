package meter

import (
	"strconv"
	"unicode/utf8"
)

// rewriteNames returns the content of the output's name section: the module's and the functions' names, with indexes moved, so that the
// engine's traces keep them. A malformed section is dropped: it describes, it does not run.
func (m *module) rewriteNames() []byte {
	var out []byte
	for r := (reader{b: m.names}); r.left() > 0; {
		id := r.byte()
		s := reader{b: r.take(r.u32())}
		if r.err != nil {
			return nil
		}
		switch id {
		case 0:
			name := s.take(s.u32())
			if s.end("names"); s.err != nil || !utf8.Valid(name) {
				return nil
			}
			out = appendSection(out, 0, appendBytes(nil, name))
		case 1:
			functions, ok := m.functionNames(&s)
			if !ok {
				return nil
			}
			out = appendSection(out, 1, functions)
		}
	}
	return out
}

func (m *module) functionNames(r *reader) ([]byte, bool) {
	var v vec
	next := 0
	for range r.count(m.functions(), CodeModule, "names") {
		i := r.index(m.functions(), "function")
		name := r.take(r.u32())
		if r.err != nil || int(i) < next || !utf8.Valid(name) {
			return nil, false
		}
		next = int(i) + 1
		v.n++
		v.b = appendBytes(appendU32(v.b, m.shift(i, 0)), name)
	}
	r.end("names")
	return append(appendU32(nil, v.n), v.b...), r.err == nil
}

// functionName names a defined function in an error: by its index in the guest's file, as other tools count.
func (m *module) functionName(defined int) string { return strconv.Itoa(len(m.imports) + defined) }
