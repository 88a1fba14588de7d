package api_test

import (
	"strings"
	"testing"

	"connectrpc.com/connect"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// A request that waits is compared like its package: by who may change modules of its organization, and by nobody else.
func TestBacktestOfRequest(t *testing.T) {
	w := newWorld(t)
	ask := func(u *who, id uint64) error {
		stream, err := u.backtests.BacktestModule(t.Context(), req(&v1.BacktestModuleRequest{Candidate: &v1.BacktestModuleRequest_Request{Request: id}}))
		if err != nil {
			return err
		}
		defer stream.Close()
		for stream.Receive() {
		}
		return stream.Err()
	}
	for _, c := range []struct {
		name string
		who  *who
		id   uint64
		code connect.Code
		says string
	}{
		{"the analyst who asked", w.ann, w.waiting, connect.CodeInvalidArgument, "is a monitor"}, // its package was read
		{"who may only look", w.carl, w.waiting, connect.CodePermissionDenied, ""},
		{"somebody of another organization", w.ben, w.waiting, connect.CodeNotFound, ""},
		{"a request that is not there", w.ann, w.waiting + 1, connect.CodeNotFound, ""},
	} {
		if err := ask(c.who, c.id); connect.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %v %q", c.name, err, c.code, c.says)
		}
	}
}
