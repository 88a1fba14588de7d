// Package vectors holds the golden vectors of sdk/ABI.md, clause 11, for tests that are not in this folder's reach.
package vectors

import "embed"

// Files are NAME.hex and NAME.json for each vector.
//
//go:embed *.hex *.json
var Files embed.FS
