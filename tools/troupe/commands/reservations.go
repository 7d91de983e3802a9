package commands

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"troupe/messages/cluster"
	"troupe/messages/mesos"
	"troupe/tools/troupe/client"
	"troupe/tools/troupe/flags"
	"troupe/tools/troupe/show"
)

func reservationsCommand(io Streams) *cobra.Command {
	c := &cobra.Command{
		Use: "reservations", GroupID: groupUse, Args: noSuchCommand,
		Short: "List, set and remove standing reservations",
		Long: `List, set and remove standing reservations: what of the cluster is to be reserved for
a role, wherever it is. The master reserves what is free, and takes back what is too
much as soon as it is free again.`,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(listReservationsCommand(io), setReservationCommand(io), removeReservationCommand(io))
	return c
}

func listReservationsCommand(io Streams) *cobra.Command {
	return readerCommand(io, &cobra.Command{Use: "list", Args: exactly(), Short: "List the standing reservations"},
		func(ctx context.Context, r *reader, _ []string) error {
			var list []*cluster.StandingReservation
			err := r.atMaster(ctx, func(ctx context.Context, c *client.Client) (err error) {
				list, err = c.Reservations(ctx)
				return err
			})
			if err != nil {
				return err
			}
			if r.json {
				return show.JSON(r.out, reservationRows(list))
			}
			table := show.NewTable("ID", "ROLE", "WANTED", "EXPIRES")
			for _, row := range reservationRows(list) {
				table.Add(row.ID, row.Role, row.Wanted, row.Expires)
			}
			return table.Write(r.out, "There are no standing reservations.")
		})
}

// reservationRow is a standing reservation as people and programs see it.
type reservationRow struct {
	ID      string `json:"id"`
	Role    string `json:"role"`
	Wanted  string `json:"wanted"`
	Expires string `json:"expires,omitempty"`
}

func reservationRows(list []*cluster.StandingReservation) []reservationRow {
	rows := make([]reservationRow, 0, len(list))
	for _, r := range list {
		row := reservationRow{ID: r.GetId(), Role: r.GetRole(), Wanted: sharesText(r.GetShares())}
		if r.Expires != nil {
			row.Expires = time.Unix(0, r.GetExpires().GetNanoseconds()).UTC().Format(time.RFC3339)
		}
		rows = append(rows, row)
	}
	return rows
}

func setReservationCommand(io Streams) *cobra.Command {
	r := &reader{out: io.Out}
	var lasting flags.Duration
	var until string
	c := &cobra.Command{
		Use: "set ID ROLE AMOUNTS", Short: "Set a standing reservation, or replace it",
		Long: `Set a standing reservation, or replace the one of that ID. Amounts are in the units of
the resource, or percentages of what all agents have, which follow the cluster's size.`,
		Example: `  troupe reservations set nightly batch "cpus:64;mem:262144" --for=8hrs
  troupe reservations set web-share web "cpus:25%;mem:25%"`,
		Args: exactly("the id", "the role", "the amounts, like cpus:4;mem:10%,"),
	}
	r.addFlags(c)
	duration(c.Flags(), &lasting, "for", 0, "after which it ends; 0 is when it is removed")
	c.Flags().StringVar(&until, "until", "", "when it ends, like 2031-05-01T18:00:00Z")
	c.RunE = func(c *cobra.Command, args []string) error {
		shares, err := parseShares(args[2])
		if err != nil {
			return usageError{fmt.Errorf("amounts %q: %w", args[2], err)}
		}
		expires, err := endOf(time.Now(), time.Duration(lasting), until)
		if err != nil {
			return err
		}
		return r.atMaster(c.Context(), func(ctx context.Context, c *client.Client) error {
			return c.SetReservation(ctx, &cluster.StandingReservation{Id: &args[0], Role: &args[1], Shares: shares, Expires: expires})
		})
	}
	return c
}

func removeReservationCommand(io Streams) *cobra.Command {
	r := &reader{out: io.Out}
	c := &cobra.Command{
		Use: "remove ID", Short: "Remove a standing reservation, and give back what it reserved",
		Args: exactly("the id"),
	}
	r.addFlags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		return r.atMaster(c.Context(), func(ctx context.Context, c *client.Client) error { return c.RemoveReservation(ctx, args[0]) })
	}
	return c
}

// atMaster does something with the leading master.
func (r *reader) atMaster(ctx context.Context, do func(context.Context, *client.Client) error) (err error) {
	c, err := r.client()
	if err != nil {
		return err
	}
	defer func() { err = join(err, c.Close()) }()
	ctx, cancel := context.WithTimeout(ctx, operatorPatience)
	defer cancel()
	return do(ctx, c)
}

// parseShares reads "cpus:4;mem:10%".
func parseShares(text string) ([]*cluster.StandingReservation_Share, error) {
	var shares []*cluster.StandingReservation_Share
	for item := range strings.SplitSeq(text, ";") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		name, value, ok := strings.Cut(item, ":")
		if !ok {
			return nil, fmt.Errorf("%q has no ':' between name and amount", item)
		}
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		number, percent := strings.CutSuffix(value, "%")
		amount, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is neither an amount nor a percentage", value)
		}
		share := &cluster.StandingReservation_Share{Name: &name}
		if percent {
			share.Percent = &amount
		} else {
			share.Amount = &mesos.Value_Scalar{Value: &amount}
		}
		shares = append(shares, share)
	}
	return shares, nil
}

// sharesText is the opposite of parseShares.
func sharesText(shares []*cluster.StandingReservation_Share) string {
	parts := make([]string, len(shares))
	for i, s := range shares {
		parts[i] = s.GetName() + ":" + show.Number(s.GetAmount().GetValue())
		if s.Percent != nil {
			parts[i] = s.GetName() + ":" + show.Number(s.GetPercent()) + "%"
		}
	}
	return strings.Join(parts, ";")
}

// endOf is when a reservation ends; nil when it does not by itself.
func endOf(now time.Time, lasting time.Duration, until string) (*mesos.TimeInfo, error) {
	switch {
	case lasting < 0:
		return nil, flagError("for", lasting.String(), "is negative")
	case lasting > 0 && until != "":
		return nil, flagError("until", until, "cannot be given beside --for")
	case lasting > 0:
		return &mesos.TimeInfo{Nanoseconds: new(now.Add(lasting).UnixNano())}, nil
	case until == "":
		return nil, nil
	}
	at, err := time.Parse(time.RFC3339, until)
	if err != nil {
		return nil, flagError("until", until, "is no time like 2031-05-01T18:00:00Z")
	}
	return &mesos.TimeInfo{Nanoseconds: new(at.UnixNano())}, nil
}
