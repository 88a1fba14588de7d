// Command monitorguest asks the targets that its settings name, one "target path" a line, and records the answers.
package main

import (
	"bytes"
	"errors"
	"strconv"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
)

var asks [][]byte

func init() {
	sdk.RegisterMonitor(sdk.Monitor{
		Init: func(settings []byte) error {
			if len(settings) == 0 {
				return errors.New("settings name no target")
			}
			asks = bytes.Split(bytes.Clone(settings), []byte("\n"))
			return nil
		},
		Poll: func(p *sdk.Poll) ([]byte, error) {
			for _, ask := range asks {
				target, path, _ := bytes.Cut(ask, []byte(" "))
				r, err := sdk.HTTPGet(string(target), string(path))
				if err != nil {
					p.Record([]byte(err.Error()))
					continue
				}
				p.Record(append([]byte(strconv.Itoa(r.Status)+" "), r.Body...))
			}
			sdk.Log(abi.LogInfo, "polled")
			return append(p.Cursor, '+'), nil
		},
	})
}

func main() {}
