package commands

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
	"troupe/messages/mesos/maintenance"
	mesosmaster "troupe/messages/mesos/master"
	"troupe/messages/names"
	"troupe/tools/troupe/client"
	"troupe/tools/troupe/flags"
	"troupe/tools/troupe/show"
)

func maintenanceCommand(io Streams) *cobra.Command {
	c := readerCommand(io, &cobra.Command{
		Use: "maintenance", GroupID: groupUse, Args: noSuchCommand,
		Short: "List machines in maintenance, or about to be; plan it, begin it, end it",
		Long: `List machines in maintenance, or about to be, and what frameworks say to it: how many
accept that they have to leave, and how many do not. A machine is named by its host
name, its address, or both: node1, 10.0.0.1, node1@10.0.0.1.

  plan    offers tell of it, and frameworks are asked to leave
  down    its agents are shut down with all that they run, and refused
  up      its agents may register again, and it is no longer planned
  cancel  takes a plan back`,
	}, listMaintenance)
	c.AddCommand(planCommand(io), cancelCommand(io),
		changeCommand(io, &cobra.Command{
			Use: "down MACHINE…", Args: atMost(0, "MACHINE"), Short: "Begin the maintenance of machines: their agents are shut down, with all that they run",
		}, func(args []string) (*mesosmaster.Call, error) {
			return &mesosmaster.Call{
				Type: mesosmaster.Call_START_MAINTENANCE.Enum(), StartMaintenance: &mesosmaster.Call_StartMaintenance{Machines: machinesOf(args)},
			}, nil
		}),
		changeCommand(io, &cobra.Command{
			Use: "up MACHINE…", Args: atMost(0, "MACHINE"), Short: "End the maintenance of machines: their agents may register again",
		}, func(args []string) (*mesosmaster.Call, error) {
			return &mesosmaster.Call{
				Type: mesosmaster.Call_STOP_MAINTENANCE.Enum(), StopMaintenance: &mesosmaster.Call_StopMaintenance{Machines: machinesOf(args)},
			}, nil
		}))
	return c
}

// machinesOf reads names of machines.
func machinesOf(list []string) []*mesos.MachineID {
	ids := make([]*mesos.MachineID, 0, len(list))
	for _, text := range list {
		host, ip, both := strings.Cut(text, "@")
		if _, err := netip.ParseAddr(text); err == nil && !both {
			host, ip = "", text
		}
		id := new(mesos.MachineID)
		if host != "" {
			id.Hostname = &host
		}
		if ip != "" {
			id.Ip = &ip
		}
		ids = append(ids, id)
	}
	return ids
}

// machineText is what machinesOf reads.
func machineText(id *mesos.MachineID) string {
	return strings.Trim(id.GetHostname()+"@"+id.GetIp(), "@")
}

// machineRow is a machine in JSON.
type machineRow struct {
	Machine string `json:"machine"`
	State   string `json:"state"`
	// Seconds since 1970.
	Start float64 `json:"start"`
	// In seconds; absent: for good, as far as is known.
	Duration *float64 `json:"duration,omitempty"`
	Accept   int      `json:"accept"`
	Decline  int      `json:"decline"`
}

func listMaintenance(ctx context.Context, r *reader, _ []string) error {
	rows, err := read(ctx, r, machineRows)
	if err != nil {
		return err
	}
	if r.json {
		return show.JSON(r.out, rows)
	}
	table := show.NewTable("MACHINE", "STATE", "START", "DURATION", "ACCEPT", "DECLINE")
	for _, m := range rows {
		lasts := "-"
		if m.Duration != nil {
			lasts = flags.FormatDuration(time.Duration(*m.Duration * float64(time.Second)))
		}
		table.Add(m.Machine, m.State, time.Unix(int64(m.Start), 0).UTC().Format(time.RFC3339), lasts, fmt.Sprint(m.Accept), fmt.Sprint(m.Decline))
	}
	return table.Write(r.out, "No maintenance is planned.")
}

func machineRows(c *client.Client, ctx context.Context) ([]machineRow, error) {
	schedule, err := c.Schedule(ctx)
	if err != nil {
		return nil, err
	}
	status, err := c.Maintenance(ctx)
	if err != nil {
		return nil, err
	}
	rows := []machineRow{}
	for _, w := range schedule.GetWindows() {
		for _, id := range w.GetMachineIds() {
			rows = append(rows, rowOf(id, w.GetUnavailability(), status))
		}
	}
	return rows, nil
}

