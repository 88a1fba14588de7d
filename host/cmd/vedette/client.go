package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
)

// defaultServer is where a host on this machine listens.
const defaultServer = "http://localhost:8080"

// maxSessionFile bounds what is read back of the session file.
const maxSessionFile = 64 << 10

// sessions is the session file: a token for each server, and which one was signed in to last.
type sessions struct {
	Server string            `json:"server"`
	Tokens map[string]string `json:"tokens"`
}

func sessionFile() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find the session file: %w", err)
	}
	return filepath.Join(dir, "vedette", "session.json"), nil
}

// readSessions returns what is in the session file, and nothing when there is none.
func readSessions() (sessions, error) {
	s := sessions{Tokens: map[string]string{}}
	name, err := sessionFile()
	if err != nil {
		return s, nil //nolint:nilerr // without a home there are only the environment and the flags
	}
	b, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("read the session file: %w", err)
	}
	if len(b) > maxSessionFile || json.Unmarshal(b, &s) != nil {
		return s, fmt.Errorf("the session file %s is damaged; remove it and run vedette login", name)
	}
	if s.Tokens == nil {
		s.Tokens = map[string]string{}
	}
	return s, nil
}

// write replaces the session file. Only its owner can read it.
func (s sessions) write() error {
	name, err := sessionFile()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fmt.Errorf("write the session file: %w", err)
	}
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("write the session file: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".session-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write the session file: %w", err)
	}
	_, err = f.Write(append(b, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("write the session file: %w", err)
	}
	return nil
}

// session is a server and the right to ask it.
type session struct {
	server string
	token  string
}

// addServerFlag adds --server, which all commands that talk to a host have.
func addServerFlag(c *cobra.Command) *cobra.Command {
	c.Flags().String("server", "", "URL of the host (default: VEDETTE_SERVER, the last login, "+defaultServer+")")
	return c
}

// serverOf returns the host that a command talks to: the flag, the environment, the last login, this machine.
func serverOf(cmd *cobra.Command, s sessions) (string, error) {
	server, err := cmd.Flags().GetString("server")
	if err != nil {
		return "", err
	}
	for _, other := range []string{os.Getenv("VEDETTE_SERVER"), s.Server, defaultServer} {
		if server == "" {
			server = other
		}
	}
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return "", fmt.Errorf("server %q: want a URL such as %s", server, defaultServer)
	}
	return strings.TrimRight(server, "/"), nil
}

// open returns the session that a command uses.
func open(cmd *cobra.Command) (session, error) {
	s, err := readSessions()
	if err != nil {
		return session{}, err
	}
	server, err := serverOf(cmd, s)
	if err != nil {
		return session{}, err
	}
	token := os.Getenv("VEDETTE_TOKEN")
	if token == "" {
		token = s.Tokens[server]
	}
	if token == "" {
		return session{}, fmt.Errorf("not signed in to %s: run vedette login --server %s", server, server)
	}
	return session{server, token}, nil
}

// ask makes a client of one service for a session.
func ask[C any](s session, client func(connect.HTTPClient, string, ...connect.ClientOption) C) C {
	// No limit on the whole: searches, tails and installations take as long as they take.
	h := &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second, ForceAttemptHTTP2: true,
	}}
	return client(h, s.server, connect.WithInterceptors(&bearer{s}))
}

// bearer puts the session's token on each call and says errors in words that help at a prompt.
type bearer struct{ session }

func (b *bearer) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, r connect.AnyRequest) (connect.AnyResponse, error) {
		b.sign(r.Header())
		resp, err := next(ctx, r)
		return resp, b.explain(err)
	}
}

func (b *bearer) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return func(ctx context.Context, spec connect.Spec) connect.StreamingClientConn {
		conn := next(ctx, spec)
		b.sign(conn.RequestHeader())
		return conn
	}
}

func (b *bearer) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}

func (b *bearer) sign(h http.Header) {
	if b.token != "" {
		h.Set("Authorization", "Bearer "+b.token)
	}
}

// explain turns a wire error into a sentence.
func (b *bearer) explain(err error) error {
	var e *connect.Error
	if !errors.As(err, &e) {
		return err
	}
	var net net.Error
	switch {
	case e.Code() == connect.CodeUnauthenticated && b.token != "":
		return fmt.Errorf("the session at %s has ended: run vedette login --server %s", b.server, b.server)
	case errors.As(err, &net) && e.Code() == connect.CodeUnavailable:
		return fmt.Errorf("cannot reach %s: %w", b.server, net)
	}
	return errors.New(e.Message())
}
