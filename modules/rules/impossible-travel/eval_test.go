package main

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	sdk "github.com/vedette-siem/vedette/sdk/go"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/sdk/go/state"
)

// seen is a login: when, who, from where.
type seen struct {
	at                 time.Duration
	user, ip, location string
	country            string
}

// eval puts batches of one login each to the rule, which remembers from one to the next.
func eval(t testing.TB, settings string, list ...seen) (found []string) {
	t.Helper()
	state.Native = state.New(state.Limits{}, nil)
	t.Cleanup(func() { state.Native = nil })
	if err := Init([]byte(settings)); err != nil {
		t.Fatal(err)
	}
	var b sdk.Buffers
	for i, s := range list {
		var e abi.RowsEncoder
		e.BeginRefs(1, 9, 1, int64(time.Hour*1000))
		e.Event(int64(s.at))
		ref := make([]byte, abi.RefSize)
		ref[0] = byte('a' + i)
		e.Ref(ref)
		for col, v := range map[int]string{userName: s.user, sourceIP: s.ip, geoLocation: s.location, geoCountry: s.country} {
			if v != "" {
				e.Cell(col, v)
			}
		}
		status, out := sdk.RunRule(sdk.Rule{Eval: Eval}, e.Bytes(), b.Grow(0, 64<<10))
		if status != abi.StatusOK {
			t.Fatalf("status %d", status)
		}
		if err := abi.DecodeFindings(out, 1, func(f abi.Finding) {
			found = append(found, fmt.Sprintf("%s (%s) %c", f.Title, f.Reason, f.Evidence[0]))
		}); err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// What is reported names the speed and holds the login before as evidence; the inline tests of rule.yaml hold the rest.
func TestReport(t *testing.T) {
	got := eval(t, "", seen{0, "ann", "192.0.2.1", "52.52, 13.40", "DE"}, seen{time.Hour, "ann", "192.0.2.2", "48.14,11.58", "DE"}, // Munich, 504 km: slow
		seen{2 * time.Hour, "ann", "198.51.100.1", "40.71,-74.01", "US"}, seen{90 * time.Minute, "ann", "192.0.2.2", "48.14,11.58", "DE"})
	want := "ann logged in from US and DE within 1h0m0s (6489 km at least lie between 198.51.100.1 and 192.0.2.2: 6489 km/h) b|" +
		"ann logged in from DE and US within 30m0s (6489 km at least lie between 192.0.2.2 and 198.51.100.1: 12977 km/h) c"
	if strings.Join(got, "|") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "|"), want)
	}
}

func TestSettings(t *testing.T) {
	far := []seen{{0, "ann", "192.0.2.1", "52.52,13.40", ""}, {time.Hour, "ann", "198.51.100.1", "48.14,11.58", ""}}
	if got := eval(t, `{"least_km":500,"max_km_per_hour":400}`, far...); len(got) != 1 {
		t.Errorf("a slower limit: %q", got)
	}
	if got := eval(t, `{"max_km_per_hour":400,"ignore_networks":["203.0.113.0/24","198.51.100.1"]}`, far...); len(got) != 0 {
		t.Errorf("an ignored address: %q", got)
	}
	if err := Init([]byte(`{"ignore_networks":["everywhere"]}`)); err == nil {
		t.Error("a network that is none is taken")
	}
}

// What is no place, no account or no time does no harm.
func TestOddLogins(t *testing.T) {
	long := strings.Repeat("Ä", 500)
	if got := eval(t, "", seen{0, long, "192.0.2.1", "90,180", ""}, seen{0, long, "192.0.2.2", "-90,-180", ""}); len(got) != 1 || len(got[0]) > 2*abi.MaxTitleBytes {
		t.Errorf("%d findings", len(got))
	}
	if got := eval(t, "", seen{0, "a", "192.0.2.1", "91,0", ""}, seen{0, "a", "192.0.2.1", "NaN,Inf", ""}, seen{0, "a", "1", "x", "ZZ"},
		seen{math.MinInt64, "a", "192.0.2.1", "1,1", ""}, seen{math.MaxInt64, "a", "192.0.2.2", "50,50", ""}); len(got) > 1 {
		t.Errorf("%q", got)
	}
}

// Distances between cities are those of an atlas, and a country reaches over its neighbours' borders.
func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b place
		want float64
	}{
		{place{lat: 52.52, lon: 13.405}, place{lat: 40.7128, lon: -74.006}, 6385},
		{place{lat: -33.87, lon: 151.21}, place{lat: 35.68, lon: 139.69}, 7827},
		{place{lat: 0, lon: 0}, place{lat: 0, lon: 180}, 20015},
		{place{lat: 10, lon: 20}, place{lat: 10, lon: 20}, 0},
	} {
		if got := c.a.distance(&c.b); math.Abs(got-c.want) > 5 {
			t.Errorf("%v to %v: %.0f km, want %.0f", c.a, c.b, got, c.want)
		}
	}
	for _, pair := range [][2]string{{"DE", "FR"}, {"US", "CA"}, {"CN", "RU"}, {"IN", "PK"}, {"BR", "AR"}, {"ES", "PT"}} {
		a, b := countryOf([]byte(pair[0]), nil), countryOf([]byte(pair[1]), nil)
		p := place{float64(a.lat), float64(a.lon), float64(a.radius), nil}
		if got := p.distance(&place{float64(b.lat), float64(b.lon), float64(b.radius), nil}); got > 500 {
			t.Errorf("%v touch, and are %.0f km apart", pair, got)
		}
	}
}

func BenchmarkEval(b *testing.B) {
	state.Native = state.New(state.Limits{}, nil)
	b.Cleanup(func() { state.Native = nil })
	if err := Init(nil); err != nil {
		b.Fatal(err)
	}
	const n = 256
	var e abi.RowsEncoder
	e.BeginRefs(n, 9, 1, 1)
	for i := range n {
		e.Event(int64(i))
		e.Ref(make([]byte, abi.RefSize))
		e.Cell(userName, fmt.Sprint("user", i%20))
		e.Cell(sourceIP, fmt.Sprint("192.0.2.", i%3))
		e.Cell(geoLocation, "52.52,13.40")
	}
	buf := (&sdk.Buffers{}).Grow(0, 64<<10)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%n == 0 {
			sdk.RunRule(sdk.Rule{Eval: Eval}, e.Bytes(), buf)
		}
	}
}
