package settings_test

import (
	"slices"
	"testing"

	"github.com/vedette-siem/vedette/sdk/go/settings"
)

func TestRead(t *testing.T) {
	v, err := settings.Read([]byte(`{"a":"x\ny","n":42,"l":["1","2"],"o":{"p":true},"big":12345678901234567890}`))
	if err != nil || v.Text("a", "") != "x\ny" || v.Int("n", 0) != 42 || !slices.Equal(v["l"], []string{"1", "2"}) || !v.Bool("o.p", false) || v.Int("big", 7) != 7 || v.Text("none", "d") != "d" {
		t.Errorf("%v %v", v, err)
	}
	if _, err := settings.Read([]byte(`{"a"`)); err == nil {
		t.Error("broken JSON is taken")
	}
	if v, err := settings.Read(nil); err != nil || v.Bool("x", true) != true {
		t.Errorf("%v %v", v, err)
	}
}
