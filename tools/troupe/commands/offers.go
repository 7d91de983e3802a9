package commands

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"troupe/tools/troupe/client"
	"troupe/tools/troupe/show"
)

func offersCommand(io Streams) *cobra.Command {
	c := readerCommand(io, &cobra.Command{
		Use: "offers", GroupID: groupUse, Args: noSuchCommand,
		Short: "List the offers that frameworks have not answered; explain why there is none",
		Long:  "List the offers that frameworks have not answered.",
	}, listOffers)
	c.AddCommand(explainCommand(io))
	return c
}

func listOffers(ctx context.Context, r *reader, _ []string) error {
	state, err := r.state(ctx)
	if err != nil {
		return err
	}
	offers := []client.Offer{}
	names := map[string]string{}
	for _, f := range state.Frameworks {
		offers = append(offers, f.Offers...)
		names[f.ID] = f.Name
	}
	if r.json {
		return show.JSON(r.out, offers)
	}
	table := show.NewTable("ID", "FRAMEWORK", "AGENT", "CPUS", "MEM", "DISK", "PORTS")
	for _, o := range offers {
		ports := "-"
		if text, ok := o.Resources["ports"]; ok {
			ports = fmt.Sprint(text)
		}
		table.Add(o.ID, names[o.FrameworkID], o.AgentID, show.Number(o.Resources.Scalar("cpus")),
			show.Number(o.Resources.Scalar("mem")), show.Number(o.Resources.Scalar("disk")), ports)
	}
	return table.Write(r.out, "No offers are outstanding.")
}
