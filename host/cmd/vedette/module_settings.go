package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

func newModuleSettings() *cobra.Command {
	var tenant uint32
	var set, unset []string
	var file, output string
	schema := false
	c := &cobra.Command{
		Use:   "settings NAME",
		Short: "Show the settings of a module that runs, or change them without installing it again",
		Long: `Show the settings of a module that runs, or change them without installing it again.

What is changed is checked against the module's JSON Schema and by its own code, and its tests are run with it; then it is
in force from one record to the next. "vedette module rollback" brings back what was before.`,
		Example: `  vedette module settings acme/doors
  vedette module settings acme/doors --set threshold=5 --set 'names=["north","south"]' --unset window`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: installed,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkForm(output); err != nil {
				return err
			}
			modules, err := askModules(cmd)
			if err != nil {
				return err
			}
			resp, err := modules.GetModuleSettings(cmd.Context(), connect.NewRequest(&v1.GetModuleSettingsRequest{Name: args[0], Tenant: tenant}))
			if err != nil {
				return err
			}
			text := []byte(resp.Msg.Settings)
			if schema {
				text = []byte(resp.Msg.Schema)
			}
			if schema || len(set)+len(unset) == 0 && file == "" {
				return printJSON(cmd, text)
			}
			if file != "" {
				if text, err = os.ReadFile(file); err != nil {
					return fmt.Errorf("read the settings: %w", err)
				}
			}
			if text, err = changed(text, set, unset); err != nil {
				return err
			}
			done, err := modules.SetModuleSettings(cmd.Context(), connect.NewRequest(&v1.SetModuleSettingsRequest{Name: args[0], Tenant: tenant, Settings: string(text)}))
			if err != nil {
				return err
			}
			if output == "json" {
				return printMessage(cmd.OutOrStdout(), done.Msg)
			}
			showModule(cmd.OutOrStdout(), done.Msg.Module)
			showState(cmd.OutOrStdout(), done.Msg.State)
			return nil
		},
	}
	c.Flags().StringArrayVar(&set, "set", nil, "PATH=VALUE: a setting, below others with dots between; a value that is no JSON is a text")
	c.Flags().StringArrayVar(&unset, "unset", nil, "PATH: a setting that gets its default again")
	c.Flags().StringVar(&file, "file", "", "JSON file with settings in the place of those that it has")
	c.Flags().BoolVar(&schema, "schema", false, "show the JSON Schema of the settings")
	addFormFlag(c, &output)
	return addTenantFlag(c, &tenant)
}

func printJSON(cmd *cobra.Command, text []byte) error {
	if len(text) == 0 {
		return errors.New("the module has no settings")
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return fmt.Errorf("read the settings: %w", err)
	}
	fmt.Fprintln(cmd.OutOrStdout(), b.String())
	return nil
}

// changed returns settings with some set and others taken away.
func changed(text []byte, set, unset []string) ([]byte, error) {
	tree := map[string]any{}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		return nil, fmt.Errorf("read the settings: %w", err)
	}
	for _, s := range set {
		path, value, ok := strings.Cut(s, "=")
		if !ok || path == "" {
			return nil, fmt.Errorf("--set %s: want PATH=VALUE", s)
		}
		var v any = value
		d := json.NewDecoder(strings.NewReader(value))
		d.UseNumber()
		if x := any(nil); d.Decode(&x) == nil && !d.More() {
			v = x
		}
		if err := put(tree, strings.Split(path, "."), v); err != nil {
			return nil, fmt.Errorf("--set %s: %w", s, err)
		}
	}
	for _, path := range unset {
		if err := put(tree, strings.Split(path, "."), nil); err != nil {
			return nil, fmt.Errorf("--unset %s: %w", path, err)
		}
	}
	return json.Marshal(tree)
}

// put sets what stands at a path of a tree; nil takes it away.
func put(tree map[string]any, path []string, v any) error {
	for len(path) > 1 {
		next, ok := tree[path[0]].(map[string]any)
		if tree[path[0]] != nil && !ok {
			return fmt.Errorf("%s holds no settings of its own", path[0])
		}
		if !ok {
			next = map[string]any{}
			tree[path[0]] = next
		}
		tree, path = next, path[1:]
	}
	if v == nil {
		delete(tree, path[0])
	} else {
		tree[path[0]] = v
	}
	return nil
}
