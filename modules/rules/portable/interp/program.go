// Package interp runs compiled rules: a program of tests that many rules share, each decided at most once for an event, an index
// that finds the tests that may hold in one pass over each field, and for each rule code that asks the tests in turn. It
// answers as host/detect does.
//
// A program is an array of words (u32, little-endian) and the bytes that they name, used as they lie: nothing is unpacked when
// a module starts. In words:
//
//	head:    Magic, length of all in bytes, 1 + the index of no field in particular (0: none), and for each section its place
//	         and the number of its entries
//	fields:  place and length of the name, 1 + its index (0: it is not scanned), 0
//	names:   a hash table of a power of two of entries, each 1 + a field; whose hash is taken goes on to the next
//	tests:   op and flags, 1 + field (0: any), place and number of arguments, place and number of subs that the test guards
//	code:    a test, and where to go on when it holds and when not: 0 no match, 1 a match, or 2 + an entry of the code before
//	rules:   where to begin (as above), severity, place and length of the key, of the title
//	always:  a bitset of rules that are looked at for every event
//	indexes: shift, place of the filter, place of the heads, 0
//	texts:   the bytes, in words
//
// An index knows texts by four bytes of each, a gram, whose hash is gram * GramFactor >> shift. The filter has a bit for each
// hash; heads, one for each 16 hashes and one more, are places of needles, 4 words each: a gram, place of the text, its length and,
// times 65,536, where in it the gram is, and place of its marks (their number first): a test, times two, plus one when the text
// decides that it holds.
// Texts are looked for in folded values with their ends: TextBegin before them, TextEnd behind them.
package interp

import (
	"encoding/binary"
	"errors"
)

// Magic begins a program.
const Magic = "VPR2"

// The sections of a program.
const (
	SectionFields = iota
	SectionNames
	SectionTests
	SectionCode
	SectionRules
	SectionAlways
	SectionIndexes
	SectionTexts
	sections
)

// HeadWords is the length of the head, in words; the place of section n stands at word HeadSections + 2n.
const (
	HeadSections = 3
	HeadWords    = HeadSections + 2*sections
)

// Words of an entry of a section.
const (
	FieldWords  = 4
	TestWords   = 6
	CodeWords   = 3
	RuleWords   = 6
	IndexWords  = 4
	NeedleWords = 4
)

// Where code goes on at its end.
const (
	NoMatch = iota
	Match
	firstCode
)

// Ops of tests, the lowest byte of a test's first word.
const (
	OpMatch  = iota // arguments: a place, or Glob; place and length of the text, or place and number of tokens
	OpRegexp        // place of an expression
	OpCIDR          // four words of an IPv6 address, the first byte lowest; the length of the prefix
	OpNumber        // two words of a float64, the lower first
	OpExists        // none
	OpField         // fields
	ops
)

// argWords are the words of an argument, by op.
var argWords = [ops]uint32{OpMatch: 3, OpRegexp: 1, OpCIDR: 5, OpNumber: 2, OpExists: 0, OpField: 1}

// Flags of tests, beside the op.
const (
	FlagEvery   = 1 << (8 + iota) // each argument must be met, not one
	FlagCased                     // case matters
	FlagAbsent                    // OpExists: the event lacks the field
	FlagScanned                   // it does not hold unless the index has marked it
	PlaceShift  = 16              // OpField: the place of the other field's text
	CmpShift    = 20              // OpNumber: a comparison
	PartShift   = 24              // OpNumber: a part of a time
)

// Places of a text in a value; a pattern of several texts is a Glob of tokens, each a kind, place and length of its text.
const (
	Whole = iota
	Prefix
	Suffix
	Inside
	places
	Glob = places
)

// Comparisons of numbers.
const (
	Equal = iota
	Above
	AtLeast
	Below
	AtMost
	comparisons
)

// Parts of a time, compared in its place.
const (
	NoPart = iota
	Minute
	Hour
	Day
	Week
	Month
	Year
	parts
)

