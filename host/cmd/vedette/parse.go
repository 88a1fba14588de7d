package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedette-siem/vedette/host"
	"github.com/vedette-siem/vedette/host/pipeline"
	"github.com/vedette-siem/vedette/host/queue"
	"github.com/vedette-siem/vedette/sdk/go/abi"
	"github.com/vedette-siem/vedette/storage"
)

func newParse() *cobra.Command {
	var jsonl bool
	c := &cobra.Command{
		Use:   "parse",
		Short: "Parse records from standard input with the shipped parsers and print the events",
		Long: `Parse records from standard input with the shipped parsers, in the sandbox, without any hint of their source.

Without --jsonl every line is a record. With --jsonl every line is {"id": …, "raw": "…"}. Each record gives one line:
{"id","ok","parser","generic","event","error"}; "generic" says that only a parser of a format took it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return parse(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), jsonl)
		},
	}
	c.Flags().BoolVar(&jsonl, "jsonl", false, `read {"id","raw"} lines`)
	return c
}

// parseInput is one line of --jsonl.
type parseInput struct {
	ID  any    `json:"id"`
	Raw string `json:"raw"`
}

// parseOutput is one printed line.
type parseOutput struct {
	ID      any            `json:"id"`
	OK      bool           `json:"ok"`
	Parser  string         `json:"parser"`
	Generic bool           `json:"generic"`
	Event   map[string]any `json:"event"`
	Error   string         `json:"error"`
}

const (
	maxParseLine  = 8 << 20
	parseAtOnce   = 256
	parseMaxBytes = 1 << 20 // of a batch
)

func parse(ctx context.Context, in io.Reader, out io.Writer, jsonl bool) error {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	p, err := host.NewOffline(ctx, filepath.Join(cache, "vedette"))
	if err != nil {
		return err
	}
	defer func() { _ = p.Close(ctx) }()
	w := bufio.NewWriterSize(out, 1<<20)
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxParseLine)
	var batch []parseInput
	size := 0
	flush := func() error {
		err := parseBatch(ctx, p, w, batch)
		batch, size = batch[:0], 0
		return err
	}
	for n := 1; lines.Scan(); n++ {
		x := parseInput{ID: n, Raw: lines.Text()}
		if jsonl {
			d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
			d.UseNumber()
			if err := d.Decode(&x); err != nil {
				return fmt.Errorf("line %d: want {\"id\",\"raw\"}: %w", n, err)
			}
		}
		batch = append(batch, x)
		size += len(x.Raw)
		if len(batch) == parseAtOnce || size > parseMaxBytes {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("a line is longer than %d bytes", maxParseLine)
	} else if err != nil {
		return err
	}
	if err := flush(); err != nil {
		return err
	}
	return w.Flush()
}

func parseBatch(ctx context.Context, p *host.Offline, w io.Writer, batch []parseInput) error {
	if len(batch) == 0 {
		return nil
	}
	now := time.Now().UnixNano()
	recs := make([]queue.Record, len(batch))
	for i, x := range batch {
		raw := []byte(x.Raw)
		if len(raw) > queue.MaxRecordBytes {
			raw = raw[:queue.MaxRecordBytes]
		}
		recs[i] = queue.Record{Raw: raw, Received: now, Source: queue.Source{Listener: "stdin"}}
	}
	parsed, err := p.Parse(ctx, recs)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for i, r := range parsed {
		o := parseOutput{ID: batch[i].ID, OK: r.Parser != "" && r.Error == "", Parser: r.Parser, Generic: r.Generic, Error: r.Error}
		if len(r.Events) > 0 {
			o.Event = flatJSON(&r.Events[0])
		}
		if err := enc.Encode(o); err != nil {
			return fmt.Errorf("print events: %w", err)
		}
	}
	return nil
}

// flatJSON shows an event as flat ECS JSON, lists as arrays.
func flatJSON(e *storage.Event) map[string]any {
	m := make(map[string]any, len(e.Fields)+2)
	for _, f := range e.Fields {
		if isHostField(f.Name) {
			continue
		}
		m[f.Name] = listOrText(f.Value)
	}
	m["@timestamp"] = string(abi.AppendTime(nil, e.Time))
	if own := e.Get(pipeline.FieldTimeAdjusted); own != "" { // a file may be older than what a live host believes
		m["@timestamp"] = own
	}
	if e.Stream != "" {
		m[storage.FieldDataset] = e.Stream
	}
	return m
}

func isHostField(name string) bool { return len(name) > 8 && name[:8] == "vedette." }

func listOrText(v string) any {
	if len(v) > 1 && v[0] == '[' && v[len(v)-1] == ']' {
		var list []string
		if json.Unmarshal([]byte(v), &list) == nil {
			return list
		}
	}
	return v
}
