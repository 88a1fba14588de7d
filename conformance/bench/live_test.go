package bench

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"google.golang.org/protobuf/encoding/protojson"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// liveClient follows the incidents as the console does, and notes when each planted one was first seen.
type liveClient struct {
	conn *websocket.Conn
	done chan struct{} // closed when reading has ended

	mu    sync.Mutex
	due   map[string]time.Time
	took  []time.Duration
	heard chan struct{} // one token: something planted has arrived
}

func watch(ctx context.Context, base, session string) (*liveClient, error) {
	conn, resp, err := websocket.DefaultDialer.DialContext(ctx, strings.Replace(base, "http", "ws", 1)+"/live",
		http.Header{"Authorization": {"Bearer " + session}})
	if err != nil {
		if resp != nil {
			err = errors.Join(err, errors.New(resp.Status))
		}
		return nil, err
	}
	c := &liveClient{conn: conn, done: make(chan struct{}), due: map[string]time.Time{}, heard: make(chan struct{}, 1)}
	if err := c.request(&v1.LiveRequest{Kind: &v1.LiveRequest_Subscribe{Subscribe: &v1.Subscribe{Topic: "incidents"}}}); err != nil {
		conn.Close()
		return nil, err
	}
	go c.read()
	return c, nil
}

func (c *liveClient) request(r *v1.LiveRequest) error {
	text, err := protojson.Marshal(r)
	if err != nil {
		return err
	}
	return c.conn.WriteMessage(websocket.TextMessage, text)
}

func (c *liveClient) read() {
	defer close(c.done)
	for {
		_, text, err := c.conn.ReadMessage()
		at := time.Now()
		if err != nil {
			return
		}
		var f v1.LiveFrame
		if protojson.Unmarshal(text, &f) != nil {
			return
		}
		for _, i := range f.GetChanges().GetIncidents() {
			c.saw(i.GetKey()["user.name"], at)
		}
		if c.request(&v1.LiveRequest{Kind: &v1.LiveRequest_Credit{Credit: &v1.Credit{Frames: 1}}}) != nil {
			return
		}
	}
}

// expect starts the clock of a planted event.
func (c *liveClient) expect(n int, due time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.due[plantedName(n)] = due
}

func (c *liveClient) saw(name string, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	due, ok := c.due[name]
	if !ok {
		return
	}
	delete(c.due, name)
	c.took = append(c.took, at.Sub(due))
	select {
	case c.heard <- struct{}{}:
	default:
	}
}

// wait returns the latencies when n planted events have arrived, or when the time is up.
func (c *liveClient) wait(n int, limit time.Duration) []time.Duration {
	up := time.NewTimer(limit)
	defer up.Stop()
	for {
		c.mu.Lock()
		got := len(c.took)
		c.mu.Unlock()
		if got >= n {
			break
		}
		select {
		case <-c.heard:
			continue
		case <-c.done:
		case <-up.C:
		}
		break
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.took
}

func (c *liveClient) close() {
	c.conn.Close()
	<-c.done
}
