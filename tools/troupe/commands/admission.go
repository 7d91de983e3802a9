package commands

import (
	"github.com/spf13/pflag"

	"troupe/tools/troupe/daemon"
	"troupe/tools/troupe/flags"
)

// admissionFlags say whom a master takes.
type admissionFlags struct {
	roles, weights  string
	rootSubmissions bool
	domain          string
	requireDomain   bool
	whitelist       flags.Path
	rates           string
}

func (a *admissionFlags) add(set *pflag.FlagSet) {
	set.StringVar(&a.roles, "roles", "", "the only roles that frameworks may have, with commas between; any by default")
	set.StringVar(&a.weights, "weights", "", "weights of roles, role=weight with commas between, for a registry that has none yet; later: troupe weights set")
	flags.Bool(set, &a.rootSubmissions, "root_submissions", true, "take frameworks and tasks that run as root")
	set.Var(&a.whitelist, "whitelist", "file with a host name on each line, read every 5 s: agents of no other hosts are offered; by default all are")
	set.StringVar(&a.rates, "rate_limits", "", `how many calls a second are taken of whom, and how many may wait, as `+ratesForm+`; who is not named is not bounded without aggregate_default_qps`)
	set.StringVar(&a.domain, "domain", "", "where the master stands, as "+domainForm+"; all masters must be in one region, and without it no agent may have one")
	flags.Bool(set, &a.requireDomain, "require_agent_domain", false, "refuse agents that do not say where they stand")
}

func (a *admissionFlags) put(o *daemon.MasterOptions) error {
	roles, err := roleList(a.roles)
	if err != nil {
		return err
	}
	if o.Config.Weights, err = roleWeights(a.weights); err != nil {
		return err
	}
	if o.Domain, err = domainOf(a.domain); err != nil {
		return err
	}
	if o.Config.RateLimits, err = rateLimits(a.rates); err != nil {
		return err
	}
	o.Whitelist = string(a.whitelist)
	o.Config.Roles, o.Config.RefuseRoot, o.Config.RequireAgentDomain = roles, !a.rootSubmissions, a.requireDomain
	return nil
}
