package guests

import (
	"encoding/binary"
	"slices"
	"strings"
)

// built are guests whose trick is their size. Each is a whole parser but for what is too much of it.
var built = map[string]func() []byte{
	// A function of 400,000 instructions without a loop.
	"straight_line": func() []byte { return parser{body: repeat(400_000, 0x01)}.bytes() },

	"many_functions": func() []byte { return parser{functions: 1_000_000}.bytes() },
	"long_function":  func() []byte { return parser{body: repeat(5<<20, 0x01)}.bytes() },
	"many_locals":    func() []byte { return parser{locals: 50_000}.bytes() },
	"claimed_locals": func() []byte { return parser{locals: 0xfffffff0}.bytes() },
	"deep_nesting": func() []byte {
		return parser{body: append(repeat(100_000, 0x02, 0x40), repeat(100_000, 0x0b)...)}.bytes()
	},
	// Compiling takes time by the square of a function's branches.
	"many_branches": func() []byte {
		return parser{body: append(append([]byte{0x02, 0x40}, repeat(100_000, 0x41, 0x00, 0x0d, 0x00)...), 0x0b)}.bytes()
	},
	"many_segments":  func() []byte { return parser{segments: 300_000}.bytes() },
	"many_globals":   func() []byte { return parser{globals: 100_000}.bytes() },
	"many_exports":   func() []byte { return parser{exports: 50_000}.bytes() },
	"many_types":     func() []byte { return parser{types: 100_000}.bytes() },
	"long_name":      func() []byte { return parser{name: strings.Repeat("n", 1<<20)}.bytes() },
	"large_module":   func() []byte { return parser{custom: 9 << 20}.bytes() },
	"claimed_count":  func() []byte { return slices.Concat(preamble, section(1, u32(0xfffffff0))) },
	"claimed_length": func() []byte { return slices.Concat(preamble, []byte{1, 0xff, 0xff, 0xff, 0xff, 0x0f}) },
	"double_export":  func() []byte { return parser{name: "vedette_init"}.bytes() },
	"nothing":        func() []byte { return nil },
	"no_module":      func() []byte { return []byte("#!/bin/sh\nexit 0\n") },
}

var preamble = []byte("\x00asm\x01\x00\x00\x00")

func repeat(n int, b ...byte) []byte { return slices.Repeat(b, n) }

// parser is the outline of a module: the five exports of a parser, and more of something than is good. Functions that
// are not named return 0; vedette_parse runs body.
type parser struct {
	types, functions, globals, exports, segments, custom int

	name   string // of one more export
	locals uint32 // of vedette_parse
	body   []byte
}

func u32(v uint32) []byte { return binary.AppendUvarint(nil, uint64(v)) }

func vec(n int, items []byte) []byte { return append(u32(uint32(n)), items...) }

func section(id byte, content []byte) []byte {
	return append(append([]byte{id}, u32(uint32(len(content)))...), content...)
}

func text(s string) []byte { return append(u32(uint32(len(s))), s...) }

func (p parser) bytes() []byte {
	const i32, i64 = 0x7f, 0x7e
	types := []byte{0x60, 0, 0, 0x60, 1, i32, 1, i64, 0x60, 2, i32, i32, 1, i64}
	types = append(types, repeat(p.types, 0x60, 0, 0)...)
	// Functions 0 to 3: the marker, vedette_buffers, vedette_init, vedette_parse; more like the marker.
	functions := append([]byte{0, 2, 1, 1}, repeat(p.functions, 0)...)
	globals := repeat(p.globals, i32, 0, 0x41, 0, 0x0b)
	exports, n := p.exported()
	quiet := []byte{4, 0, 0x42, 0, 0x0b}
	parse := append([]byte{1}, append(u32(p.locals), i32)...)
	if p.locals == 0 {
		parse = []byte{0}
	}
	parse = append(append(parse, p.body...), 0x42, 0, 0x0b)
	// IN and OUT lie behind each other: 8 and 4 MiB.
	buffers := []byte{0, 0x42, 0x80, 0x80, 0x80, 0x82, 0x80, 0x01, 0x0b}
	code := slices.Concat([]byte{2, 0, 0x0b}, text(string(buffers)), quiet, text(string(parse)), repeat(p.functions, 2, 0, 0x0b))
	out := slices.Concat(preamble,
		section(1, vec(3+p.types, types)),
		section(3, vec(4+p.functions, functions)),
		section(5, []byte{1, 0, 0x80, 0x01}),
		section(6, vec(p.globals, globals)),
		section(7, vec(n, exports)),
		section(10, vec(4+p.functions, code)),
		section(11, vec(p.segments, repeat(p.segments, 0, 0x41, 0, 0x0b, 1, 'x'))))
	if p.custom > 0 {
		out = append(out, section(0, append(text("padding"), make([]byte, p.custom)...))...)
	}
	return out
}

// exported returns the entries of the export section.
func (p parser) exported() ([]byte, int) {
	out := append(text("memory"), 2, 0)
	n := 5
	for i, name := range []string{"vedette_abi_1", "vedette_buffers", "vedette_init", "vedette_parse"} {
		out = append(append(out, text(name)...), 0, byte(i))
	}
	if p.name != "" {
		out = append(append(out, text(p.name)...), 0, 0)
		n++
	}
	for i := range p.exports {
		out = append(append(out, text("e"+string(rune('a'+i%26))+strings.Repeat("x", i/26%50)+string(rune(0x4e00+i%20000)))...), 0, 0)
		n++
	}
	return out, n
}
