// Package dns answers DNS queries about apps out of their live endpoints. For the app
// /prod/web and the domain service.troupe:
//
//	web.prod.service.troupe             A, AAAA  where its instances are
//	web-prod.service.troupe             A, AAAA  the same in one label
//	_web-prod._tcp.service.troupe       SRV      every tcp port of every instance
//	_http._web-prod._tcp.service.troupe SRV      the port that is called http
//	UUID.web.prod.service.troupe        A, AAAA  one instance: where SRV records lead
//
// An app that nothing live is known of has a name, and no records. What is at a host
// of which only the name is known has SRV records that name the host, and no others.
// Of two apps with one name that counts whose path comes first.
//
// It is a device. Wiring and the framework's shell may import it.
package dns
