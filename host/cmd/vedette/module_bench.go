package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	"github.com/vedette-siem/vedette/host/author"
	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

func newModuleBench() *cobra.Command {
	var toolchain, settings, output, baseline, samples string
	var within time.Duration
	var tolerance float64
	var update, live bool
	var organization uint32
	c := &cobra.Command{
		Use:   "bench [FOLDER|FILE.tar]",
		Short: "Measure what a module costs, and compare it with a baseline or with what is installed",
		Long: `Measure what a module costs: records a second in the sandbox on one core, and fuel and bytes, which are exact.

Since the same module takes the same fuel on every machine, --baseline is a gate that needs no quiet machine: the file
is written when it is not there, and else the command fails when fuel or output of the same records have grown by more
than --tolerance percent. With --installed the version that a host runs is measured on the same records, there.`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: folders,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkForm(output); err != nil {
				return err
			}
			s, _, err := openSandbox(cmd, args, toolchain, settings)
			if err != nil {
				return err
			}
			defer s.Close() //nolint:errcheck // frees memory
			records, err := (&sampleSet{file: samples}).list()
			if err != nil {
				return err
			}
			cost, err := s.Bench(cmd.Context(), records, within)
			if err != nil {
				return err
			}
			b := bench{Cost: cost}
			if live {
				if b.Installed, err = benchInstalled(cmd, s.Package(), records, s.CaseRecords(), organization); err != nil {
					return err
				}
			}
			if baseline != "" {
				if err := b.compare(baseline, update, tolerance/100); err != nil && !errors.Is(err, author.ErrDearer) {
					return err
				} else if err != nil {
					return errors.Join(b.print(cmd.OutOrStdout(), output), err)
				}
			}
			return b.print(cmd.OutOrStdout(), output)
		},
	}
	addToolchainFlag(c, &toolchain)
	addFormFlag(c, &output)
	c.Flags().StringVar(&settings, "settings", "", "JSON file with the module's settings")
	c.Flags().StringVar(&samples, "samples", "", "file with records, one on each line (default: those of the module's cases)")
	c.Flags().DurationVar(&within, "time", 2*time.Second, "how long to measure the rate")
	c.Flags().StringVar(&baseline, "baseline", "", "file to compare with; it is written when it is not there")
	c.Flags().BoolVar(&update, "update", false, "write the baseline anew")
	c.Flags().Float64Var(&tolerance, "tolerance", 1, "how many percent fuel and output may grow")
	c.Flags().BoolVar(&live, "installed", false, "compare with the version that a host runs")
	c.Flags().Uint32Var(&organization, "organization", 0, "number of the organization whose installed version it is (default: the first that you see)")
	return addServerFlag(c)
}

// bench is what is printed.
type bench struct {
	author.Cost
	Baseline  *author.Cost `json:"baseline,omitempty"`
	Wrote     string       `json:"wrote,omitempty"` // the baseline, when it was written
	Installed *otherCost   `json:"installed,omitempty"`
}

// otherCost is what two versions took for the same records on a host.
type otherCost struct {
	Version string `json:"version"`
	Records int    `json:"records"`
	Fuel    uint64 `json:"fuel"`     // of the version that runs
	Now     uint64 `json:"fuel_now"` // of this one
}

// compare reads or writes the baseline.
func (b *bench) compare(file string, update bool, tolerance float64) error {
	base, ok, err := author.ReadCost(file)
	if err != nil && !update {
		return err
	}
	if !ok || update {
		b.Wrote = file
		return b.Write(file)
	}
	b.Baseline = &base
	return b.Against(&base, tolerance)
}

func (b *bench) print(w io.Writer, output string) error {
	if output == "json" {
		return json.NewEncoder(w).Encode(map[string]any{
			"cost": b.Cost, "fuel_per_record": b.FuelPerRecord(), "fuel_per_million": b.FuelPerMillion(), "seconds_per_million": b.SecondsPerMillion(),
			"baseline": b.Baseline, "wrote": b.Wrote, "installed": b.Installed,
		})
	}
	fmt.Fprintf(w, "module       %s, %d bytes of code\n", b.Module, b.Code)
	fmt.Fprintf(w, "records      %d different ones, %d bytes a batch of 256\n", b.Records, b.Bytes)
	fmt.Fprintf(w, "rate         %.0f records/s on one core of this machine, %.1f MB/s\n", b.PerSecond, b.PerSecond*float64(b.Bytes)/256/1e6)
	fmt.Fprintf(w, "fuel         %.1f a record (exact)\n", b.FuelPerRecord())
	fmt.Fprintf(w, "output       %d bytes, %d events a batch\n", b.Output, b.Events)
	if b.Failures > 0 {
		fmt.Fprintf(w, "falls on     %d of 256 records\n", b.Failures)
	}
	fmt.Fprintf(w, "per million  %s fuel, %.2f s of one core", big(b.FuelPerMillion()), b.SecondsPerMillion())
	if b.Baseline != nil {
		fmt.Fprintf(w, "; before your edit %s fuel (%s)", big(b.Baseline.FuelPerMillion()), author.Growth(float64(b.Baseline.Fuel), float64(b.Fuel)))
	}
	fmt.Fprintln(w)
	if x := b.Installed; x != nil {
		each := func(fuel uint64) string { return big(float64(fuel) / float64(x.Records) * 1e6) }
		fmt.Fprintf(w, "installed    %s: %s fuel per million records, with this one %s (%s)\n", x.Version, each(x.Fuel), each(x.Now), author.Growth(float64(x.Fuel), float64(x.Now)))
	}
	if b.Wrote != "" {
		fmt.Fprintf(w, "baseline     written to %s\n", b.Wrote)
	}
	return nil
}

