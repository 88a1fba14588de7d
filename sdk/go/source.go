//go:build !wasip1

package sdk

import "embed"

// Source is this SDK's own source. `vedette module new` puts it beside a new module, so that the module builds without
// a network.
//
//go:embed go.mod *.go abi/*.go ecs/*.go keys/*.go migrate/*.go state/*.go timer/*.go window/*.go table/*.go table/index/*.go
var Source embed.FS
