package commands

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"troupe/master/detector"
	"troupe/messages/masters"
	"troupe/tools/troupe/client"
	"troupe/tools/troupe/show"
)

// askingPatience bounds how long masters are asked what they are.
const askingPatience = 10 * time.Second

func mastersCommand(io Streams) *cobra.Command {
	c := readerCommand(io, &cobra.Command{
		Use: "masters", GroupID: groupUse, Args: exactly(),
		Short: "List the masters: who leads, who stands by",
		Long: `List the masters: those that --master names and those that they know, or those that
stand for election in ZooKeeper. The exit status is 1 when none leads.`,
	}, listMasters)
	c.AddCommand(
		membersCommand(io, "add", "Let a master keep the registry with the others",
			`Let a master belong to --masters, which keep the registry among themselves. Start it
first, with an empty work directory and --masters that name it and the others. Of
a master that had its address, and lost its work directory, it takes the place.`,
			(*client.Client).AddMaster),
		membersCommand(io, "remove", "Let a master keep the registry no more",
			"Take a master out of --masters, which keep the registry among themselves, be it alive or not.",
			(*client.Client).RemoveMaster),
		recoverCommand(io))
	return c
}

// masterRow is a master in JSON.
type masterRow struct {
	Address string `json:"address"`
	State   string `json:"state"`
	Leader  string `json:"leader,omitempty"`
	ID      string `json:"id,omitempty"`
	Version string `json:"version,omitempty"`
	Error   string `json:"error,omitempty"`
}

func listMasters(ctx context.Context, r *reader, _ []string) (err error) {
	c, err := r.client()
	if err != nil {
		return err
	}
	defer func() { err = join(err, c.Close()) }()
	ctx, cancel := context.WithTimeout(ctx, askingPatience)
	defer cancel()
	standings, err := c.Masters(ctx)
	if err != nil {
		return err
	}
	rows := masterRows(standings)
	if err := writeMasters(r, rows); err != nil {
		return err
	}
	if !slices.ContainsFunc(rows, func(m masterRow) bool { return m.State == masterLeads }) {
		return exitStatus(failed)
	}
	return nil
}

// States of a master.
const (
	masterLeads   = "leading"
	masterWaits   = "standby"
	masterMissing = "unreachable"
)

func masterRows(standings []detector.Standing) []masterRow {
	rows := make([]masterRow, len(standings))
	for i, s := range standings {
		m := masterRow{Address: s.Address, State: masterWaits}
		if s.Leader != nil {
			if at, err := masters.Address(s.Leader); err == nil {
				m.Leader = at
			}
		}
		switch {
		case s.Err != nil:
			m.State, m.Error = masterMissing, s.Err.Error()
		case s.Leading:
			m.State, m.ID, m.Version = masterLeads, s.Leader.GetId(), s.Leader.GetVersion()
		}
		rows[i] = m
	}
	return rows
}

func writeMasters(r *reader, rows []masterRow) error {
	if r.json {
		return show.JSON(r.out, rows)
	}
	style := r.style()
	table := show.NewTable("ADDRESS", "STATE", "LEADER", "NOTE")
	for _, m := range rows {
		state := m.State
		switch state {
		case masterLeads:
			state = style.Green(state)
		case masterMissing:
			state = style.Red(state)
		}
		table.Add(m.Address, state, dash(m.Leader), dash(m.Error))
	}
	return table.Write(r.out, "No masters stand for election.")
}

// dash shows that there is nothing to show.
func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
