package host

import (
	"sync"
	"time"

	"github.com/vedette-siem/vedette/sdk/go/abi"
)

// Bounds of the modules' log lines that are kept in memory.
const (
	maxLoggingModules = 4096
	linesPerModule    = 200
)

// Line is one line that a module logged.
type Line struct {
	At    time.Time
	Level string
	Text  string
}

// moduleLog keeps the newest lines of each module, by digest.
type moduleLog struct {
	mu    sync.Mutex
	lines map[string][]Line
}

func newModuleLog() *moduleLog { return &moduleLog{lines: map[string][]Line{}} }

var levelNames = map[uint32]string{abi.LogDebug: "debug", abi.LogInfo: "info", abi.LogWarn: "warn", abi.LogError: "error"}

// write is the runtime's log sink.
func (l *moduleLog) write(digest string, level uint32, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	kept, known := l.lines[digest]
	if !known && len(l.lines) >= maxLoggingModules {
		return
	}
	if len(kept) == linesPerModule {
		kept = append(kept[:0], kept[1:]...)
	}
	l.lines[digest] = append(kept, Line{At: time.Now(), Level: levelNames[level], Text: text})
}

// of returns the newest lines of a module, oldest first.
func (l *moduleLog) of(digest string, limit int) []Line {
	l.mu.Lock()
	defer l.mu.Unlock()
	kept := l.lines[digest]
	if limit > 0 && len(kept) > limit {
		kept = kept[len(kept)-limit:]
	}
	return append([]Line(nil), kept...)
}
