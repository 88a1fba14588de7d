package main

import (
	"github.com/spf13/cobra"

	"github.com/vedette-siem/vedette/sdk/gen/vedette/v1/vedettev1connect"
)

func newRule() *cobra.Command {
	c := &cobra.Command{
		Use:   "rule",
		Short: "Write, check, import and watch rules",
		Long: `Write, check, import and watch rules.

new, check, test, explain, import, export and build work on files and need no host. The others ask a host: try a document
on what it has stored or what comes now, say why a rule fires or does not, and switch single rules on and off.`,
	}
	c.AddCommand(
		newRuleNew(), newRuleCheck(), newRuleTest(), newRuleExplain(), newRuleImport(), newRuleExport(), newRuleBuild(),
		newRuleBacktest(), newRuleShadow(), newRuleInstall(), newWhy(),
		newRuleList(), newRuleStats(), newRuleSwitch(true), newRuleSwitch(false), newRuleExcept(), newRuleCoverage(),
	)
	return c
}

func askRules(cmd *cobra.Command) (vedettev1connect.RuleServiceClient, error) {
	s, err := open(cmd)
	if err != nil {
		return nil, err
	}
	return ask(s, vedettev1connect.NewRuleServiceClient), nil
}
