package probe

import (
	"context"
	"fmt"
	"io"
	"log"
	"slices"
	"strings"

	"github.com/gosnmp/gosnmp"

	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/go/snmp"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

var hashes = map[string]gosnmp.SnmpV3AuthProtocol{
	"": gosnmp.SHA256, "md5": gosnmp.MD5, "sha": gosnmp.SHA, "sha224": gosnmp.SHA224, "sha256": gosnmp.SHA256, "sha384": gosnmp.SHA384, "sha512": gosnmp.SHA512,
}

var ciphers = map[string]gosnmp.SnmpV3PrivProtocol{
	"": gosnmp.AES, "des": gosnmp.DES, "aes": gosnmp.AES, "aes192": gosnmp.AES192, "aes256": gosnmp.AES256,
}

// SNMP returns what reads variables of a device below the granted prefixes.
func (p *Prober) SNMP(at Place, c Credential, prefixes []string) runtime.SNMP {
	return func(ctx context.Context, walk bool, oids []string) (vars []snmp.Variable, more bool, err error) {
		if len(oids) > snmp.MaxOIDs {
			return nil, false, denied("%d OIDs, at most %d", len(oids), snmp.MaxOIDs)
		}
		for _, oid := range oids {
			if !manifest.ValidOID(oid) {
				return nil, false, denied("%.64q is no OID", oid)
			}
			if !within(oid, prefixes) {
				return nil, false, denied("the OID %s lies outside what was granted", oid)
			}
		}
		if err := CheckAddress(at.Address); err != nil {
			return nil, false, denied("%v", err)
		}
		defer func() {
			if r := recover(); r != nil { // a device that breaks the codec
				vars, more, err = nil, false, fmt.Errorf("the device's answer cannot be read")
			}
		}()
		g, err := session(ctx, at, c)
		if err != nil {
			return nil, false, err
		}
		if err := g.Connect(); err != nil {
			return nil, false, told(ctx, runtime.Plain(err))
		}
		defer g.Conn.Close()
		defer watchdog(ctx, g.Conn)()
		if walk {
			vars, more, err = walkBelow(g, oids[0])
		} else {
			vars, err = get(g, oids)
		}
		return vars, more, told(ctx, runtime.Plain(err))
	}
}

// within reports whether an OID is one of the prefixes or lies below one.
func within(oid string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return oid == p || strings.HasPrefix(oid, p+".") })
}

func session(ctx context.Context, at Place, c Credential) (*gosnmp.GoSNMP, error) {
	g := &gosnmp.GoSNMP{
		Target: at.Address, Port: at.Port, Transport: "udp", Context: ctx, Timeout: MaxSNMPTime, Retries: 1, MaxOids: snmp.MaxOIDs,
		MaxRepetitions: 25, Control: guard(at.Private), Logger: gosnmp.NewLogger(log.New(io.Discard, "", 0)),
	}
	switch c.Kind {
	case SNMPv2c:
		g.Version, g.Community = gosnmp.Version2c, string(c.Secret)
	case SNMPv3:
		g.Version, g.SecurityModel, g.MsgFlags = gosnmp.Version3, gosnmp.UserSecurityModel, gosnmp.AuthPriv
		g.SecurityParameters = &gosnmp.UsmSecurityParameters{
			UserName: c.Login, AuthenticationProtocol: hashes[c.Hash], AuthenticationPassphrase: string(c.Secret),
			PrivacyProtocol: ciphers[c.Cipher], PrivacyPassphrase: string(c.Privacy),
		}
	default:
		return nil, denied("a credential of kind %s is none for SNMP", c.Kind)
	}
	return g, nil
}

// get asks for variables; the answer has one for each, whatever else the device sends.
func get(g *gosnmp.GoSNMP, oids []string) ([]snmp.Variable, error) {
	r, err := g.Get(oids)
	if err != nil {
		return nil, err
	}
	if r.Error != gosnmp.NoError {
		return nil, fmt.Errorf("the device answers with %v", r.Error)
	}
	vars := make([]snmp.Variable, len(oids))
	for i, oid := range oids {
		vars[i] = snmp.Variable{OID: oid, Type: snmp.Absent}
		for k := range r.Variables {
			if strings.TrimPrefix(r.Variables[k].Name, ".") == oid {
				vars[i] = variable(&r.Variables[k])
			}
		}
	}
	return vars, nil
}

// errEnough ends a walk.
var errEnough = fmt.Errorf("enough")

// walkBelow reads what lies below an OID, in the order of the device.
func walkBelow(g *gosnmp.GoSNMP, oid string) (vars []snmp.Variable, more bool, err error) {
	size := 0
	err = g.BulkWalk(oid, func(v gosnmp.SnmpPDU) error {
		x := variable(&v)
		if !within(x.OID, []string{oid}) {
			return nil // what the device sends is not what it was asked for
		}
		size += snmp.Row + len(x.OID) + len(x.Bytes)
		if len(vars) == snmp.MaxVariables || size > snmp.MaxBytes-snmp.Header {
			more = true
			return errEnough
		}
		vars = append(vars, x)
		return nil
	})
	if more {
		err = nil
	}
	return vars, more, err
}

func variable(v *gosnmp.SnmpPDU) snmp.Variable {
	x := snmp.Variable{OID: strings.TrimPrefix(v.Name, "."), Type: snmp.Absent}
	switch v.Type {
	case gosnmp.OctetString, gosnmp.BitString, gosnmp.Opaque:
		if b, ok := v.Value.([]byte); ok {
			x.Type, x.Bytes = snmp.Text, b
		}
	case gosnmp.ObjectIdentifier:
		if s, ok := v.Value.(string); ok {
			x.Type, x.Bytes = snmp.OID, []byte(strings.TrimPrefix(s, "."))
		}
	case gosnmp.IPAddress:
		if s, ok := v.Value.(string); ok {
			x.Type, x.Bytes = snmp.Address, []byte(s)
		}
	case gosnmp.Integer:
		x.Type, x.Number = snmp.Int, uint64(gosnmp.ToBigInt(v.Value).Int64())
	case gosnmp.Counter32, gosnmp.Gauge32, gosnmp.Counter64, gosnmp.Uinteger32:
		x.Type, x.Number = snmp.Uint, gosnmp.ToBigInt(v.Value).Uint64()
	case gosnmp.TimeTicks:
		x.Type, x.Number = snmp.Ticks, gosnmp.ToBigInt(v.Value).Uint64()
	}
	return x
}
