package main

import (
	"bytes"
	"math"
	"strconv"

	sdk "github.com/vedette-siem/vedette/sdk/go"
)

// place is where a login came from.
type place struct {
	lat, lon float64 // degrees
	radius   float64 // km: how far from there it may have been
	name     []byte
}

// placeOf reads coordinates, or takes the middle of the country.
func placeOf(r *sdk.Row) (p place, ok bool) {
	name := r.Get(geoCity)
	if name == nil {
		name = r.Get(geoCountryName)
	}
	if name == nil {
		name = r.Get(geoCountry)
	}
	p.name = name[:min(len(name), MaxPlaceBytes)]
	lat, lon := r.Get(geoLat), r.Get(geoLon)
	if lat == nil || lon == nil {
		lat, lon, _ = bytes.Cut(r.Get(geoLocation), []byte{','})
	}
	if p.lat, ok = degrees(lat, 90); ok {
		if p.lon, ok = degrees(lon, 180); ok {
			return p, true
		}
	}
	c := countryOf(r.Get(geoCountry), r.Get(geoCountryName))
	if c == nil {
		return p, false
	}
	p.lat, p.lon, p.radius = float64(c.lat), float64(c.lon), float64(c.radius)
	return p, true
}

func degrees(text []byte, most float64) (float64, bool) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 || len(text) > 24 {
		return 0, false
	}
	v, err := strconv.ParseFloat(string(text), 64)
	return v, err == nil && v >= -most && v <= most
}

// distance is how many km two places are apart at least.
func (p *place) distance(o *place) float64 {
	const radian = math.Pi / 180
	dLat, dLon := (o.lat-p.lat)*radian/2, (o.lon-p.lon)*radian/2
	h := math.Sin(dLat)*math.Sin(dLat) + math.Cos(p.lat*radian)*math.Cos(o.lat*radian)*math.Sin(dLon)*math.Sin(dLon)
	return max(0, 2*earthKm*math.Asin(math.Sqrt(min(h, 1)))-p.radius-o.radius)
}

// countryOf finds a country by its code (ISO 3166-1), or by its English name.
func countryOf(code, name []byte) *country {
	for i := range countries {
		c := &countries[i]
		if len(code) == 2 && bytes.EqualFold(code, []byte(c.code)) || len(code) != 2 && len(name) > 0 && bytes.EqualFold(name, []byte(c.name)) {
			return c
		}
	}
	return nil
}
