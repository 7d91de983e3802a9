package state

import (
	"encoding/binary"
	"fmt"

	"troupe/frameworks/service/app"
	"troupe/frameworks/service/placement"
)

// dice make chance out of the salt of a life.
type dice struct{ a, b, throws uint64 }

func newDice(salt [16]byte) dice {
	return dice{a: binary.BigEndian.Uint64(salt[:8]), b: binary.BigEndian.Uint64(salt[8:])}
}

// throw is 16 bytes that nobody had before, as far as salts differ.
func (d *dice) throw() (bytes [16]byte) {
	d.throws++
	binary.BigEndian.PutUint64(bytes[:8], mix(d.a+d.throws*0x9e3779b97f4a7c15))
	binary.BigEndian.PutUint64(bytes[8:], mix(d.b+d.throws*0xd1342543de82ef95))
	return bytes
}

// number is a number by chance.
func (d *dice) number() uint64 {
	b := d.throw()
	return binary.BigEndian.Uint64(b[:])
}

// mix is the finalizer of splitmix64: every bit depends on every other.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// instance is the id of a new instance.
func (d *dice) instance(of app.Path) string { return placement.ID(of, d.throw()) }

// deployment is the id of a new deployment.
func (d *dice) deployment() string {
	b := d.throw()
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
