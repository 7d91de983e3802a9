package commands

import (
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"troupe/frameworks/service/discovery/dns"
	"troupe/frameworks/service/discovery/haproxy"
	"troupe/tools/troupe/daemon"
	"troupe/tools/troupe/flags"
)

// discoveryFlags say how others find the instances of apps.
type discoveryFlags struct {
	dnsPort   int
	dnsDomain string
	dnsTTL    flags.Duration
	proxy     haproxyFlags
}

// haproxyFlags are of an HAProxy that follows the apps.
type haproxyFlags struct {
	config, program, reload, groups string
	http, https, certificates, bind string
	leave                           bool
	pause, drain                    flags.Duration
	connections                     int
}

func (d *discoveryFlags) add(set *pflag.FlagSet) {
	set.IntVar(&d.dnsPort, "dns_port", 0, "port, on --ip, where the process that leads answers DNS queries about apps: A, AAAA and SRV of web.prod.DOMAIN for /prod/web; 0: nowhere")
	set.StringVar(&d.dnsDomain, "dns_domain", dns.DefaultDomain, "domain of these names")
	duration(set, &d.dnsTTL, "dns_ttl", dns.DefaultTTL, "for which answers may be remembered; 0 is not at all")
	d.proxy.add(set)
}

func (h *haproxyFlags) add(set *pflag.FlagSet) {
	set.StringVar(&h.config, "haproxy_config", "", "file of the configuration of an HAProxy that the process that leads keeps in front of apps, as their labels HAPROXY_… say; empty: there is none")
	set.StringVar(&h.program, "haproxy_program", haproxy.DefaultProgram, "the program, which is kept running")
	set.StringVar(&h.reload, "haproxy_reload_command", "", "line for /bin/sh that is run after each change of the configuration, instead of keeping a process")
	set.StringVar(&h.groups, "haproxy_groups", haproxy.DefaultGroup, "which apps it is for, by their label HAPROXY_GROUP, with commas between; * is all")
	set.StringVar(&h.http, "haproxy_http", "", "address where virtual hosts are served, as *:80; empty: nowhere")
	set.StringVar(&h.https, "haproxy_https", "", "address where they are served over TLS, with --haproxy_certificates")
	set.StringVar(&h.certificates, "haproxy_certificates", "", "file or folder of certificates, as HAProxy reads it")
	set.StringVar(&h.bind, "haproxy_bind", "", "address of ports whose labels say none; empty is all of the machine's")
	set.IntVar(&h.connections, "haproxy_max_connections", 0, "connections at a time; 0 is HAProxy's own choice")
	flags.Bool(set, &h.leave, "haproxy_leave", true, "have it run on when this process ends; the next one finds it")
	duration(set, &h.pause, "haproxy_reload_pause", haproxy.DefaultPause, "between two reloads")
	duration(set, &h.drain, "haproxy_drain_timeout", 10*time.Second, "for which a task is not killed while HAProxy has something on its way to it")
}

// put checks the flags.
func (d *discoveryFlags) put(o *daemon.ServiceOptions, ip string) error {
	switch {
	case d.dnsPort < 0 || d.dnsPort > 65535:
		return flagError("dns_port", strconv.Itoa(d.dnsPort), "is no port: 0 to 65535")
	case d.dnsTTL < 0:
		return flagError("dns_ttl", d.dnsTTL.String(), "is negative")
	case d.dnsDomain == "":
		return flagError("dns_domain", "", "is empty")
	}
	if d.dnsPort != 0 {
		ttl := time.Duration(d.dnsTTL)
		if ttl == 0 {
			ttl = -1 // package dns takes 0 for its default
		}
		o.DNS = &dns.Options{Listen: net.JoinHostPort(ip, strconv.Itoa(d.dnsPort)), Domain: d.dnsDomain, TTL: ttl}
	}
	h := &d.proxy
	if err := positive(namedDuration{"haproxy_reload_pause", h.pause}, namedDuration{"haproxy_drain_timeout", h.drain}); err != nil {
		return err
	}
	if err := atLeast(0, namedInt{"haproxy_max_connections", h.connections}); err != nil || h.config == "" {
		return err
	}
	o.Drain = time.Duration(h.drain)
	o.Proxy = &haproxy.Options{
		Config: h.config, Program: h.program, Reload: h.reload, Leave: h.leave, Groups: list(h.groups), Pause: time.Duration(h.pause),
		Settings: haproxy.Settings{HTTP: h.http, HTTPS: h.https, Certificates: h.certificates, Bind: h.bind, MaxConnections: h.connections},
	}
	if _, err := haproxy.New(nil, *o.Proxy); err != nil { // which a standby would find out too late
		return usageError{fmt.Errorf("--haproxy_…: %w", err)}
	}
	return nil
}
