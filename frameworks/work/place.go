package work

import (
	"cmp"
	"fmt"
	"strings"

	"troupe/messages/mesos"
)

// Place is where an attempt was launched; the zero value is nowhere.
type Place struct {
	// Agent is its id, Host its hostname, as it says itself.
	Agent, Host string
	// Ports are the task's, in the order of PORT0, PORT1 and so on.
	Ports []uint64

	// base is where the agent serves HTTP, sandbox the task's folder there.
	base, sandbox string
}

// PlaceOf is where a task is launched on an offer, with which ports.
func PlaceOf(o *mesos.Offer, t *mesos.TaskInfo, numbers []uint64) Place {
	x := cmp.Or(t.GetExecutor().GetExecutorId().GetValue(), t.GetTaskId().GetValue())
	a := o.GetUrl().GetAddress()
	return Place{
		Agent: o.GetAgentId().GetValue(), Host: o.GetHostname(), Ports: numbers,
		base:    o.GetUrl().GetScheme() + "://" + hostPort(cmp.Or(a.GetIp(), a.GetHostname()), uint64(a.GetPort())),
		sandbox: "/frameworks/" + o.GetFrameworkId().GetValue() + "/executors/" + x + "/runs/latest/",
	}
}

// Address is Host with the first of the Ports, to dial; "" without ports.
func (p Place) Address() string {
	if len(p.Ports) == 0 {
		return ""
	}
	return hostPort(p.Host, p.Ports[0])
}

// File is the URL of a file in the sandbox, such as stdout, which the agent
// serves while the task runs and for a while after: whole, or the Range of bytes
// that is asked for; 404 until it is there. It is "" where nothing was launched.
func (p Place) File(name string) string {
	if p.sandbox == "" {
		return ""
	}
	return p.base + "/files/download?path=" + escape(p.sandbox+name)
}

// hostPort and escape are what packages net and net/url have, which speak to
// networks, too.
func hostPort(host string, port uint64) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return fmt.Sprintf("%s:%d", host, port)
}

func escape(path string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/"
	var b strings.Builder
	for _, c := range []byte(path) {
		if strings.IndexByte(plain, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
