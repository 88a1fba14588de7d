// Package probe tries connections to granted devices for monitors (ABI 17): TCP, TLS, DNS and ICMP echo.
package probe

import (
	"errors"
	"strconv"
)

// Import is the import module of the capability.
const Import = "vedette_probe_v1"

// MaxBytes is the most that an answer has.
const MaxBytes = 64 << 10

// Fact is one thing that a probe has found out. A name may stand there several times.
type Fact struct{ Name, Value string }

// Facts are what a probe has found out.
type Facts []Fact

// Get returns the first value of a name, "" when there is none.
func (f Facts) Get(name string) string {
	for _, x := range f {
		if x.Name == name {
			return x.Value
		}
	}
	return ""
}

// All returns every value of a name.
func (f Facts) All(name string) (list []string) {
	for _, x := range f {
		if x.Name == name {
			list = append(list, x.Value)
		}
	}
	return list
}

// Int returns the first value of a name as a number, 0 when there is none.
func (f Facts) Int(name string) int64 {
	n, _ := strconv.ParseInt(f.Get(name), 10, 64)
	return n
}

// TCP connects to a granted port. Facts: elapsed_ns.
func TCP(target string, port int) (Facts, error) { return call("tcp", target, strconv.Itoa(port)) }

// TLS connects to a granted port and shakes hands, whatever the certificate is worth. Facts: elapsed_ns, version, cipher,
// verified ("true" or "false"), problem, subject, issuer, serial, sha256, not_before, not_after (ns since 1970), name
// (several).
func TLS(target string, port int) (Facts, error) { return call("tls", target, strconv.Itoa(port)) }

// DNS asks the target, a name server, for records of a type: A, AAAA, CNAME, MX, NS, PTR, SRV, TXT. Facts: elapsed_ns,
// status (noerror, nxdomain, timeout or failure) and answer (several).
func DNS(target, name, kind string) (Facts, error) { return call("dns", target, name+" "+kind) }

// Ping sends echo requests. Facts: sent, received, min_ns, avg_ns, max_ns.
func Ping(target string, count int) (Facts, error) { return call("ping", target, strconv.Itoa(count)) }

func call(function, target, request string) (Facts, error) {
	out := make([]byte, MaxBytes)
	code, n := ask(function, target, request, out)
	if code != 0 {
		return nil, errors.New(string(out[:n]))
	}
	return Decode(out[:n])
}

// Encode writes facts as the host hands them to a module: name and value, each ended by a zero byte. What does not fit in
// dst is left out, and so are zero bytes.
func Encode(dst []byte, facts []Fact) (n int) {
	for _, f := range facts {
		if n+len(f.Name)+len(f.Value)+2 > len(dst) {
			break
		}
		n = appendText(dst, n, f.Name)
		n = appendText(dst, n, f.Value)
	}
	return n
}

func appendText(dst []byte, n int, s string) int {
	for i := range len(s) {
		if s[i] != 0 {
			dst[n] = s[i]
			n++
		}
	}
	dst[n] = 0
	return n + 1
}

// Decode reads facts.
func Decode(b []byte) (Facts, error) {
	var list Facts
	var words []string
	for begin, i := 0, 0; i < len(b); i++ {
		if b[i] == 0 {
			words = append(words, string(b[begin:i]))
			begin = i + 1
		}
	}
	if len(words)%2 != 0 || len(b) > 0 && b[len(b)-1] != 0 {
		return nil, errors.New("the host's answer is broken")
	}
	for i := 0; i < len(words); i += 2 {
		list = append(list, Fact{words[i], words[i+1]})
	}
	return list, nil
}
