// Command portable is the code of rules that were compiled to Wasm: an interpreter, and a place for the program that it runs.
package main

import (
	"errors"
	"unsafe"

	"github.com/vedette-siem/vedette/modules/rules/portable/interp"
	sdk "github.com/vedette-siem/vedette/sdk/go"
)

var program *interp.Program

func init() {
	sdk.RegisterRule(sdk.Rule{
		Init: func(settings []byte) error {
			filler = byte(len(settings))
			var head [8]byte
			copyProgram(unsafe.Pointer(&head), 0, uint32(len(head)))
			if string(head[:4]) != interp.Magic {
				return errors.New("there are no rules in this module: it is part of what `vedette rule build --wasm` makes")
			}
			n, err := interp.Words(head[:])
			if err != nil {
				return err
			}
			words := make([]uint32, n)
			at := unsafe.Pointer(unsafe.SliceData(words))
			copyProgram(at, 0, uint32(4*n))
			program, err = interp.Open(words, unsafe.Slice((*byte)(at), 4*n))
			return err
		},
		Eval: eval,
	})
}

func main() {}

// filler keeps the compiler from seeing what copyProgram does.
var filler byte

// copyProgram copies n bytes of the program, from an offset on. What stands here writes zeros; compiling rules replaces the
// body of the export by one that copies from a segment with their program. It is no go:wasmexport, which would export a
// function that calls this one.
//
//go:noinline
//export vedette_program
func copyProgram(to unsafe.Pointer, from, n uint32) {
	for i := range n {
		*(*byte)(unsafe.Add(to, i)) = filler & byte(from+i)
	}
}

func eval(r *sdk.Row, f *sdk.Findings) {
	for _, n := range program.Match(r.Get(0), r.Time()) {
		rule := program.Rule(n)
		f.Add(rule.Severity, rule.Title, nil, rule.Key)
	}
}
