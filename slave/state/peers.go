package state

import "strings"

// name is a peer's address without its incarnation.
func (p Peer) name() Peer {
	base, _, _ := strings.Cut(string(p), "#")
	return Peer(base)
}

// system is what actors of one process share: address and incarnation.
func (p Peer) system() string {
	_, system, _ := strings.Cut(string(p), "@")
	return system
}

// address is where a peer's process listens, in any incarnation.
func (p Peer) address() string { return p.name().system() }
