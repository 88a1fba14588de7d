package main

import (
	"testing"

	"github.com/vedette-siem/vedette/modules/moduletest"
	sdk "github.com/vedette-siem/vedette/sdk/go"
)

func TestCases(t *testing.T) { moduletest.Polls(t, sdk.Monitor{Init: Init, Poll: Poll}) }

func FuzzCursor(f *testing.F) {
	if err := Init(nil); err != nil {
		f.Fatal(err)
	}
	f.Add("1700000000000000000 36000000\n1 1 1000 2000 true\n")
	f.Fuzz(func(t *testing.T, text string) {
		s := readCursor([]byte(text))
		if again := readCursor(s.cursor()); again.at != s.at || again.up != s.up || len(again.ports) != min(len(s.ports), set.most) {
			t.Errorf("%q gives %+v, and then %+v", text, s, again)
		}
	})
}

func TestRate(t *testing.T) {
	for _, c := range []struct {
		before, now uint64
		ms          int64
		wide        bool
		want        int64
	}{
		{0, 1000, 1000, true, 8000},
		{1 << 32, 1<<32 + 1000, 500, true, 16000},
		{4294967000, 704, 1000, false, 8000},
		{10, 5, 1000, true, 0},
	} {
		if got := rate(c.before, c.now, c.ms, c.wide); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}
