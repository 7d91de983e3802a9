package wire

import (
	"strings"
	"time"

	"troupe/frameworks/service/app"
)

func (o object) checks(a *app.App) {
	var health []app.HealthCheck
	if o.objects("healthChecks", func(c object) { health = append(health, c.health()) }) {
		a.Checks.Health = health
	}
	if c, ok := o.child("check"); ok {
		a.Checks.Info = c.check()
	}
	var readiness []app.Readiness
	if o.objects("readinessChecks", func(c object) { readiness = append(readiness, c.readiness()) }) {
		a.Checks.Readiness = readiness
	}
}

func (o object) health() app.HealthCheck {
	h := app.HealthCheck{
		Protocol: app.HTTP, Grace: 300 * time.Second, Interval: time.Minute, Timeout: 20 * time.Second,
		Delay: 15 * time.Second, MaxFailures: 3, IPProtocol: "IPv4",
	}
	o.text("protocol", &h.Protocol)
	if strings.Contains(h.Protocol, app.HTTP) {
		h.Path = o.slashed("path")
	}
	o.seconds("gracePeriodSeconds", &h.Grace)
	o.seconds("intervalSeconds", &h.Interval)
	o.seconds("timeoutSeconds", &h.Timeout)
	o.seconds("delaySeconds", &h.Delay)
	o.integer("maxConsecutiveFailures", &h.MaxFailures)
	o.flag("ignoreHttp1xx", &h.IgnoreHTTP1)
	o.text("ipProtocol", &h.IPProtocol)
	if c, ok := o.child("command"); ok {
		c.text("value", &h.Command)
	}
	if h.Protocol != app.Command { // what a command does not need is not kept
		h.Port, h.PortIndex = o.target()
	}
	return h
}

// slashed reads a path; to leave it empty is to leave it out.
func (o object) slashed(key string) string {
	path := ""
	o.text(key, &path)
	if path == "" {
		return "/"
	}
	return path
}

// target reads port and portIndex; with neither it is the first port (A.4, rule 8).
func (o object) target() (port, index *int) {
	port, index = o.optional("port"), o.optional("portIndex")
	if port == nil && index == nil {
		index = new(int)
	}
	return port, index
}

func (o object) check() *app.Check {
	k := &app.Check{Interval: time.Minute, Timeout: 20 * time.Second, Delay: 15 * time.Second}
	o.seconds("intervalSeconds", &k.Interval)
	o.seconds("timeoutSeconds", &k.Timeout)
	o.seconds("delaySeconds", &k.Delay)
	if c, ok := o.child("http"); ok {
		k.HTTP = &app.HTTPCheck{Path: c.slashed("path"), Scheme: app.HTTP}
		c.text("scheme", &k.HTTP.Scheme)
		k.HTTP.Port, k.HTTP.PortIndex = c.target()
	}
	if c, ok := o.child("tcp"); ok {
		k.TCP = &app.TCPCheck{}
		k.TCP.Port, k.TCP.PortIndex = c.target()
	}
	if c, ok := o.child("exec"); ok {
		if command, ok := c.child("command"); ok {
			command.text("shell", &k.Command)
		}
	}
	return k
}

func (o object) readiness() app.Readiness {
	r := app.Readiness{
		Name: "readinessCheck", Protocol: app.HTTP, Path: "/", PortName: "http-api",
		Interval: 30 * time.Second, Timeout: 10 * time.Second, Codes: []int{200},
	}
	o.text("name", &r.Name)
	o.text("protocol", &r.Protocol)
	o.text("path", &r.Path)
	o.text("portName", &r.PortName)
	o.seconds("intervalSeconds", &r.Interval)
	o.seconds("timeoutSeconds", &r.Timeout)
	o.flag("preserveLastResponse", &r.Keep)
	codes := []int{}
	if o.list("httpStatusCodesForReady", func(path string, v any) {
		n, _ := o.whole(path, v, 1<<31-1)
		codes = append(codes, int(n))
	}) {
		r.Codes = codes
	}
	return r
}