// big writes a large figure for people: "3.21 G".
func big(v float64) string {
	for _, unit := range []string{"", " k", " M", " G", " T"} {
		if v < 1000 {
			return fmt.Sprintf("%.3g%s", v, unit)
		}
		v /= 1000
	}
	return fmt.Sprintf("%.3g P", v)
}

// benchInstalled has a host run what it has and this version on the same records.
func benchInstalled(cmd *cobra.Command, p manifest.Package, records, cases [][]byte, organization uint32) (*otherCost, error) {
	slot, err := newDevSlot(cmd, organization, nil)
	if err != nil {
		return nil, err
	}
	if len(records) == 0 {
		records = cases
	}
	records = records[:min(len(records), author.MaxTrialRecords)]
	if err := slot.remember(cmd.Context(), p.Manifest.Publisher+"/"+p.Manifest.Name, p.Manifest.Version); err != nil {
		return nil, err
	}
	if slot.before == nil {
		return nil, fmt.Errorf("%s runs no %s for %s: there is nothing to compare with", slot.server, slot.name, slot.organization)
	}
	run := func(req *v1.PreviewModuleRequest) (uint64, error) {
		req.Tenant, req.Samples = slot.tenant, records
		resp, err := slot.modules.PreviewModule(cmd.Context(), connect.NewRequest(req))
		if err != nil {
			return 0, err
		}
		return resp.Msg.Fuel, nil
	}
	x := &otherCost{Version: slot.before.Version, Records: len(records)}
	if x.Fuel, err = run(&v1.PreviewModuleRequest{Candidate: &v1.PreviewModuleRequest_Name{Name: slot.name}}); err != nil {
		return nil, err
	}
	tar, err := packed(p)
	if err != nil {
		return nil, err
	}
	x.Now, err = run(&v1.PreviewModuleRequest{Candidate: &v1.PreviewModuleRequest_Package{Package: tar}})
	return x, err
}

func newModuleFuzz() *cobra.Command {
	var toolchain, settings, output string
	var within time.Duration
	var seed uint64
	c := &cobra.Command{
		Use:   "fuzz [FOLDER|FILE.tar]",
		Short: "Change the records of a parser's cases at random, and keep what it falls on, as short as possible",
		Args:  cobra.MaximumNArgs(1), ValidArgsFunction: folders,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkForm(output); err != nil {
				return err
			}
			s, dir, err := openSandbox(cmd, args, toolchain, settings)
			if err != nil {
				return err
			}
			defer s.Close() //nolint:errcheck // frees memory
			if seed == 0 {
				seed = rand.Uint64()
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "seed %d\n", seed)
			f, err := s.Fuzz(cmd.Context(), seed, within, func(n int) { fmt.Fprintf(cmd.ErrOrStderr(), "%d records\n", n) })
			if err != nil {
				return err
			}
			return printFuzzed(cmd.OutOrStdout(), s.Module.Manifest.Reference(), dir, &f, output)
		},
	}
	addToolchainFlag(c, &toolchain)
	addFormFlag(c, &output)
	c.Flags().StringVar(&settings, "settings", "", "JSON file with the module's settings")
	c.Flags().DurationVar(&within, "time", 30*time.Second, "how long to try")
	c.Flags().Uint64Var(&seed, "seed", 0, "tries the same records in the same order as the run that printed it (default: a new one)")
	return c
}

// printFuzzed tells what was found, and keeps the records below build/fuzz.
func printFuzzed(w io.Writer, name, dir string, f *author.Fuzzed, output string) error {
	var files []string
	for i, x := range f.Found {
		if dir == "" {
			break
		}
		file := filepath.Join("build", "fuzz", fmt.Sprintf("%d-%d.bin", f.Seed, i+1))
		err := os.MkdirAll(filepath.Join(dir, "build", "fuzz"), 0o755)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, file), x.Record, 0o644)
		}
		if err != nil {
			return fmt.Errorf("keep a record: %w", err)
		}
		files = append(files, file)
	}
	if output == "json" {
		if err := json.NewEncoder(w).Encode(map[string]any{"module": name, "seed": f.Seed, "records": f.Records, "found": f.Found, "files": files}); err != nil {
			return err
		}
	} else {
		for i, x := range f.Found {
			fmt.Fprintf(w, "FALLS %s\n%s\n", x.Crash, indent(dump(x.Record)))
			if files != nil {
				fmt.Fprintf(w, "    kept in %s\n", files[i])
			}
		}
	}
	if len(f.Found) > 0 {
		return fmt.Errorf("%s: it falls in %d ways (%d records, seed %d)", name, len(f.Found), f.Records, f.Seed)
	}
	if output == "text" {
		fmt.Fprintf(w, "ok  %s  %d records, seed %d\n", name, f.Records, f.Seed)
	}
	return nil
}

// dump shows a record as text when it is some, else its bytes.
func dump(b []byte) string {
	text := bytes.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, b)
	if len(text) == len(b) {
		return string(b)
	}
	return hex.Dump(b[:min(len(b), 256)])
}
