package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	gossh "golang.org/x/crypto/ssh"

	"github.com/vedette-siem/vedette/host/runtime"
	"github.com/vedette-siem/vedette/sdk/go/ssh"
	"github.com/vedette-siem/vedette/sdk/manifest"
)

// HostKeyError says that a device showed a key that nobody has approved for it.
type HostKeyError struct {
	Key         string // in the form of authorized_keys: what a person approves
	Fingerprint string // "SHA256:…", as ssh-keygen shows it
	Known       bool   // other keys were approved: the device, or what is in its place, has changed
}

func (e *HostKeyError) Error() string {
	if e.Known {
		return "the device shows another host key than the one that was approved: " + e.Fingerprint
	}
	return "nobody has approved the device's host key: " + e.Fingerprint
}

// Unwrap makes errors.Is(err, runtime.ErrDenied) true.
func (*HostKeyError) Unwrap() error { return runtime.ErrDenied }

// ParseHostKey reads a key in the form of authorized_keys and returns that form without a comment.
func ParseHostKey(text string) (string, gossh.PublicKey, error) {
	key, _, _, _, err := gossh.ParseAuthorizedKey([]byte(text)) //nolint:dogsled // the rest are comment, options and what follows
	if err != nil {
		return "", nil, errors.New("want a host key such as \"ssh-ed25519 AAAA…\"")
	}
	return strings.TrimSpace(string(gossh.MarshalAuthorizedKey(key))), key, nil
}

// Fingerprint returns that of a key in the form of authorized_keys, as ssh-keygen shows it; "" for what is no key.
func Fingerprint(text string) string {
	_, key, err := ParseHostKey(text)
	if err != nil {
		return ""
	}
	return gossh.FingerprintSHA256(key)
}

// SSH returns what runs the granted commands on a device that shows one of the approved host keys. seen, when it is not
// nil, is told of a key that nobody has approved.
func (p *Prober) SSH(at Place, c Credential, approved []string, commands []manifest.Command, seen func(*HostKeyError)) runtime.SSH {
	return func(ctx context.Context, name string, args []string) (ssh.Result, error) {
		k := slices.IndexFunc(commands, func(c manifest.Command) bool { return c.ID == name })
		if k < 0 {
			return ssh.Result{}, denied("the command %.64q was not granted", name)
		}
		line, err := commands[k].Fill(args)
		if err != nil {
			return ssh.Result{}, denied("%v", err)
		}
		began := p.now()
		client, err := signIn(ctx, at, c, approved)
		if err != nil {
			var key *HostKeyError
			if errors.As(err, &key) && seen != nil {
				seen(key)
			}
			return ssh.Result{}, told(ctx, err)
		}
		defer shut(client)
		defer context.AfterFunc(ctx, func() { shut(client) })()
		r, err := execute(client, line)
		if err == nil {
			err = ctx.Err() // the end of the connection is all that a command in it was told
		}
		if err != nil {
			return ssh.Result{}, told(ctx, runtime.Plain(err))
		}
		r.ElapsedNs = p.now().Sub(began).Nanoseconds()
		return r, nil
	}
}

