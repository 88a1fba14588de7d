package runtime

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// ErrCompile says that a module could not be compiled within its limits. It is no *Trap: how long compiling takes is the
// machine's, so it keeps a module from being admitted and never decides about one that was.
var ErrCompile = errors.New("E_COMPILE: the module was not compiled")

// Limits of compiling, which no fuel bounds: of the process that does it.
const (
	MaxCompileTime   = 60 * time.Second // wall clock
	MaxCompileCPU    = 30               // seconds
	MaxCompileMemory = 1 << 30          // bytes
	maxMeteredBytes  = 64 << 20         // of code, several times what the meter takes
	maxCompileError  = 1 << 10          // bytes of what it says
)

// precompile has a process of its own compile foreign code into the cache on disk, from where the engine takes it. A
// compiler that loops, or eats the memory, then ends without this process. Without such a cache, or without
// Config.Compiler, this process compiles.
func (m *Module) precompile(ctx context.Context, wasm []byte) error {
	h := m.host
	if len(h.cfg.Compiler) == 0 || h.cacheDir == "" || h.cfg.Trusted != nil && h.cfg.Trusted(m.spec.Wasm) {
		return nil
	}
	sum := sha256.Sum256(wasm)
	mark := filepath.Join(h.cacheDir, "compiled-"+hex.EncodeToString(sum[:]))
	if _, err := os.Lstat(mark); err == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, MaxCompileTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, h.cfg.Compiler[0], append(h.cfg.Compiler[1:], h.cacheDir)...) //nolint:gosec // our own binary
	cmd.Stdin = bytes.NewReader(wasm)
	cmd.Env = []string{"GOMAXPROCS=1"}
	said := limitedBuffer{left: maxCompileError}
	cmd.Stderr = &said
	err := cmd.Run()
	switch {
	case err == nil:
		return os.WriteFile(mark, nil, 0o600)
	case ctx.Err() != nil:
		return fmt.Errorf("compile %s: it took longer than %v: %w", m.spec.Digest, MaxCompileTime, errors.Join(ErrCompile, context.Cause(ctx)))
	}
	return fmt.Errorf("compile %s: %w (%w) %s", m.spec.Digest, ErrCompile, err, strings.ToValidUTF8(strings.TrimSpace(said.text.String()), "\uFFFD"))
}

// limitedBuffer keeps the beginning of what is written.
type limitedBuffer struct {
	text bytes.Buffer
	left int
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	n := min(len(p), b.left)
	b.left -= n
	b.text.Write(p[:n])
	return len(p), nil
}

// CompileTo is the other end of Config.Compiler: it reads metered code and compiles it into the cache in dir.
func CompileTo(ctx context.Context, dir string, wasm io.Reader) error {
	if err := limitProcess(); err != nil {
		return fmt.Errorf("set the limits of this process: %w", err)
	}
	code, err := io.ReadAll(io.LimitReader(wasm, maxMeteredBytes+1))
	if err != nil {
		return fmt.Errorf("read the module: %w", err)
	}
	if len(code) > maxMeteredBytes {
		return fmt.Errorf("read the module: it has more than %d bytes", maxMeteredBytes)
	}
	if err := privateDir(dir); err != nil {
		return err
	}
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return err
	}
	engine := newEngine(ctx, cache)
	_, err = engine.CompileModule(ctx, code)
	return errors.Join(err, engine.Close(ctx), cache.Close(ctx))
}

func newEngine(ctx context.Context, cache wazero.CompilationCache) wazero.Runtime {
	return wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().WithCoreFeatures(api.CoreFeaturesV2).WithCompilationCache(cache))
}
