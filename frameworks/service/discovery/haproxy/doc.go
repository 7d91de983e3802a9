// Package haproxy keeps an HAProxy in front of apps: it writes its configuration out
// of live endpoints, starts it, and has it follow without a connection being lost.
// What only concerns servers is told to the running process; the rest is a reload, in
// which the new process inherits the listening sockets and the old one finishes what
// it has begun. The process outlives ours, and is found again.
//
// Apps say by labels what they want, in the tradition of marathon-lb; N is the place
// of a port among the app's, from 0:
//
//	HAPROXY_GROUP            which HAProxies the app is for, with commas between; without it, none
//	HAPROXY_N_GROUP          the same for one port
//	HAPROXY_N_ENABLED        false: not this port
//	HAPROXY_N_MODE           tcp (the default), or http (the default with a VHOST)
//	HAPROXY_N_PORT           rather than the service port
//	HAPROXY_N_BIND_ADDR      address of the port; * is all
//	HAPROXY_N_VHOST          host names, with commas between; "*.example.com" is all below
//	HAPROXY_N_PATH           only paths that begin so, of a VHOST
//	HAPROXY_N_BALANCE        roundrobin (the default), leastconn, random or source
//	HAPROXY_N_STICKY         true: a client stays with its server, by a cookie; only http
//	HAPROXY_N_REDIRECT_TO_HTTPS  true: a VHOST is redirected, when there is HTTPS
//
// Values are checked, and never copied into the configuration unless they are of a
// form that means nothing else there. What is wrong keeps that port out, with a
// Problem that says so.
//
// It is a device. Wiring and the framework's shell may import it.
package haproxy
