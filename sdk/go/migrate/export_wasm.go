//go:build wasip1

package migrate

import (
	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
)

//go:wasmexport vedette_migrate
func exportMigrate(n uint32) uint64 {
	b := sdk.Blocks()
	if registered == nil {
		return abi.Pack(abi.StatusBadInput, 0)
	}
	return abi.Pack(run(registered, b.In[:n], b))
}
