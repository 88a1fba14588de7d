package protocol

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// concurrent is how many requests a server works on at once; more wait.
const concurrent = 16

// Serve answers the requests that come in with h, each as it is done, until in ends or ctx does. The error says which
// line was no message, or what writing failed with.
func Serve(ctx context.Context, h Host, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		wrong error
		slots = make(chan struct{}, concurrent)
	)
	defer wg.Wait()
	answer := func(r Reply) {
		text, err := json.Marshal(r)
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			_, err = out.Write(append(text, '\n'))
		}
		if err != nil && wrong == nil {
			wrong = fmt.Errorf("answer request %d: %w", r.ID, err)
			cancel()
		}
	}
	lines := bufio.NewReaderSize(in, 64<<10)
	for ctx.Err() == nil {
		text, err := readLine(lines)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read a request: %w", err)
		}
		q := Request{}
		if err := decode(text, &q); err != nil {
			answer(Reply{ID: q.ID, Code: CodeRequest, Detail: err.Error()})
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			r, err := h.Do(ctx, q)
			if err != nil {
				r = Reply{Code: CodeHost, Detail: err.Error()}
			}
			r.ID = q.ID
			answer(r)
		})
	}
	wg.Wait()
	mu.Lock()
	defer mu.Unlock()
	return wrong
}

// decode reads one message and refuses members that it does not know.
func decode(text []byte, q *Request) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(q); err != nil {
		return fmt.Errorf("not a request: %w", err)
	}
	return nil
}

var errLine = fmt.Errorf("a line of more than %d bytes", MaxLineBytes)

// readLine returns the next line without its end, and EOF when there is none.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > MaxLineBytes {
			return nil, errLine
		}
		line = append(line, part...)
		switch {
		case err == nil:
			return line[:len(line)-1], nil
		case errors.Is(err, io.EOF) && len(line) > 0:
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}