func rowOf(id *mesos.MachineID, u *mesos.Unavailability, status *maintenance.ClusterStatus) machineRow {
	row := machineRow{Machine: machineText(id), State: "draining", Start: float64(u.GetStart().GetNanoseconds()) / 1e9}
	if u.Duration != nil {
		lasts := float64(u.GetDuration().GetNanoseconds()) / 1e9
		row.Duration = &lasts
	}
	if slices.ContainsFunc(status.GetDownMachines(), func(down *mesos.MachineID) bool { return proto.Equal(down, id) }) {
		row.State = "down"
	}
	for _, m := range status.GetDrainingMachines() {
		if !proto.Equal(m.GetId(), id) {
			continue
		}
		for _, s := range m.GetStatuses() {
			switch s.GetStatus().String() {
			case "ACCEPT":
				row.Accept++
			case "DECLINE":
				row.Decline++
			}
		}
	}
	return row
}

func planCommand(io Streams) *cobra.Command {
	var in, lasts flags.Duration
	c := rescheduleCommand(io, &cobra.Command{
		Use: "plan MACHINE…", Args: atMost(0, "MACHINE"), Short: "Plan the maintenance of machines",
		Long: `Plan the maintenance of machines, or plan it anew. Nothing happens by itself when its
time comes: 'troupe maintenance down' begins it.`,
		Example: "  troupe maintenance plan node1 node2 --in=1hrs --lasts=30mins",
	}, func(s *maintenance.Schedule, ids []*mesos.MachineID) error {
		takeOut(s, ids)
		u := &mesos.Unavailability{Start: &mesos.TimeInfo{Nanoseconds: proto.Int64(time.Now().Add(time.Duration(in)).UnixNano())}}
		if lasts > 0 {
			u.Duration = &mesos.DurationInfo{Nanoseconds: proto.Int64(int64(lasts))}
		}
		s.Windows = append(s.Windows, &maintenance.Window{MachineIds: ids, Unavailability: u})
		return nil
	})
	duration(c.Flags(), &in, "in", 0, "how long from now it begins")
	duration(c.Flags(), &lasts, "lasts", 0, "how long it lasts; 0: for good, as far as is known")
	return c
}

func cancelCommand(io Streams) *cobra.Command {
	return rescheduleCommand(io, &cobra.Command{
		Use: "cancel MACHINE…", Args: atMost(0, "MACHINE"), Short: "Take the plans for machines back that are not down",
	}, func(s *maintenance.Schedule, ids []*mesos.MachineID) error {
		if missing := takeOut(s, ids); len(missing) > 0 {
			return fmt.Errorf("machine %q is not in the schedule", machineText(missing[0]))
		}
		return nil
	})
}

// takeOut takes machines out of a schedule, and returns those that were not in
// it.
func takeOut(s *maintenance.Schedule, ids []*mesos.MachineID) (missing []*mesos.MachineID) {
	name := func(id *mesos.MachineID) string { return names.Machine(id.GetHostname(), id.GetIp()) }
	there := make(map[string]bool)
	for _, w := range s.GetWindows() {
		w.MachineIds = slices.DeleteFunc(w.MachineIds, func(have *mesos.MachineID) bool {
			out := slices.ContainsFunc(ids, func(id *mesos.MachineID) bool { return name(id) == name(have) })
			there[name(have)] = there[name(have)] || out
			return out
		})
	}
	s.Windows = slices.DeleteFunc(s.Windows, func(w *maintenance.Window) bool { return len(w.GetMachineIds()) == 0 })
	return slices.DeleteFunc(slices.Clone(ids), func(id *mesos.MachineID) bool { return there[name(id)] })
}

// rescheduleCommand is a command that changes the schedule, whoever changes it
// at the same moment.
func rescheduleCommand(io Streams, c *cobra.Command, change func(*maintenance.Schedule, []*mesos.MachineID) error) *cobra.Command {
	r := &reader{out: io.Out}
	r.addFlags(c)
	c.RunE = func(c *cobra.Command, args []string) (err error) {
		to, err := r.client()
		if err != nil {
			return err
		}
		defer func() { err = join(err, to.Close()) }()
		return to.ChangeSchedule(c.Context(), func(s *maintenance.Schedule) error { return change(s, machinesOf(args)) })
	}
	return c
}
