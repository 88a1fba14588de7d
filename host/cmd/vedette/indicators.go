package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

func newIndicators() *cobra.Command {
	c := &cobra.Command{
		Use:   "indicators",
		Short: "Indicators of compromise: addresses, domains, URLs, hashes and mail addresses that every event is compared with",
		Long: `Indicators of compromise: addresses, domains, URLs, hashes and mail addresses that every event is compared with.

An event that holds one gets the fields threat.indicator.* and threat.feed.name, which searches and rules see. A set is of
one organization, or shared by all; an organization's own hides the shared one of the same name. Rules can look into a set
by its name as well (source.ip|in: NAME).`,
	}
	c.AddCommand(newIndicatorsImport(), newIndicatorsList(), newIndicatorsShow(), newIndicatorsRemove(), newIndicatorsFeed(), newIndicatorsFeeds(), newIndicatorsUnfeed(), newIndicatorsTaxii())
	return c
}

// counted is how many indicators there are of each type.
func counted(counts map[string]uint64) string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[kind], kind))
	}
	return strings.Join(parts, ", ")
}

func newIndicatorsImport() *cobra.Command {
	req, d := &v1.PutIndicatorsRequest{}, &v1.IndicatorDocument{}
	var ttl time.Duration
	check := false
	c := &cobra.Command{
		Use:   "import NAME FILE",
		Short: "Make a set, or another version of it, of a file",
		Long: `Make a set, or another version of it, of a file: CSV whose header names columns such as indicator, type, ip, domain, url,
sha256, confidence, expires, source and description; a plain list; a bundle of STIX 2.1; or an export of MISP. What in it is
no indicator is named and left out.`,
		Example: "  vedette indicators import c2 bundle.json --organization 1 --ttl 720h",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			req.Name, req.Document = args[0], d
			if d.Content, err = os.ReadFile(absolute(args[1])); err != nil {
				return fmt.Errorf("read the indicators: %w", err)
			}
			if ttl != 0 {
				d.Ttl = durationpb.New(ttl)
			}
			lists, err := askLists(cmd)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if check {
				resp, err := lists.CheckIndicators(cmd.Context(), connect.NewRequest(&v1.CheckIndicatorsRequest{Document: d}))
				if err != nil {
					return err
				}
				fmt.Fprintf(out, "format        %s\nindicators    %d (%s)\n", resp.Msg.Format, resp.Msg.Indicators, counted(resp.Msg.Counts))
				printUnread(cmd, resp.Msg.Problems, resp.Msg.TotalProblems)
				return nil
			}
			resp, err := lists.PutIndicators(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			s := resp.Msg.Set
			fmt.Fprintf(out, "set           %s\nindicators    %d (%s)\ndigest        %s\n", s.Name, s.Indicators, counted(s.Counts), s.Digest)
			printUnread(cmd, resp.Msg.Problems, resp.Msg.TotalProblems)
			return nil
		},
	}
	c.Flags().StringVar(&d.Format, "format", "", "csv, list, stix or misp (default: by how the file begins)")
	c.Flags().StringVar(&d.Source, "source", "", "who says so, of indicators whose file does not say it")
	c.Flags().Uint32Var(&d.Confidence, "confidence", 0, "1 to 100, of indicators whose file does not say it")
	c.Flags().DurationVar(&ttl, "ttl", 0, "how long indicators count whose file does not say it (default: for good)")
	c.Flags().BoolVar(&req.Add, "add", false, "keep what the set has")
	c.Flags().BoolVar(&check, "check", false, "only say what would come of it")
	return addTenantFlag(c, &req.Tenant)
}

// printUnread says what in a file is no indicator.
func printUnread(cmd *cobra.Command, problems []*v1.IndicatorProblem, total uint64) {
	if total == 0 {
		return
	}
	fmt.Fprintf(cmd.OutOrStdout(), "left out      %d\n", total)
	for _, p := range problems {
		fmt.Fprintf(cmd.OutOrStdout(), "  %s: %s\n", printable(p.Where), printable(p.Text))
	}
}

// setColumns are those of indicators list.
var setColumns = []string{"name", "organization", "indicators", "of", "origin", "digest", "set_at", "set_by"}

