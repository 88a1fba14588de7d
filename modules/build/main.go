// Command build makes modules/dist of the module folders: what git holds is what the pinned toolchain makes of them.
//
//	go run ./modules/build            build what has changed, write dist, lock.json and the table in README.md
//	go run ./modules/build -all       build everything
//	go run ./modules/build -check     build nothing: do sources, lock and dist belong together?
//	go run ./modules/build -verify    build everything and compare with dist byte for byte, writing nothing
//
// It runs from the root of the repository and needs .tmp/bin/tinygo (make .tmp/bin/tinygo) when there is something to
// build.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "modules:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("build", flag.ContinueOnError)
	flags.SetOutput(out)
	all := flags.Bool("all", false, "build modules that have not changed too")
	check := flags.Bool("check", false, "build nothing; report what does not belong together")
	verify := flags.Bool("verify", false, "build everything and compare byte for byte, writing nothing")
	root := flags.String("root", ".", "root of the repository")
	tinygo := flags.String("tinygo", "", "TinyGo to build with (default .tmp/bin/tinygo below the root)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	t, err := openTree(*root, *tinygo)
	if err != nil {
		return err
	}
	switch {
	case *check && (*all || *verify), *all && *verify:
		return errors.New("-all, -check and -verify exclude each other")
	case *check:
		return t.check(out)
	case *verify:
		return t.verify(ctx, out)
	default:
		return t.build(ctx, out, *all)
	}
}
