package commands

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"troupe/tools/troupe/daemon"
	"troupe/tools/troupe/flags"
)

// networkFlags say where a daemon listens, and what others are told.
type networkFlags struct {
	ip, advertiseIP, hostname string
	port, advertisePort       int
	tls                       tlsFlags
	certificates, lookup      bool
	firewall                  string
}

func (n *networkFlags) add(set *pflag.FlagSet, port int) {
	set.StringVar(&n.ip, "ip", "127.0.0.1", "address to listen on; 0.0.0.0 is all of the machine's")
	set.IntVar(&n.port, "port", port, "port to listen on, for actors and HTTP; 0 is any free one")
	set.StringVar(&n.advertiseIP, "advertise_ip", "", "address that others are told, where it is not --ip")
	set.IntVar(&n.advertisePort, "advertise_port", 0, "port that others are told, where it is not --port")
	set.StringVar(&n.hostname, "hostname", "", "name shown to frameworks and people; the machine's own, or the address when that is a loopback one")
	flags.Bool(set, &n.lookup, "hostname_lookup", true, "without --hostname, show the machine's name; otherwise the address")
	set.StringVar(&n.firewall, "firewall_rules", "", `what is answered by 403 over HTTP, as {"disabled_endpoints": {"paths": ["/files/browse"]}}: these very paths`)
	n.tls.add(set)
	flags.Bool(set, &n.certificates, "tls_require_client_cert", true, "with --tls_ca, turn HTTP clients away that have no certificate; actors need one in any case")
}

// network checks the flags.
func (n *networkFlags) network() (daemon.Network, error) {
	for _, ip := range []struct{ name, value string }{{"ip", n.ip}, {"advertise_ip", n.advertiseIP}} {
		if ip.value != "" && net.ParseIP(ip.value) == nil {
			return daemon.Network{}, flagError(ip.name, ip.value, "is no IP address")
		}
	}
	for _, port := range []struct {
		name  string
		value int
	}{{"port", n.port}, {"advertise_port", n.advertisePort}} {
		if port.value < 0 || port.value > 65535 {
			return daemon.Network{}, flagError(port.name, strconv.Itoa(port.value), "is no port: 0 to 65535")
		}
	}
	closed, err := closedPaths(n.firewall)
	if err != nil {
		return daemon.Network{}, err
	}
	secure, err := n.tls.server()
	if err != nil {
		return daemon.Network{}, err
	}
	if secure != nil && !n.certificates {
		secure.ClientAuth = tls.VerifyClientCertIfGiven // links ask for one of their own accord
	}
	return daemon.Network{
		Listen: net.JoinHostPort(n.ip, strconv.Itoa(n.port)), AdvertiseIP: n.advertised(), AdvertisePort: n.advertisePort,
		Hostname: n.host(), TLS: secure, Closed: closed,
	}, nil
}

// advertised is the address that others are told: a machine's name where it
// listens on all addresses.
func (n *networkFlags) advertised() string {
	if n.advertiseIP != "" || !net.ParseIP(n.ip).IsUnspecified() {
		return n.advertiseIP
	}
	return machineName()
}

func (n *networkFlags) host() string {
	switch ip := net.ParseIP(n.ip); {
	case n.hostname != "":
		return n.hostname
	case ip != nil && ip.IsLoopback() && n.advertiseIP == "":
		return n.ip
	case !n.lookup && n.advertiseIP != "":
		return n.advertiseIP
	case !n.lookup && !ip.IsUnspecified():
		return n.ip
	}
	return machineName()
}

func machineName() string {
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return name
}

// closedPaths reads --firewall_rules.
func closedPaths(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	var rules struct {
		Disabled *struct {
			Paths []string `json:"paths"`
		} `json:"disabled_endpoints"`
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(&rules)
	switch {
	case err != nil:
		return nil, flagError("firewall_rules", text, err.Error())
	case d.More():
		return nil, flagError("firewall_rules", text, "goes on behind its end")
	case rules.Disabled == nil:
		return nil, nil
	}
	for _, path := range rules.Disabled.Paths {
		if !strings.HasPrefix(path, "/") {
			return nil, flagError("firewall_rules", text, "disabled_endpoints.paths has "+strconv.Quote(path)+", which does not begin with /")
		}
	}
	return rules.Disabled.Paths, nil
}

// flagError is a flag's value that cannot be used.
func flagError(name, value, why string) error {
	return usageError{fmt.Errorf("--%s=%q %s", name, value, why)}
}
