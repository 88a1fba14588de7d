package e2e

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// cutter is a TCP proxy that can cut the websockets that go through it.
type cutter struct {
	to     string
	listen net.Listener
	wg     sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	conns   map[net.Conn]bool // true: a websocket
	sockets int               // that were opened in all
}

func newCutter(t *testing.T, to string) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{to: to, listen: l, conns: map[net.Conn]bool{}}
	c.wg.Go(c.accept)
	t.Cleanup(func() {
		l.Close()
		c.cut(func(bool) bool { return true }, true)
		c.wg.Wait()
	})
	return c
}

func (c *cutter) accept() {
	for {
		conn, err := c.listen.Accept()
		if err != nil {
			return // closed
		}
		c.wg.Go(func() { c.carry(conn) })
	}
}

// carry moves bytes both ways until either side, or a cut, ends it.
func (c *cutter) carry(from net.Conn) {
	defer from.Close()
	to, err := net.Dial("tcp", c.to)
	if err != nil {
		return // the browser sees a connection that ends
	}
	defer to.Close()
	if !c.note(from, false) {
		return
	}
	defer c.forget(from)
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(from, to) // ends with the connection, however that ends
		from.Close()
	})
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if bytes.HasPrefix(buf[:n], []byte("GET /live")) {
			c.note(from, true)
		}
		if _, e := to.Write(buf[:n]); err != nil || e != nil {
			break
		}
	}
	to.Close()
	back.Wait()
}

func (c *cutter) note(conn net.Conn, socket bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	if c.conns[conn] = socket; socket {
		c.sockets++
	}
	return true
}

func (c *cutter) forget(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.conns, conn)
}

// cut ends connections and returns how many; for good lets none be made any more.
func (c *cutter) cut(which func(socket bool) bool, forGood bool) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = c.closed || forGood
	for conn, socket := range c.conns {
		if which(socket) {
			conn.Close()
			n++
		}
	}
	return n
}

const (
	wantCuts = 100
	cutNames = 150 // different incidents that the changes are of
)

// testCuts cuts the websocket again and again, at random moments, while incidents are opened and counted: in the end
// the page shows what the host has.
func testCuts(t *testing.T, s *server, token string) {
	seed := setting("VEDETTE_SEED", int(time.Now().UnixNano()%1_000_000))
	rnd := rand.New(rand.NewPCG(uint64(seed), 2))
	proxy := newCutter(t, strings.TrimPrefix(s.url, "http://"))
	p := openPage(t, "cuts", "http://"+proxy.listen.Addr().String())
	p.signIn(s)
	p.says("live")
	s.feed(t.Context(), false)
	defer s.feed(t.Context(), true)
	round := 0
	stop := s.keepProbing(t.Context(), token, 25*time.Millisecond, func() []string { // about a hundred changes a second
		round++
		return []string{fmt.Sprintf("cut %d", round*7%cutNames), fmt.Sprintf("cut %d", (round*7+1)%cutNames), fmt.Sprintf("cut %d", (round*7+4)%cutNames)}
	})
	from, cuts := time.Now(), 0
	for cuts < wantCuts && time.Since(from) < 2*time.Minute {
		wait(t.Context(), time.Duration(rnd.IntN(400))*time.Millisecond)
		cuts += proxy.cut(func(socket bool) bool { return socket }, false)
	}
	took := time.Since(from)
	sent := stop()
	if cuts < wantCuts {
		t.Errorf("only %d cuts in %v", cuts, took)
	}
	s.drain(t.Context())
	p.says("live")
	p.press(".") // rows that wait above the list
	p.sameRows(s.openRows(t.Context()))
	t.Logf("%d cuts in %v, %d records sent, %d connections; VEDETTE_SEED=%d repeats the moments", cuts, took.Round(time.Millisecond), sent, proxy.sockets, seed)
}
