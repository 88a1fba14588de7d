//go:build !wasm

package abi

import "encoding/binary"

var le = binary.LittleEndian