func newIndicatorsList() *cobra.Command {
	form := ""
	c := &cobra.Command{
		Use: "list", Short: "List the sets of your organizations, and the shared ones", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			lists, err := askLists(cmd)
			if err != nil {
				return err
			}
			resp, err := lists.ListIndicatorSets(cmd.Context(), connect.NewRequest(&v1.ListIndicatorSetsRequest{}))
			if err != nil {
				return err
			}
			p, err := newPrinter(cmd.OutOrStdout(), form, setColumns)
			if err != nil {
				return err
			}
			for _, s := range resp.Msg.Sets {
				digest := strings.TrimPrefix(s.Digest, "sha256:")
				if form == "table" {
					digest = digest[:min(12, len(digest))]
				}
				if err := p.print(map[string]any{
					"name": s.Name, "organization": s.Tenant, "indicators": s.Indicators, "of": counted(s.Counts), "origin": s.Origin, "digest": digest,
					"set_at": utc(s.SetAt), "set_by": s.SetBy,
				}); err != nil {
					return err
				}
			}
			return p.flush()
		},
	}
	addOutputFlag(c, &form)
	return addServerFlag(c)
}

// indicatorColumns are those of indicators show.
var indicatorColumns = []string{"type", "value", "confidence", "expires_at", "source", "description"}

func newIndicatorsShow() *cobra.Command {
	req, form := &v1.GetIndicatorsRequest{}, ""
	c := &cobra.Command{
		Use: "show NAME", Short: "Show indicators of a set", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Name = args[0]
			lists, err := askLists(cmd)
			if err != nil {
				return err
			}
			resp, err := lists.GetIndicators(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			p, err := newPrinter(cmd.OutOrStdout(), form, indicatorColumns)
			if err != nil {
				return err
			}
			for _, x := range resp.Msg.Indicators {
				confidence := ""
				if x.Confidence >= 0 {
					confidence = fmt.Sprint(x.Confidence)
				}
				if err := p.print(map[string]any{
					"type": x.Type, "value": x.Value, "confidence": confidence, "expires_at": utc(x.ExpiresAt), "source": x.Source, "description": x.Description,
				}); err != nil {
					return err
				}
			}
			return p.flush()
		},
	}
	addOutputFlag(c, &form)
	c.Flags().StringVar(&req.Text, "text", "", "only indicators whose value, source or description contains this")
	c.Flags().Uint64Var(&req.Offset, "offset", 0, "indicators to skip")
	c.Flags().Uint32Var(&req.Limit, "limit", 0, "indicators to show, at most 1000 (default 100)")
	return addTenantFlag(c, &req.Tenant)
}

func newIndicatorsRemove() *cobra.Command {
	req := &v1.RemoveIndicatorsRequest{}
	c := &cobra.Command{
		Use: "rm NAME", Short: "Take a set away", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Name = args[0]
			lists, err := askLists(cmd)
			if err != nil {
				return err
			}
			if _, err := lists.RemoveIndicators(cmd.Context(), connect.NewRequest(req)); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "removed       %s\n", req.Name)
			return nil
		},
	}
	return addTenantFlag(c, &req.Tenant)
}

func newIndicatorsFeed() *cobra.Command {
	f := &v1.Feed{}
	var every, ttl time.Duration
	secret := false
	c := &cobra.Command{
		Use:   "feed NAME URL",
		Short: "Fetch a set from somewhere, again and again",
		Long: `Fetch a set from somewhere, again and again: a collection of a TAXII 2.1 server (vedette indicators taxii URL shows which
there are), a feed of MISP, or a document. With --secret a password, or without a user name a token, is read from the
terminal or from standard input.`,
		Example: "  vedette indicators feed c2 https://taxii.example/api/ --kind taxii --collection 91a7b528-80eb-42ed-a74d-c6fbd5a26116 --organization 1",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			f.Name, f.Url, f.Every = args[0], args[1], durationpb.New(every)
			if ttl != 0 {
				f.Ttl = durationpb.New(ttl)
			}
			if secret {
				if f.Secret, err = readPassword(cmd.Context(), cmd.InOrStdin(), cmd.ErrOrStderr(), "secret: "); err != nil {
					return err
				}
			}
			lists, err := askLists(cmd)
			if err != nil {
				return err
			}
			resp, err := lists.PutFeed(cmd.Context(), connect.NewRequest(&v1.PutFeedRequest{Feed: f}))
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "feed          %s\nfetched       every %s, and now\n", resp.Msg.Feed.Name, resp.Msg.Feed.Every.AsDuration())
			return nil
		},
	}
	c.Flags().StringVar(&f.Kind, "kind", "file", "taxii, misp or file")
	c.Flags().StringVar(&f.Collection, "collection", "", "of taxii: the collection's id")
	c.Flags().StringVar(&f.Format, "format", "", "of file: csv, list, stix or misp (default: by how it begins)")
	c.Flags().StringVar(&f.Username, "user", "", "user name")
	c.Flags().BoolVar(&secret, "secret", false, "read a password or a token")
	c.Flags().DurationVar(&every, "every", time.Hour, "how often, from 1m to 720h")
	c.Flags().Uint32Var(&f.Confidence, "confidence", 0, "1 to 100, of indicators whose source does not say it")
	c.Flags().DurationVar(&ttl, "ttl", 0, "how long indicators count whose source does not say it (default: for good)")
	c.Flags().BoolVar(&f.Disabled, "off", false, "keep it, and do not fetch it")
	return addTenantFlag(c, &f.Tenant)
}

