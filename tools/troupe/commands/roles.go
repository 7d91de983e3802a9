package commands

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	mesosmaster "troupe/messages/mesos/master"
	"troupe/messages/mesos/quota"
	"troupe/messages/resources"
	"troupe/messages/validate"
	"troupe/tools/troupe/client"
	"troupe/tools/troupe/flags"
	"troupe/tools/troupe/show"
)

// read asks the leading master for something.
func read[T any](ctx context.Context, r *reader, get func(*client.Client, context.Context) (T, error)) (v T, err error) {
	c, err := r.client()
	if err != nil {
		return v, err
	}
	defer func() { err = join(err, c.Close()) }()
	return get(c, ctx)
}

// call makes a call of the operator API that has no answer but that it is done.
func (r *reader) call(ctx context.Context, call *mesosmaster.Call) (err error) {
	c, err := r.client()
	if err != nil {
		return err
	}
	defer func() { err = join(err, c.Close()) }()
	return c.Call(ctx, call)
}

// changeCommand is a command that makes one call of the operator API.
func changeCommand(io Streams, c *cobra.Command, call func(args []string) (*mesosmaster.Call, error)) *cobra.Command {
	r := &reader{out: io.Out}
	r.addFlags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		request, err := call(args)
		if err != nil {
			return usageError{err}
		}
		return r.call(c.Context(), request)
	}
	return c
}

func rolesCommand(io Streams) *cobra.Command {
	return readerCommand(io, &cobra.Command{
		Use: "roles", GroupID: groupUse, Args: exactly(),
		Short: "List the roles: their weights, and what they have",
		Long: `List the roles that frameworks, reservations, quotas or weights name, and those above
them. What a role has includes what the roles below it have.`,
	}, func(ctx context.Context, r *reader, _ []string) error {
		roles, err := read(ctx, r, (*client.Client).Roles)
		if err != nil {
			return err
		}
		if r.json {
			return show.JSON(r.out, roles)
		}
		table := show.NewTable("ROLE", "WEIGHT", "FRAMEWORKS", "CPUS", "MEM", "OFFERED", "RESERVED")
		for _, role := range roles {
			table.Add(role.Name, show.Number(role.Weight), strconv.Itoa(len(role.Frameworks)), show.Number(role.Allocated.Scalar("cpus")),
				show.Number(role.Allocated.Scalar("mem")), amountsText(role.Offered), amountsText(role.Reserved))
		}
		return table.Write(r.out, "No roles are known.")
	})
}

// amountsText is amounts by name: cpus:1.5;mem:64.
func amountsText(amounts client.Resources) string {
	var parts []string
	for name := range amounts {
		parts = append(parts, name+":"+show.Number(amounts.Scalar(name)))
	}
	if len(parts) == 0 {
		return "-"
	}
	slices.Sort(parts)
	return strings.Join(parts, ";")
}

