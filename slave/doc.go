// Package slave is the agent: the actor that a master gives tasks to, and the
// keepers of its executor hosts. The folder has the name that Mesos gave
// agents first, and that remains on the wire; everything else says agent.
//
// Agent is the shell of state.Machine. It performs what the machine decides,
// in order; what could wait (disks, processes) runs beside it and comes back
// as an input. The devices it needs are interfaces of this package; wiring
// brings them. Only wiring imports it.
package slave
