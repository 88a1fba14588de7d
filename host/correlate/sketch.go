package correlate

import (
	"hash/fnv"
	"math"
	"math/bits"
	"slices"
)

// cardinality counts distinct values within about 1 % in 8 KiB (HyperLogLog, Flajolet et al. 2007, with 2^13 registers and
// linear counting below 2.5 of their number).
type cardinality struct {
	registers [1 << cardinalityBits]uint8
}

const cardinalityBits = 13

func (c *cardinality) add(val string) {
	h := fnv.New64a()
	h.Write([]byte(val))
	x := mix(h.Sum64())
	at := x >> (64 - cardinalityBits)
	zeros := uint8(bits.LeadingZeros64(x<<cardinalityBits|1<<(cardinalityBits-1))) + 1
	c.registers[at] = max(c.registers[at], zeros)
}

// mix spreads a hash over all bits (the finalizer of MurmurHash3).
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

func (c *cardinality) estimate() float64 {
	m := float64(len(c.registers))
	sum, empty := 0.0, 0
	for _, r := range c.registers {
		sum += 1 / float64(uint64(1)<<r)
		if r == 0 {
			empty++
		}
	}
	e := 0.7213 / (1 + 1.079/m) * m * m / sum
	if e <= 2.5*m && empty > 0 {
		e = m * math.Log(m/float64(empty))
	}
	return math.Round(e)
}

// quantiles keeps a distribution within 1 % of its values in buckets that grow by 2 % (DDSketch, Masson et al. 2019). Beyond
// maxBuckets the smallest are put together.
type quantiles struct {
	n       int
	zero    int
	buckets []bucket // from the lowest value to the highest
}

// bucket counts the values around gamma^index, of the sign that side is.
type bucket struct {
	side  int8 // -1 or 1
	index int32
	n     int
}

const (
	accuracy = 0.01
	gamma    = (1 + accuracy) / (1 - accuracy)
)

var logGamma = math.Log(gamma)

func newQuantiles(values []float64) *quantiles {
	q := &quantiles{}
	for _, v := range values {
		q.add(v)
	}
	return q
}

// place orders buckets: the lowest negative values have the highest index.
func (b bucket) place() int64 { return int64(b.side) * (int64(b.index) + 1<<32) }

func (q *quantiles) add(v float64) {
	q.n++
	if math.Abs(v) < 1e-9 {
		q.zero++
		return
	}
	b := bucket{side: 1, index: int32(math.Ceil(math.Log(math.Abs(v)) / logGamma)), n: 1}
	if v < 0 {
		b.side = -1
	}
	i, ok := slices.BinarySearchFunc(q.buckets, b, func(x, y bucket) int {
		switch px, py := x.place(), y.place(); {
		case px < py:
			return -1
		case px > py:
			return 1
		}
		return 0
	})
	if ok {
		q.buckets[i].n++
		return
	}
	q.buckets = slices.Insert(q.buckets, i, b)
	if len(q.buckets) > maxBuckets {
		q.buckets[1].n += q.buckets[0].n
		q.buckets = q.buckets[1:]
	}
}

// at returns the smallest value with at least rank per cent at or below it.
func (q *quantiles) at(rank float64) float64 {
	left := rankOf(rank, q.n)
	passed := false
	for _, b := range q.buckets {
		if b.side > 0 && !passed {
			passed = true
			if left -= q.zero; left < 0 {
				return 0
			}
		}
		if left -= b.n; left < 0 {
			return float64(b.side) * 2 * math.Pow(gamma, float64(b.index)) / (gamma + 1)
		}
	}
	return 0
}
