package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

func newLogin() *cobra.Command {
	var user string
	c := &cobra.Command{
		Use:   "login",
		Short: "Sign in to a host",
		Long: `Sign in to a host. The password is asked for, or read as one line of standard input when that is no terminal.

The session is kept in a file that only you can read; VEDETTE_SERVER and VEDETTE_TOKEN override it. It ends by itself
after twelve hours, or with vedette logout.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			kept, err := readSessions()
			if err != nil {
				return err
			}
			server, err := serverOf(cmd, kept)
			if err != nil {
				return err
			}
			password, err := readPassword(cmd.Context(), cmd.InOrStdin(), cmd.ErrOrStderr(), fmt.Sprintf("Password of %s at %s: ", user, server))
			if err != nil {
				return err
			}
			auth := ask(session{server: server}, vedettev1connect.NewAuthServiceClient)
			resp, err := auth.SignIn(cmd.Context(), connect.NewRequest(&v1.SignInRequest{Name: user, Password: password}))
			if err != nil {
				return fmt.Errorf("sign in to %s as %s: %w", server, user, err)
			}
			kept.Server, kept.Tokens[server] = server, resp.Msg.Token
			if err := kept.write(); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Signed in to %s as %s (%s)\n", server, resp.Msg.User.Name, resp.Msg.User.Role)
			return nil
		},
	}
	c.Flags().StringVar(&user, "user", "admin", "user name")
	return addServerFlag(c)
}

func newLogout() *cobra.Command {
	return addServerFlag(&cobra.Command{
		Use:   "logout",
		Short: "End the session at a host",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := open(cmd)
			if err != nil {
				return err
			}
			_, asked := ask(s, vedettev1connect.NewAuthServiceClient).SignOut(cmd.Context(), connect.NewRequest(&v1.SignOutRequest{}))
			kept, err := readSessions()
			if err != nil {
				return err
			}
			delete(kept.Tokens, s.server) // whatever the host says: it may be gone
			return errors.Join(asked, kept.write())
		},
	})
}

// readPassword asks on a terminal without showing what is typed, else reads a line.
func readPassword(ctx context.Context, in io.Reader, prompt io.Writer, text string) (password string, err error) {
	f, ok := in.(*os.File)
	asked := ok && withoutEcho(int(f.Fd()), func() {
		fmt.Fprint(prompt, text)
		type answer struct {
			line string
			err  error
		}
		typed := make(chan answer, 1)
		go func() { // a read from a terminal cannot be ended; after Ctrl-C the process ends
			line, err := readLine(f)
			typed <- answer{line, err}
		}()
		select {
		case a := <-typed:
			password, err = a.line, a.err
		case <-ctx.Done():
			err = ctx.Err()
		}
		fmt.Fprintln(prompt)
	})
	if asked {
		return password, err
	}
	return readLine(in)
}

func readLine(in io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(in, 4<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", errors.New("no password given")
	}
	return line, nil
}
