package logs

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

// savedClock remembers the time in a file, so that a start with a wrong clock does not delete what that clock calls
// too old. A clock that jumped by more than MaxClockJump is believed after an hour of running with it.
type savedClock struct {
	path  string
	start time.Time
	jump  time.Duration // now minus saved at start, when larger than MaxClockJump either way; else 0
	mu    sync.Mutex
}

func openClock(path string, now time.Time) (*savedClock, error) {
	c := &savedClock{path: path, start: now}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, c.save(now)
	} else if err != nil {
		return nil, fmt.Errorf("reading the saved clock: %w", err)
	}
	saved, err := time.Parse(time.RFC3339, string(bytes.TrimSpace(text)))
	if err != nil { // torn by a power cut: nothing to compare with
		return c, c.save(now)
	}
	if jump := now.Sub(saved); jump.Abs() > MaxClockJump {
		c.jump = jump
	}
	return c, nil
}

func (c *savedClock) save(now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.jump != 0 && now.Sub(c.start) < clockTrustedAfter {
		return nil
	}
	if err := writeFile(c.path, now.UTC().AppendFormat(nil, time.RFC3339)); err != nil {
		return fmt.Errorf("saving the clock: %w", err)
	}
	return nil
}

// writeFile replaces a file as a whole, even when the machine stops in between.
func writeFile(path string, data []byte) error {
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
