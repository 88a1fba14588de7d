// Package c holds the C SDK for programs that write modules.
package c

import "embed"

// Source is the SDK: `vedette module new --lang c` puts it beside a new module.
//
//go:embed vedette.h vedette_test.h
var Source embed.FS

// Template has a folder for each kind of module below "template"; @NAME@ stands for the module's name.
//
//go:embed all:template
var Template embed.FS

// Flags are those that clang makes a module with, of module.c in the folder of the SDK's headers and to a file that the
// caller adds: clang Flags… -I .sdk -o build/NAME.wasm module.c.
var Flags = []string{
	"--target=wasm32", "-std=c11", "-O3", "-Wall", "-Wextra", "-ffreestanding", "-nostdlib", "-mbulk-memory",
	"-Wl,--no-entry,--stack-first,-zstack-size=65536",
}
