package main

import (
	"encoding/binary"
	"errors"
	"math"
	"net/netip"
	"strconv"
	"time"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/keys"
	"github.com/vedette-siem/vedette/sdk/go/settings"
)

// The columns of the manifest's reads.
const (
	userName = iota
	userDomain
	sourceIP
	geoLocation
	geoLat
	geoLon
	geoCountry
	geoCountryName
	geoCity
)

// chosen is what the settings say.
var chosen = struct {
	speed, least float64 // km/h, km
	remember     time.Duration
	ignored      []netip.Prefix
}{1000, 500, 0, nil}

// Init reads the settings.
func Init(b []byte) error {
	v, err := settings.Read(b)
	if err != nil {
		return err
	}
	chosen.speed, chosen.least = float64(v.Int("max_km_per_hour", 1000)), float64(v.Int("least_km", 500))
	chosen.remember = min(time.Duration(farthestKm/chosen.speed*float64(time.Hour)), longest)
	chosen.ignored = nil
	for _, text := range v["ignore_networks"] {
		p, err := netip.ParsePrefix(text)
		if a, single := netip.ParseAddr(text); single == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return errors.New("ignore_networks: " + strconv.Quote(text) + " is no network")
		}
		chosen.ignored = append(chosen.ignored, p.Masked())
	}
	return nil
}

// work is what Eval works on. It is one variable because a module serves one call at a time and must not allocate.
type work struct {
	account [2*MaxNameBytes + 1]byte
	value   [loginBytes]byte
	title   [abi.MaxTitleBytes]byte
	reason  [abi.MaxTitleBytes]byte
	refs    [2 * abi.RefSize]byte
}

var w work

// Eval compares a login with the one of its account before it, and reports it when nobody can have travelled so far in the
// time between. Where nothing more can be remembered nothing is reported.
func Eval(r *sdk.Row, f *sdk.Findings) {
	user, ip := r.Get(userName), r.Get(sourceIP)
	here, ok := placeOf(r)
	if len(user) == 0 || len(ip) == 0 || len(ip) > MaxIPBytes || !ok || ignored(ip) {
		return
	}
	account := w.account[:0]
	if domain := r.Get(userDomain); domain != nil {
		account = append(lower(account, domain), '\\')
	}
	account = lower(account, user)
	now := login{at: r.Time(), place: here, ip: ip, ref: r.Ref()}
	b, err := keys.Get(account, w.value[:])
	last, known := readLogin(b)
	if err == nil && known && string(last.ip) != string(ip) {
		report(f, account, &last, &now)
	}
	if err == nil && known && last.at > now.at {
		return // it came late: the other one is newer
	}
	_ = keys.Put(account, now.append(w.value[:0]), chosen.remember)
}

func report(f *sdk.Findings, account []byte, last, now *login) {
	km := last.place.distance(&now.place)
	took := time.Duration(now.at - last.at).Abs()
	speed := km / max(took, time.Second).Hours()
	if km < chosen.least || speed <= chosen.speed {
		return
	}
	title := append(append(w.title[:0], account...), " logged in from "...)
	title = append(append(title, now.place.name...), " and "...)
	title = append(append(title, last.place.name...), " within "...)
	title = append(title, took.Round(time.Second).String()...)
	reason := append(strconv.AppendInt(w.reason[:0], int64(math.Round(km)), 10), " km at least lie between "...)
	reason = append(append(reason, now.ip...), " and "...)
	reason = append(append(reason, last.ip...), ": "...)
	reason = append(strconv.AppendInt(reason, int64(math.Round(speed)), 10), " km/h"...)
	f.Report(abi.Finding{Title: title, Reason: reason, Evidence: append(w.refs[:0], last.ref...)})
}

// login is one login of an account.
type login struct {
	at    int64 // ns
	place place
	ip    []byte
	ref   []byte // of its event
}

const (
	loginHead  = 8 + 3*8 + 2
	loginBytes = loginHead + MaxIPBytes + MaxPlaceBytes + abi.RefSize
)

// append writes a login as it is remembered: time, latitude, longitude and radius, the lengths of address and place, these
// texts, and the reference.
func (l *login) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(l.at))
	for _, v := range [...]float64{l.place.lat, l.place.lon, l.place.radius} {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	b = append(b, byte(len(l.ip)), byte(len(l.place.name)))
	return append(append(append(b, l.ip...), l.place.name...), l.ref...)
}

func readLogin(b []byte) (l login, ok bool) {
	if len(b) < loginHead || len(b) < loginHead+int(b[32])+int(b[33]) {
		return l, false
	}
	num := func(at int) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b[at:])) }
	l.at, l.place = int64(binary.LittleEndian.Uint64(b)), place{lat: num(8), lon: num(16), radius: num(24)}
	ip, name := int(b[32]), int(b[33])
	l.ip, l.place.name, l.ref = b[loginHead:loginHead+ip], b[loginHead+ip:loginHead+ip+name], b[loginHead+ip+name:]
	return l, true
}

func ignored(ip []byte) bool {
	if len(chosen.ignored) == 0 {
		return false
	}
	a, err := netip.ParseAddr(string(ip))
	if err != nil {
		return false
	}
	for _, p := range chosen.ignored {
		if p.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}

// lower appends a name in small letters, as most systems compare names.
func lower(dst, name []byte) []byte {
	for _, c := range name[:min(len(name), MaxNameBytes)] {
		if c-'A' < 26 {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}
