package handshake

import (
	"encoding/binary"
	"fmt"
)

type parser struct {
	kind Kind
	b    []byte
	err  error
}

func (p *parser) fail(field, why string) {
	if p.err == nil {
		p.err = fmt.Errorf("handshake: %v: %s: %s", p.kind, field, why)
	}
	p.b = nil
}

func (p *parser) number(field string) uint64 {
	v, w := binary.Uvarint(p.b)
	if w <= 0 {
		p.fail(field, "not a varint")
		return 0
	}
	p.b = p.b[w:]
	return v
}

func (p *parser) bytes(field string, most int) []byte {
	n := p.number(field)
	switch {
	case p.err != nil:
		return nil
	case n > uint64(most):
		p.fail(field, fmt.Sprintf("%d bytes, over %d", n, most))
		return nil
	case n > uint64(len(p.b)):
		p.fail(field, fmt.Sprintf("%d bytes, but %d left", n, len(p.b)))
		return nil
	}
	v := p.b[:n]
	p.b = p.b[n:]
	return v
}

func (p *parser) text(field string) string { return string(p.bytes(field, MaxText)) }

func (p *parser) auth(m *Msg) {
	if len(p.b) == 0 {
		p.fail("done", "missing")
		return
	}
	if p.b[0] > 1 {
		p.fail("done", fmt.Sprintf("%d is neither 0 nor 1", p.b[0]))
		return
	}
	m.Done = p.b[0] == 1
	p.b = p.b[1:]
	m.Auth = p.bytes("credentials", MaxAuth)
}

// Parse reads the payload of a message. Bytes behind the fields known here
// are left for later versions of the protocol.
func Parse(k Kind, payload []byte) (Msg, error) {
	p := parser{kind: k, b: payload}
	m := Msg{Kind: k}
	switch k {
	case Hello:
		m.Version = p.number("version")
		m.Address = p.text("address")
		m.Incarnation = p.text("incarnation")
		p.auth(&m)
	case Auth:
		p.auth(&m)
	case Attach:
		m.Seq = p.number("seq")
		m.Seen = p.number("seen")
	case Welcome, Wait:
	case Reject:
		m.Code = Code(p.number("code"))
		m.Text = p.text("text")
	default:
		return Msg{}, fmt.Errorf("handshake: kind %d is unknown", byte(k))
	}
	if p.err != nil {
		return Msg{}, p.err
	}
	return m, nil
}