// signIn connects and proves on both sides who it is.
func signIn(ctx context.Context, at Place, c Credential, approved []string) (*gossh.Client, error) {
	var keys []gossh.PublicKey
	var algorithms []string
	for _, text := range approved {
		_, key, err := ParseHostKey(text)
		if err != nil {
			return nil, denied("an approved host key cannot be read")
		}
		keys = append(keys, key)
		algorithms = append(algorithms, signedWith(key.Type())...)
	}
	auth, err := methods(c)
	if err != nil {
		return nil, err
	}
	conn, err := dial(ctx, "tcp", at)
	if err != nil {
		return nil, err
	}
	stop := watchdog(ctx, conn)
	defer stop()
	var refused *HostKeyError
	cfg := &gossh.ClientConfig{
		User: c.Login, Auth: auth, HostKeyAlgorithms: algorithms, ClientVersion: "SSH-2.0-vedette", Timeout: MaxDialTime,
		HostKeyCallback: func(_ string, _ net.Addr, key gossh.PublicKey) error {
			for _, k := range keys {
				if string(k.Marshal()) == string(key.Marshal()) {
					return nil
				}
			}
			refused = &HostKeyError{
				Key:         strings.TrimSpace(string(gossh.MarshalAuthorizedKey(key))),
				Fingerprint: gossh.FingerprintSHA256(key), Known: len(keys) > 0,
			}
			return refused
		},
	}
	sc, chans, reqs, err := gossh.NewClientConn(conn, "device", cfg)
	if err != nil {
		conn.Close()
		switch {
		case refused != nil:
			return nil, refused
		case strings.Contains(err.Error(), "unable to authenticate"):
			return nil, errors.New("the device does not accept the credential")
		case strings.Contains(err.Error(), "no common algorithm for host key") && len(keys) > 0:
			return nil, denied("the device has no host key of the kind that was approved")
		}
		return nil, fmt.Errorf("sign in over SSH: %w", runtime.Plain(err))
	}
	return gossh.NewClient(sc, chans, reqs), nil
}

// signedWith lists the algorithms that a key of a type signs with.
func signedWith(keyType string) []string {
	if keyType == gossh.KeyAlgoRSA {
		return []string{gossh.KeyAlgoRSASHA512, gossh.KeyAlgoRSASHA256}
	}
	return []string{keyType}
}

func methods(c Credential) ([]gossh.AuthMethod, error) {
	switch c.Kind {
	case SSHPassword:
		password := string(c.Secret)
		return []gossh.AuthMethod{gossh.Password(password), gossh.KeyboardInteractive(func(_, _ string, questions []string, echos []bool) ([]string, error) {
			answers := make([]string, len(questions))
			for i := range questions {
				if echos[i] {
					return nil, errors.New("the device asks for more than a password")
				}
				answers[i] = password
			}
			return answers, nil
		})}, nil
	case SSHKey:
		s, err := c.signer()
		if err != nil {
			return nil, err
		}
		return []gossh.AuthMethod{gossh.PublicKeys(s)}, nil
	}
	return nil, denied("a credential of kind %s is none for SSH", c.Kind)
}

// execute runs one command and keeps what it writes, up to the limit.
func execute(client *gossh.Client, line string) (ssh.Result, error) {
	s, err := client.NewSession()
	if err != nil {
		return ssh.Result{}, err
	}
	defer shut(s)
	var out, errs capture
	left := &budget{left: ssh.MaxBytes, full: func() { shut(s) }}
	out.budget, errs.budget = left, left
	s.Stdout, s.Stderr = &out, &errs
	err = s.Run(line)
	r := ssh.Result{Out: out.b, Err: errs.b, Cut: left.exceeded()}
	var exit *gossh.ExitError
	var missing *gossh.ExitMissingError
	switch {
	case errors.As(err, &exit):
		r.Exit = exit.ExitStatus()
	case errors.As(err, &missing) || err != nil && r.Cut:
		r.Exit = -1
	case err != nil:
		return ssh.Result{}, err
	}
	return r, nil
}

// budget is what the outputs of a command may have together. It may be used by both at once.
type budget struct {
	mu   sync.Mutex
	left int
	over bool
	full func() // called once
}

// take returns how many of n bytes may be kept.
func (b *budget) take(n int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := min(n, b.left)
	b.left -= k
	if k < n && !b.over {
		b.over = true
		b.full()
	}
	return k
}

func (b *budget) exceeded() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.over
}

// capture keeps what is written to it, by one goroutine, as far as the budget goes.
type capture struct {
	b      []byte
	budget *budget
}

func (c *capture) Write(p []byte) (int, error) {
	c.b = append(c.b, p[:c.budget.take(len(p))]...)
	return len(p), nil
}
