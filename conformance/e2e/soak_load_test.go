package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"google.golang.org/protobuf/encoding/protojson"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// The load of a soak: each organization sends a request on a schedule of its own that waits for nobody.
const (
	soakEvery = 500 * time.Millisecond
	soakLines = 5 // of a request, and one more, whose way is timed
)

// soakSender is what one organization sends.
type soakSender struct {
	tenant  uint32
	token   string
	parsers []int // numbers of the modules that read its lines
	rnd     *rand.Rand
	next    int          // number of the next line
	answers map[int]bool // of each line whether it was acknowledged; what was refused may have been stored for all that
	refused int          // requests
}

// send posts until ctx ends. Lines are numbered.
func (w *soakSender) send(ctx context.Context, s *server, client *http.Client, offset time.Duration, watch *probeWatch) {
	start := time.Now().Add(offset)
	for n := 0; ; n++ {
		due := start.Add(time.Duration(n) * soakEvery)
		if !wait(ctx, time.Until(due)) {
			return
		}
		var body strings.Builder
		from := w.next
		for range soakLines {
			body.WriteString(soakLine(w.next, w.parsers[w.rnd.IntN(len(w.parsers))], soakUser(w.rnd)) + "\n")
			w.next++
		}
		body.WriteString(soakLine(w.next, 0, "probe") + "\n")
		w.next++
		watch.expect(w.tenant, due)
		err := s.ingest(context.WithoutCancel(ctx), client, w.token, body.String())
		for i := from; i < w.next; i++ {
			w.answers[i] = err == nil
		}
		if err != nil {
			w.refused++
			watch.lost(w.tenant)
		}
	}
}

// soakUser is a user of a line: one in four is powerful.
func soakUser(rnd *rand.Rand) string {
	if rnd.IntN(4) == 0 {
		return "root"
	}
	return fmt.Sprintf("u%d", rnd.IntN(10))
}

// probeWatch follows the incidents of all organizations over the websocket, as a console does, and notes when each timed
// line was first seen: its organization's incident counts it.
type probeWatch struct {
	conn *websocket.Conn
	done chan struct{} // closed when reading has ended

	mu      sync.Mutex
	due     map[uint32][]time.Time // lines on their way, in order
	counted map[uint32]uint64
	samples []probeSample
}

// probeSample is one timed line.
type probeSample struct {
	tenant uint32
	due    time.Time     // when it was to be sent
	took   time.Duration // from then until it was seen
}

// watchProbes opens the websocket.
func (s *server) watchProbes(ctx context.Context) *probeWatch {
	s.t.Helper()
	conn, _, err := websocket.DefaultDialer.DialContext(ctx, strings.Replace(s.url, "http", "ws", 1)+"/live", http.Header{"Authorization": {"Bearer " + s.token}})
	if err != nil {
		s.t.Fatalf("open the websocket: %v", err)
	}
	w := &probeWatch{conn: conn, done: make(chan struct{}), due: map[uint32][]time.Time{}, counted: map[uint32]uint64{}}
	if err := w.request(&v1.LiveRequest{Kind: &v1.LiveRequest_Subscribe{Subscribe: &v1.Subscribe{Topic: "incidents"}}}); err != nil {
		s.t.Fatal(err)
	}
	go w.read()
	return w
}

func (w *probeWatch) request(r *v1.LiveRequest) error {
	text, err := protojson.Marshal(r)
	if err != nil {
		return err
	}
	return w.conn.WriteMessage(websocket.TextMessage, text)
}

func (w *probeWatch) read() {
	defer close(w.done)
	for {
		_, text, err := w.conn.ReadMessage()
		at := time.Now()
		if err != nil {
			return
		}
		var f v1.LiveFrame
		if protojson.Unmarshal(text, &f) != nil {
			return
		}
		for _, i := range f.GetChanges().GetIncidents() {
			if i.Rule == "soak-probe" {
				w.saw(i.Tenant, i.Count, at)
			}
		}
		if w.request(&v1.LiveRequest{Kind: &v1.LiveRequest_Credit{Credit: &v1.Credit{Frames: 1}}}) != nil {
			return
		}
	}
}

func (w *probeWatch) expect(tenant uint32, due time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.due[tenant] = append(w.due[tenant], due)
}

// lost takes out the line that was sent last: it may never come.
func (w *probeWatch) lost(tenant uint32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if due := w.due[tenant]; len(due) > 0 {
		w.due[tenant] = due[:len(due)-1]
	}
}

func (w *probeWatch) saw(tenant uint32, count uint64, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ; w.counted[tenant] < count && len(w.due[tenant]) > 0; w.counted[tenant]++ {
		due := w.due[tenant][0]
		w.due[tenant] = w.due[tenant][1:]
		w.samples = append(w.samples, probeSample{tenant, due, at.Sub(due)})
	}
}

// close ends the connection and returns what was seen, and how many lines were not.
func (w *probeWatch) close(t testing.TB, limit time.Duration) (samples []probeSample, missing int) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		w.mu.Lock()
		missing = 0
		for _, due := range w.due {
			missing += len(due)
		}
		w.mu.Unlock()
		if missing == 0 || time.Now().After(deadline) || !wait(t.Context(), 20*time.Millisecond) {
			break
		}
	}
	w.conn.Close()
	<-w.done
	return w.samples, missing
}
