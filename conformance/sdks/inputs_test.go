package sdks

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/vedette-siem/vedette/sdk/go/abi"
)

// limits are batches at and one over each limit that an encoder keeps.
func limits() map[string][]byte {
	all := map[string][]byte{"no records": recordBatch()}
	for name, over := range map[string]int{"at": 0, "over": 1} {
		one := func(what, record string) {
			all[what+" "+name] = recordBatch([]byte("ref a=1"), []byte(record), []byte("ref b=2"))
		}
		one("fields of an event", "ref"+strings.Repeat(" port=1", abi.MaxFieldsPerEvent-1+over)+" user=x")
		one("events of a record", "ref "+strings.Repeat(";", abi.MaxEventsPerRecord-1+over))
		one("bytes of a name", "ref "+strings.Repeat("k", abi.MaxNameBytes-len("ref.")+over)+"=v")
		one("bytes of a value", "ref user="+strings.Repeat("v", abi.MaxValueBytes+over)+" src=x")
		one("bytes of an escaped value", `ref user="`+strings.Repeat("v", 4096-2+over)+`\"" port="\1"`)
		// event.dataset and the values; the last one is of one byte.
		one("texts of an event", "ref"+strings.Repeat(" user="+strings.Repeat("v", 65536), 15)+
			" src="+strings.Repeat("s", 65536-len("ref.kv")-1+over)+" level=x port=1 tags=y")
	}
	many := make([][]byte, 256)
	for i := range many {
		many[i] = line(i)
	}
	all["a common batch"] = recordBatch(many...)
	return all
}

// line is an ordinary record of the benchmark.
func line(i int) []byte {
	return fmt.Appendf(nil, `ref ts=%d user="user %d" src=10.0.%d.%d port=%d action=allow proto=tcp zone=dmz policy=7 bytes=%d tags=vpn,web msg="it \"works\""`,
		1709294400000+i, i, i/250, i%250, 1024+i, i*37)
}

// mutations are batches of records that are nearly those of the cases. The seed is fixed: a difference shows again.
func mutations(t *testing.T, all []*txtar.Archive, n int) (batches [][]byte) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(1, 2))
	pieces := []string{`"`, `\`, " ", "=", ";", ",", "#", "ref ", "ts=", "port=", "exit=-", "tty=yes", "tags=", "\x00", "é", "\xff", "12345678901234567890"}
	var source [][]byte
	for _, a := range all {
		source = append(source, records(t, a)...)
	}
	for range n {
		var batch [][]byte
		for range 60 {
			r := append([]byte(nil), source[rnd.IntN(len(source))]...)
			for range rnd.IntN(4) {
				at, end := rnd.IntN(len(r)+1), 0
				end = min(len(r), at+rnd.IntN(4))
				r = append(append(append([]byte(nil), r[:at]...), pieces[rnd.IntN(len(pieces))]...), r[end:]...)
			}
			batch = append(batch, r)
		}
		batches = append(batches, recordBatch(batch...))
	}
	return batches
}
