package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
)

// Where the masters are, on the page, that share the registry.
const (
	firstAddress  = "127.0.0.1:5061"
	secondAddress = "127.0.0.1:5062"
)

// standingBy is the state of a master that serves what one does that does not
// lead.
const standingBy = "standby "

// members is what masters answer that share the registry: a cluster of one,
// which gets a second one.
func (s *script) members() error {
	in := s.page.chapter("Masters that share the registry",
		"With `--masters`: here one master alone, and a second one that waits to be added. Of three, most have to answer.")
	if err := s.c.startMembers(s.ctx); err != nil {
		return err
	}
	first, second := s.c.members[0], s.c.members[1]
	second.state = standingBy
	s.listens(first, firstAddress)
	s.listens(second, secondAddress)
	if err := s.until("the second master waits to be added", func() (bool, error) {
		return strings.Contains(second.log.String(), "waits to be added"), nil
	}); err != nil {
		return err
	}
	for _, p := range s.c.members {
		if err := s.serve(p); err != nil {
			return err
		}
	}
	return s.changeMembers(in, first, second)
}

func (s *script) changeMembers(in *chapter, first, second *process) error {
	at := "?address=" + second.address
	for _, r := range []struct {
		status            int
		title, text, path string
		method            string
		to                *process
	}{
		{http.StatusOK, "`POST /masters/add`", "Answered when it belongs to them.", "/masters/add" + at, http.MethodPost, first},
		{http.StatusOK, "`GET /masters`", "Every one of them answers it.", "/masters", http.MethodGet, first},
		{http.StatusTemporaryRedirect, "`GET /state`, of one that does not lead", "Whatever only the leader knows is asked there.", "/state", http.MethodGet, second},
		{http.StatusOK, "`POST /masters/remove`", "The leader cannot be removed: end it, and ask the next one.", "/masters/remove" + at, http.MethodPost, first},
	} {
		if r.to == second {
			if err := s.follows(second); err != nil {
				return err
			}
		}
		if _, err := s.example(in, r.status, r.title, r.text, request{to: r.to, method: r.method, path: r.path}); err != nil {
			return err
		}
	}
	return nil
}

// follows waits until a master knows who leads.
func (s *script) follows(p *process) error {
	return s.until("the second master knows who leads", func() (bool, error) {
		a, err := (&request{to: p, method: http.MethodGet, path: "/leader"}).do(s.ctx)
		if err != nil {
			return false, err
		}
		t, err := parse(a.body)
		return t.member("leader", "id") != nil, err
	})
}

// startMembers starts two masters; the first leads, and knows nothing of the
// second.
func (c *cluster) startMembers(ctx context.Context) error {
	addresses, err := freeAddresses(2)
	if err != nil {
		return err
	}
	for i, address := range addresses {
		_, port, _ := strings.Cut(address, ":")
		p, err := start(ctx, c.program, "master", "--port="+port, "--ip=127.0.0.1", "--hostname=localhost",
			"--work_dir="+filepath.Join(c.dir, fmt.Sprint("member-", i)), "--masters="+strings.Join(addresses[:i+1], ","))
		if err != nil {
			return err
		}
		c.members = append(c.members, p)
	}
	return nil
}

// freeAddresses are some of this machine that were free a moment ago, sorted: a
// master's must be known before it starts.
func freeAddresses(n int) ([]string, error) {
	var addresses []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		addresses = append(addresses, l.Addr().String())
	}
	slices.Sort(addresses)
	return addresses, nil
}
