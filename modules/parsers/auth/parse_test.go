package main

import (
	"testing"

	"github.com/vedette-siem/vedette/modules/moduletest"
	sdk "github.com/vedette-siem/vedette/sdk/go"
)

var parser = sdk.Parser{Parse: Parse}

const sample = `<38>Feb 29 08:00:02 web-3 sshd[2102]: Failed password for invalid user oracle from 203.0.113.7 port 40022 ssh2`

func TestCases(t *testing.T) { moduletest.Cases(t, parser) }

func FuzzParse(f *testing.F) {
	moduletest.Fuzz(f, parser, sample, "Mar  1 09:00:07 h sudo: a : TTY=pts/0 ; USER=root ; COMMAND=/bin/sh", "Mar  1 09:00:07 h x[1]: pam_unix(x:session): session opened for user a(uid=1) by b(uid=2)", "Mar  1 10:00:00 h useradd[1]: new user: name=a, UID=1, name=b", "Mar  1 10:00:00 h su: FAILED SU (to root) a on p", "Mar  1 10:00:00 h dropbear: Bad password attempt for 'a' from 192.0.2.1:1", "Mar  1 10:00:00 h CRON[1]: (root) CMD (x)")
}

func BenchmarkParse(b *testing.B) { moduletest.Benchmark(b, parser, sample) }