// Kinds of tokens of a pattern.
const (
	TokenText = iota
	TokenRun
	TokenOne
	tokens
)

// What surrounds a folded value. No UTF-8 has these bytes.
const (
	TextBegin = "\xfe\xfe"
	TextEnd   = "\xff"
)

// Grams.
const (
	GramBytes  = 4
	GramFactor = 0x9e3779b1
	HeadShift  = 4 // of a hash, to the number of its head
)

// NameHash is the place of a field's name in the table of names, before it is cut to its size.
func NameHash(name []byte) uint32 {
	h := uint32(len(name))
	if h >= 4 {
		h ^= load32(name, 0)*GramFactor ^ load32(name, len(name)-4)*0x85ebca6b
	} else {
		for _, c := range name {
			h = h*31 + uint32(c)
		}
	}
	return h ^ h>>15
}

// Rule is what is said when a rule matches.
type Rule struct {
	Severity   uint8
	Key, Title []byte
}

// Program is compiled rules with the working memory to match with them. It serves one call at a time.
type Program struct {
	words   []uint32
	heap    []byte
	fields  []uint32
	names   []uint32
	tests   []uint32
	code    []uint32
	rules   []uint32
	always  []uint32
	indexes []uint32
	any     uint32 // 1 + the index of no field in particular
	timed   bool   // the time of events is asked for as a field
	memory
}

var errBroken = errors.New("the program of the rules is broken")

// Words returns how many words a program has whose first 8 bytes these are.
func Words(head []byte) (int, error) {
	if len(head) < 8 || string(head[:4]) != Magic {
		return 0, errBroken
	}
	n := binary.LittleEndian.Uint32(head[4:])
	if n%4 != 0 || n < HeadWords*4 {
		return 0, errBroken
	}
	return int(n / 4), nil
}

// Read reads a program from its bytes.
func Read(b []byte) (*Program, error) {
	n, err := Words(b)
	if err != nil || n*4 != len(b) {
		return nil, errBroken
	}
	words := make([]uint32, n)
	for i := range words {
		words[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	return Open(words, b)
}

// Open makes a program of its words, and of the same as bytes.
func Open(words []uint32, bytes []byte) (*Program, error) {
	p := &Program{words: words, any: words[2]}
	broken := false
	section := func(n int, width uint32) []uint32 {
		from, count := words[HeadSections+2*n], words[HeadSections+2*n+1]
		if uint64(from)+uint64(count)*uint64(width) > uint64(len(words)) {
			broken = true
			return nil
		}
		return words[from : from+count*width]
	}
	p.fields, p.names = section(SectionFields, FieldWords), section(SectionNames, 1)
	p.tests, p.code = section(SectionTests, TestWords), section(SectionCode, CodeWords)
	p.rules, p.always = section(SectionRules, RuleWords), section(SectionAlways, 1)
	p.indexes = section(SectionIndexes, IndexWords)
	texts := section(SectionTexts, 1)
	if broken {
		return nil, errBroken
	}
	p.heap = bytes[4*words[HeadSections+2*SectionTexts]:][:4*len(texts)]
	insts, ok := p.check()
	if !ok {
		return nil, errBroken
	}
	p.memory = newMemory(len(p.fields)/FieldWords, len(p.tests)/TestWords, len(p.rules)/RuleWords, insts)
	_, p.timed = p.slotOf([]byte(fieldTime))
	return p, nil
}

// Rule returns what is said when rule n matches.
func (p *Program) Rule(n int) Rule {
	r := p.rules[n*RuleWords:][:RuleWords]
	return Rule{uint8(r[1]), p.bytesAt(r[2], r[3]), p.bytesAt(r[4], r[5])}
}

func (p *Program) bytesAt(at, n uint32) []byte { return p.heap[at : at+n : at+n] }

func (p *Program) string(at, n uint32) string { return textOf(p.bytesAt(at, n)) }
