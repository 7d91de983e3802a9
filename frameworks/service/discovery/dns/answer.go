package dns

import (
	"math/rand/v2"
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

// udpSize is what we can take over UDP, and the most that we send over it: what
// passes every network in one piece.
const udpSize = 1232

// answer is what to reply to a query. Over UDP it fits what the client takes, with
// the TC bit when something had to be left out.
func (s *Server) answer(q *dns.Msg, udp bool) *dns.Msg {
	r := new(dns.Msg).SetReply(q)
	r.RecursionAvailable = false
	edns := q.IsEdns0()
	size := dns.MaxMsgSize
	if udp {
		size = dns.MinMsgSize
	}
	if edns != nil {
		r.SetEdns0(udpSize, false)
		if udp {
			size = min(max(int(edns.UDPSize()), dns.MinMsgSize), udpSize)
		}
	}
	switch {
	case q.Opcode != dns.OpcodeQuery:
		r.Rcode = dns.RcodeNotImplemented
	case len(q.Question) != 1:
		r.Rcode = dns.RcodeFormatError
	case edns != nil && edns.Version() != 0:
		r.Rcode = dns.RcodeBadVers
	default:
		s.fill(r, q.Question[0])
	}
	r.Compress = true
	r.Truncate(size)
	return r
}

// fill answers one question.
func (s *Server) fill(r *dns.Msg, q dns.Question) {
	name := strings.ToLower(q.Name)
	if q.Qclass != dns.ClassINET || q.Qtype == dns.TypeAXFR || q.Qtype == dns.TypeIXFR || !dns.IsSubDomain(s.apex, name) {
		r.Rcode = dns.RcodeRefused
		return
	}
	r.Authoritative = true
	if q.Qtype == dns.TypeANY { // as RFC 8482 wants it: nobody gets much for little
		r.Answer = []dns.RR{&dns.HINFO{Hdr: s.header(q.Name, dns.TypeHINFO), Cpu: "RFC8482"}}
		return
	}
	relative := strings.TrimSuffix(strings.TrimSuffix(name, s.apex), ".")
	if relative == "" {
		s.fillApex(r, q)
	} else if n := s.zone.lookup(relative); n != nil {
		s.fillNode(r, q, n)
	} else if relative != nameserver {
		r.Rcode = dns.RcodeNameError
	}
	if len(r.Answer) == 0 {
		r.Ns = []dns.RR{s.soa()}
	}
}

// nameserver is the name that the zone's NS record has, if no app is called so.
const nameserver = "ns"

func (s *Server) fillApex(r *dns.Msg, q dns.Question) {
	switch q.Qtype {
	case dns.TypeSOA:
		r.Answer = []dns.RR{s.soa()}
	case dns.TypeNS:
		r.Answer = []dns.RR{&dns.NS{Hdr: s.header(q.Name, dns.TypeNS), Ns: nameserver + "." + s.apex}}
	}
}

func (s *Server) fillNode(r *dns.Msg, q dns.Question, n *node) {
	switch q.Qtype {
	case dns.TypeA, dns.TypeAAAA:
		for _, ip := range n.addresses {
			if rr := s.address(q.Name, ip); rr.Header().Rrtype == q.Qtype {
				r.Answer = append(r.Answer, rr)
			}
		}
	case dns.TypeSRV:
		for _, v := range n.services {
			rr := &dns.SRV{Hdr: s.header(q.Name, dns.TypeSRV), Weight: 1, Port: v.port, Target: dns.Fqdn(v.host)}
			if v.target != "" {
				rr.Target = v.target + "." + s.apex
			}
			r.Answer = append(r.Answer, rr)
		}
	}
	// Clients take the first.
	rand.Shuffle(len(r.Answer), func(i, j int) { r.Answer[i], r.Answer[j] = r.Answer[j], r.Answer[i] })
	if q.Qtype == dns.TypeSRV {
		s.addTargets(r, n)
	}
}

// addTargets saves clients the question for where SRV records lead.
func (s *Server) addTargets(r *dns.Msg, n *node) {
	told := map[string]bool{}
	for _, v := range n.services {
		if v.target != "" && !told[v.target] {
			told[v.target] = true
			r.Extra = append(r.Extra, s.address(v.target+"."+s.apex, v.at))
		}
	}
}

func (s *Server) address(name string, ip netip.Addr) dns.RR {
	ip = ip.Unmap()
	if ip.Is4() {
		return &dns.A{Hdr: s.header(name, dns.TypeA), A: ip.AsSlice()}
	}
	return &dns.AAAA{Hdr: s.header(name, dns.TypeAAAA), AAAA: ip.AsSlice()}
}

func (s *Server) header(name string, kind uint16) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: kind, Class: dns.ClassINET, Ttl: s.ttl}
}

// soa bounds for how long others remember that there is nothing: as long as
// anything else.
func (s *Server) soa() dns.RR {
	return &dns.SOA{
		Hdr: s.header(s.apex, dns.TypeSOA), Ns: nameserver + "." + s.apex, Mbox: "hostmaster." + s.apex,
		Serial: s.zone.number(), Refresh: 60, Retry: 10, Expire: 3600, Minttl: s.ttl,
	}
}
