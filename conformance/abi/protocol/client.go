package protocol

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"
)

// Client drives a host at the other end of two streams. It is safe for concurrent use.
type Client struct {
	in    io.WriteCloser
	end   func() error
	write sync.Mutex

	mu      sync.Mutex
	last    int
	waiting map[int]chan Reply
	gone    error // why the host is not there any more
	done    chan struct{}
}

// NewClient returns a client that writes requests to in and reads replies from out. end frees what is behind them and
// says how it ended; Shutdown calls it.
func NewClient(in io.WriteCloser, out io.Reader, end func() error) *Client {
	c := &Client{in: in, end: end, waiting: map[int]chan Reply{}, done: make(chan struct{})}
	go c.read(out)
	return c
}

// Start runs a program as a host and connects to its standard streams. What it writes to standard error goes to errs.
func Start(ctx context.Context, errs io.Writer, name string, args ...string) (*Client, error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = errs
	cmd.WaitDelay = time.Second
	in, err := cmd.StdinPipe()
	if err != nil {
		cancel()
		return nil, fmt.Errorf("start the host: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		cancel()
		return nil, fmt.Errorf("start the host: %w", err)
	}
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, fmt.Errorf("start the host: %w", err)
	}
	return NewClient(in, out, func() error {
		cancel()
		return cmd.Wait()
	}), nil
}

func (c *Client) read(out io.Reader) {
	lines := bufio.NewReaderSize(out, 64<<10)
	err := func() error {
		for {
			text, err := readLine(lines)
			if err != nil {
				return err
			}
			var r Reply
			d := json.NewDecoder(bytes.NewReader(text))
			d.DisallowUnknownFields()
			if err := d.Decode(&r); err != nil {
				return fmt.Errorf("not a reply: %w", err)
			}
			c.mu.Lock()
			to := c.waiting[r.ID]
			delete(c.waiting, r.ID)
			c.mu.Unlock()
			if to == nil {
				return fmt.Errorf("a reply to request %d, which nobody waits for", r.ID)
			}
			to <- r
		}
	}()
	if errors.Is(err, io.EOF) {
		err = errors.New("it ended")
	}
	c.mu.Lock()
	c.gone = fmt.Errorf("the host is gone: %w", err)
	c.mu.Unlock()
	close(c.done)
}

// Do sends one request and waits for its reply.
func (c *Client) Do(ctx context.Context, q Request) (Reply, error) {
	to := make(chan Reply, 1)
	c.mu.Lock()
	if err := c.gone; err != nil {
		c.mu.Unlock()
		return Reply{}, err
	}
	c.last++
	q.ID = c.last
	c.waiting[q.ID] = to
	c.mu.Unlock()
	text, err := json.Marshal(q)
	if err != nil {
		return Reply{}, fmt.Errorf("request: %w", err)
	}
	c.write.Lock()
	_, err = c.in.Write(append(text, '\n'))
	c.write.Unlock()
	if err != nil {
		return Reply{}, fmt.Errorf("send a request: %w", err)
	}
	select {
	case r := <-to:
		return r, nil
	case <-ctx.Done():
		return Reply{}, fmt.Errorf("wait for the host: %w", ctx.Err())
	case <-c.done:
	}
	select {
	case r := <-to:
		return r, nil
	default:
		return Reply{}, c.gone
	}
}

// Shutdown ends the host and waits for it. How a killed process ended is no error.
func (c *Client) Shutdown() error {
	err := c.in.Close()
	ended := c.end()
	<-c.done
	var exit *exec.ExitError
	if errors.As(ended, &exit) {
		ended = nil
	}
	return errors.Join(err, ended)
}
