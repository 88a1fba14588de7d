// Command migrateguest is a rule that takes over state in the ways that its keys name.
package main

import (
	"errors"
	"time"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/keys"
	"github.com/vedette-siem/vedette/sdk/go/migrate"
)

func init() {
	sdk.RegisterRule(sdk.Rule{Eval: func(*sdk.Row, *sdk.Findings) {}})
	migrate.Register(take)
}

func main() {}

func take(from uint32, k migrate.Key, to *migrate.Keys) error {
	switch string(k.Name) {
	case "drop":
	case "twice":
		to.Rename(k, []byte("once"))
		to.Rename(k, []byte("again"))
	case "fresh":
		to.Put([]byte{'0' + byte(from)}, k.Value, time.Hour)
	case "upper":
		to.Replace(k, []byte("UPPER"), append([]byte("was "), k.Value...))
	case "outside": // state is not there in a migration
		_ = keys.Put([]byte("x"), nil, keys.Forever)
	case "refuse":
		return errors.New("it knows no such key")
	case "panic":
		panic("it gave up")
	case "loop":
		for n := 0; ; n++ {
			if n < 0 {
				break
			}
		}
	case "forge":
		k.Value = append(k.Value, 1)
		to.Keep(k)
	case "many":
		for n := range 2000 {
			to.Rename(k, []byte{'a' + byte(n%26), byte(n / 26)})
		}
	default:
		to.Keep(k)
	}
	return nil
}
