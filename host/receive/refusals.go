package receive

import (
	"net/netip"
	"slices"
	"sync"

	"github.com/vedette-siem/vedette/storage"
)

// Refusal is an HTTP request of which nothing was taken, or a connection that never came to a record.
type Refusal struct {
	At       int64          // ns since the Unix epoch
	Tenant   storage.Tenant // whose it was; NoTenant when that is not known
	Listener string
	Peer     string // address without a port
	Reason   Reason
}

// refusals remembers the newest, so that who looks for missing records finds the reason. A flood pushes out what came
// before it; all of them are counted by reason in any case.
type refusals struct {
	mu   sync.Mutex
	ring [MaxRefusals]Refusal
	n    uint64 // ever added
}

func (r *refusals) add(x Refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ring[r.n%MaxRefusals] = x
	r.n++
}

// Refusals returns the newest refusals since a moment (ns since the Unix epoch), the newest first. Those of unknown
// tokens name no organization: whom they may be shown to is the caller's to decide.
func (r *Receiver) Refusals(since int64) []Refusal {
	r.refused.mu.Lock()
	defer r.refused.mu.Unlock()
	var out []Refusal
	for _, x := range r.refused.ring[:min(r.refused.n, MaxRefusals)] {
		if x.At >= since {
			out = append(out, x)
		}
	}
	slices.SortStableFunc(out, func(a, b Refusal) int { return int(min(max(b.At-a.At, -1), 1)) })
	return out
}

// refuse counts and remembers what came of a peer and was not taken.
func (r *Receiver) refuse(in *input, t storage.Tenant, peer netip.Addr, why Reason) {
	in.count.add(why, 1)
	r.refused.add(Refusal{At: r.cfg.Now().UnixNano(), Tenant: t, Listener: in.id, Peer: peerName(peer), Reason: why})
}

// rate counts records of the last minute, in buckets of ten seconds.
type rate struct {
	bucket [rateBuckets]uint32
	at     int64 // newest bucket, in rateBucket since the epoch
}

const (
	rateBucket  = int64(10e9)
	rateBuckets = 7 // a whole minute beside the one that is being filled
)

func (r *rate) advance(now int64) {
	b := now / rateBucket
	for i := max(r.at+1, b-rateBuckets+1); i <= b; i++ {
		r.bucket[i%rateBuckets] = 0
	}
	r.at = max(r.at, b)
}

func (r *rate) add(now int64, n int) {
	r.advance(now)
	r.bucket[r.at%rateBuckets] += uint32(n)
}

// perSecond returns the mean over the last minute, or over the time since first when that is shorter.
func (r *rate) perSecond(now, first int64) float64 {
	r.advance(now)
	n := uint64(0)
	for _, x := range r.bucket {
		n += uint64(x)
	}
	span := now - max(first, (r.at-rateBuckets+1)*rateBucket)
	return float64(n) / (float64(max(span, rateBucket)) / 1e9)
}