// feedColumns are those of indicators feeds.
var feedColumns = []string{"name", "organization", "kind", "url", "every", "asked_at", "came", "withdrawn", "left_out", "error"}

func newIndicatorsFeeds() *cobra.Command {
	form := ""
	c := &cobra.Command{
		Use: "feeds", Short: "List where sets are fetched from, and what came of it", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			lists, err := askLists(cmd)
			if err != nil {
				return err
			}
			resp, err := lists.ListFeeds(cmd.Context(), connect.NewRequest(&v1.ListFeedsRequest{}))
			if err != nil {
				return err
			}
			p, err := newPrinter(cmd.OutOrStdout(), form, feedColumns)
			if err != nil {
				return err
			}
			for _, f := range resp.Msg.Feeds {
				every := f.Every.AsDuration().String()
				if f.Disabled {
					every = "off"
				}
				if err := p.print(map[string]any{
					"name": f.Name, "organization": f.Tenant, "kind": f.Kind, "url": f.Url, "every": every, "asked_at": utc(f.AskedAt),
					"came": f.Came, "withdrawn": f.Withdrawn, "left_out": f.Problems, "error": f.Error,
				}); err != nil {
					return err
				}
			}
			return p.flush()
		},
	}
	addOutputFlag(c, &form)
	return addServerFlag(c)
}

func newIndicatorsUnfeed() *cobra.Command {
	req := &v1.RemoveFeedRequest{}
	c := &cobra.Command{
		Use: "unfeed NAME", Short: "Fetch a set no more; what is in it stays", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Name = args[0]
			lists, err := askLists(cmd)
			if err != nil {
				return err
			}
			if _, err := lists.RemoveFeed(cmd.Context(), connect.NewRequest(req)); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "removed       %s\n", req.Name)
			return nil
		},
	}
	return addTenantFlag(c, &req.Tenant)
}

// collectionColumns are those of indicators taxii.
var collectionColumns = []string{"api_root", "id", "title", "readable"}

func newIndicatorsTaxii() *cobra.Command {
	req, form, secret := &v1.DiscoverTaxiiRequest{}, "", false
	c := &cobra.Command{
		Use: "taxii URL", Short: "Show the collections of a TAXII 2.1 server", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			req.Url = args[0]
			if secret {
				if req.Secret, err = readPassword(cmd.Context(), cmd.InOrStdin(), cmd.ErrOrStderr(), "secret: "); err != nil {
					return err
				}
			}
			lists, err := askLists(cmd)
			if err != nil {
				return err
			}
			resp, err := lists.DiscoverTaxii(cmd.Context(), connect.NewRequest(req))
			if err != nil {
				return err
			}
			p, err := newPrinter(cmd.OutOrStdout(), form, collectionColumns)
			if err != nil {
				return err
			}
			for _, x := range resp.Msg.Collections {
				if err := p.print(map[string]any{"api_root": x.ApiRoot, "id": x.Id, "title": x.Title, "readable": x.CanRead}); err != nil {
					return err
				}
			}
			return p.flush()
		},
	}
	addOutputFlag(c, &form)
	c.Flags().StringVar(&req.Username, "user", "", "user name")
	c.Flags().BoolVar(&secret, "secret", false, "read a password or a token")
	return addTenantFlag(c, &req.Tenant)
}
