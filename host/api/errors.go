package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"connectrpc.com/connect"

	"github.com/vedette-siem/vedette/registry"
	"github.com/vedette-siem/vedette/storage"
)

// kinds maps the kinds of error that the rooms know to the wire. The first that fits counts.
var kinds = []struct {
	kind error
	code connect.Code
}{
	{context.Canceled, connect.CodeCanceled},
	{context.DeadlineExceeded, connect.CodeDeadlineExceeded},
	{storage.ErrUnauthorized, connect.CodeUnauthenticated},
	{storage.ErrForbidden, connect.CodePermissionDenied},
	{storage.ErrNotFound, connect.CodeNotFound},
	{storage.ErrConflict, connect.CodeAborted},
	{storage.ErrExhausted, connect.CodeResourceExhausted},
	{storage.ErrUnavailable, connect.CodeUnavailable},
	{storage.ErrInvalid, connect.CodeInvalidArgument},
	{ErrNoDemo, connect.CodeFailedPrecondition},
	{registry.ErrNotFound, connect.CodeNotFound},
	{registry.ErrConflict, connect.CodeAborted},
	{registry.ErrInvalid, connect.CodeInvalidArgument},
	{registry.ErrUntrusted, connect.CodePermissionDenied},
	{registry.ErrExhausted, connect.CodeResourceExhausted},
	{registry.ErrDenied, connect.CodeFailedPrecondition}, // to this host, by a remote registry: no sign-in here helps
	{registry.ErrUnavailable, connect.CodeUnavailable},
	{registry.ErrCorrupt, connect.CodeDataLoss},
}

// code returns what err is on the wire; CodeInternal for an error of no known kind.
func code(err error) connect.Code {
	var known *connect.Error
	if errors.As(err, &known) {
		return known.Code()
	}
	for _, k := range kinds {
		if errors.Is(err, k.kind) {
			return k.code
		}
	}
	return connect.CodeInternal
}

var errInternal = errors.New("internal error; the host's log says more")

// errorMapper turns errors into their wire form. The text of an unknown one stays here: it may hold what the caller
// must not see.
type errorMapper struct{ report func(error) }

func (m *errorMapper) wire(procedure string, err error) error {
	if err == nil {
		return nil
	}
	c := code(err)
	var known *connect.Error
	switch {
	case errors.As(err, &known):
		return known
	case c == connect.CodeInternal || c == connect.CodeDataLoss:
		m.report(fmt.Errorf("%s: %w", procedure, err))
		return connect.NewError(c, errInternal)
	}
	return connect.NewError(c, plain(err))
}

// plain leaves out the name of the kind at the end of an error's text: the code says it.
func plain(err error) error {
	for _, k := range kinds {
		if text, ok := strings.CutSuffix(err.Error(), ": "+k.kind.Error()); ok && errors.Is(err, k.kind) {
			return errors.New(text)
		}
	}
	return err
}

// WrapUnary implements connect.Interceptor.
func (m *errorMapper) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		resp, err := next(ctx, req)
		return resp, m.wire(req.Spec().Procedure, err)
	}
}

// WrapStreamingClient implements connect.Interceptor.
func (m *errorMapper) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// WrapStreamingHandler implements connect.Interceptor.
func (m *errorMapper) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		return m.wire(conn.Spec().Procedure, next(ctx, conn))
	}
}

// recovered makes a panic an error of that call alone.
func recovered(_ context.Context, _ connect.Spec, _ http.Header, p any) error {
	return fmt.Errorf("panic: %v", p)
}