func quotaCommand(io Streams) *cobra.Command {
	c := &cobra.Command{
		Use: "quota", GroupID: groupUse, Args: noSuchCommand,
		Short: "List what roles are guaranteed and limited to; set and remove it",
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(quotaListCommand(io), quotaSetCommand(io), quotaRemoveCommand(io))
	return c
}

func quotaListCommand(io Streams) *cobra.Command {
	return readerCommand(io, &cobra.Command{
		Use: "list", Args: exactly(), Short: "List the quotas, and what of them is consumed",
		Long: `List the quotas, and what of them is consumed: what is allocated to the role and the
roles below it, and what is reserved for them.`,
	}, func(ctx context.Context, r *reader, _ []string) error {
		roles, err := read(ctx, r, (*client.Client).Roles)
		if err != nil {
			return err
		}
		roles = slices.DeleteFunc(roles, func(role client.Role) bool { return len(role.Quota.Guarantee)+len(role.Quota.Limit) == 0 })
		if r.json {
			return show.JSON(r.out, roles)
		}
		table := show.NewTable("ROLE", "GUARANTEE", "LIMIT", "CONSUMED")
		for _, role := range roles {
			table.Add(role.Name, amountsText(role.Quota.Guarantee), amountsText(role.Quota.Limit), amountsText(role.Quota.Consumed))
		}
		return table.Write(r.out, "No role has a quota.")
	})
}

func quotaSetCommand(io Streams) *cobra.Command {
	var guarantee, limit string
	var force bool
	c := changeCommand(io, &cobra.Command{
		Use: "set ROLE", Args: exactly("ROLE"), Short: "Set what a role is guaranteed and limited to",
		Long: `Set what a role, at the top of the tree of roles, is guaranteed and limited to; it
replaces what was set before. What is guaranteed is kept back for the role while it
has less; it never gets more than its limits. Amounts are written as cpus:2;mem:1024;
what is not named is not guaranteed, and not limited.`,
		Example: "  troupe quota set web --guarantee='cpus:4;mem:4096' --limit='cpus:8'",
	}, func(args []string) (*mesosmaster.Call, error) {
		config := &quota.QuotaConfig{Role: &args[0]}
		var err error
		if config.Guarantees, err = amountsOf("guarantee", guarantee); err != nil {
			return nil, err
		}
		if config.Limits, err = amountsOf("limit", limit); err != nil {
			return nil, err
		}
		if len(config.Guarantees)+len(config.Limits) == 0 {
			return nil, fmt.Errorf("--guarantee or --limit is missing; 'troupe quota remove' takes a quota away")
		}
		return updateQuota(force, config), nil
	})
	c.Flags().StringVar(&guarantee, "guarantee", "", "what the role gets before others get anything")
	c.Flags().StringVar(&limit, "limit", "", "the most that the role gets")
	flags.Bool(c.Flags(), &force, "force", false, "also when the cluster has less than all guarantees, or the role consumes more than its limit")
	return c
}

func quotaRemoveCommand(io Streams) *cobra.Command {
	return changeCommand(io, &cobra.Command{
		Use: "remove ROLE…", Args: atMost(0, "ROLE"), Short: "Take the quotas of roles away: they are guaranteed nothing, and not limited",
	}, func(args []string) (*mesosmaster.Call, error) {
		var configs []*quota.QuotaConfig
		for _, role := range args {
			configs = append(configs, &quota.QuotaConfig{Role: &role})
		}
		return updateQuota(false, configs...), nil
	})
}

func updateQuota(force bool, configs ...*quota.QuotaConfig) *mesosmaster.Call {
	update := &mesosmaster.Call_UpdateQuota{QuotaConfigs: configs}
	if force {
		update.Force = &force
	}
	return &mesosmaster.Call{Type: mesosmaster.Call_UPDATE_QUOTA.Enum(), UpdateQuota: update}
}

// amountsOf reads the amounts of scalars.
func amountsOf(flag, text string) (map[string]*mesos.Value_Scalar, error) {
	if text == "" {
		return nil, nil
	}
	parsed, err := resources.Parse(text, "*")
	if err != nil {
		return nil, flagError(flag, text, "is not a list of amounts: "+err.Error())
	}
	amounts := make(map[string]*mesos.Value_Scalar)
	for e := range parsed.All() {
		if e.Kind() != mesos.Value_SCALAR || !e.Plain() || e.Role() != "*" {
			return nil, flagError(flag, text, "holds "+e.Name()+", which is not a plain amount")
		}
		amounts[e.Name()] = &mesos.Value_Scalar{Value: proto.Float64(e.Amount().Float())}
	}
	return amounts, nil
}

func weightsCommand(io Streams) *cobra.Command {
	c := readerCommand(io, &cobra.Command{
		Use: "weights", GroupID: groupUse, Args: noSuchCommand,
		Short: "List the weights of roles that were set; set them",
		Long: `List the weights of roles that were set; all others weigh 1. A role that weighs 2 gets
twice as much as one beside it that weighs 1, when both want all.`,
	}, func(ctx context.Context, r *reader, _ []string) error {
		weights, err := read(ctx, r, (*client.Client).Weights)
		if err != nil {
			return err
		}
		if r.json {
			return show.JSON(r.out, weights)
		}
		table := show.NewTable("ROLE", "WEIGHT")
		for _, w := range weights {
			table.Add(w.Role, show.Number(w.Weight))
		}
		return table.Write(r.out, "No weights are set: every role weighs 1.")
	})
	c.AddCommand(changeCommand(io, &cobra.Command{
		Use: "set ROLE=WEIGHT…", Args: atMost(0, "ROLE=WEIGHT"), Short: "Set the weights of roles, all that are named or none",
		Example: "  troupe weights set web=2 batch=0.5",
	}, func(args []string) (*mesosmaster.Call, error) {
		weights, err := weightsOf(args)
		return &mesosmaster.Call{
			Type: mesosmaster.Call_UPDATE_WEIGHTS.Enum(), UpdateWeights: &mesosmaster.Call_UpdateWeights{WeightInfos: weights},
		}, err
	}))
	return c
}

// weightsOf reads weights: role=weight.
func weightsOf(list []string) ([]*mesos.WeightInfo, error) {
	var weights []*mesos.WeightInfo
	for _, text := range list {
		role, number, ok := strings.Cut(text, "=")
		weight, err := strconv.ParseFloat(number, 64)
		if !ok || err != nil {
			return nil, fmt.Errorf("%q: is not ROLE=WEIGHT", text)
		}
		weights = append(weights, &mesos.WeightInfo{Role: &role, Weight: &weight})
	}
	return weights, nil
}

// roleWeights reads the flag --weights: role=weight with commas between.
func roleWeights(text string) ([]*mesos.WeightInfo, error) {
	weights, err := weightsOf(list(text))
	if err == nil {
		err = validate.Weights(weights)
	}
	if err != nil {
		return nil, flagError("weights", text, "is not a list of weights: "+err.Error())
	}
	return weights, nil
}
