// Package rust holds the Rust SDK for programs that write modules.
package rust

import "embed"

// Source is the SDK's own source: `vedette module new --lang rust` puts it beside a new module, so that the module builds
// without a network.
//
//go:embed Cargo.toml src/*.rs
var Source embed.FS

// Template has a folder for each kind of module below "template"; @NAME@ stands for the module's name. Cargo puts its code
// into target/wasm32-unknown-unknown/release/module.wasm.
//
//go:embed all:template
var Template embed.FS
