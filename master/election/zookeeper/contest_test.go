package zookeeper_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/protobuf/proto"

	"troupe/master/election"
	"troupe/master/election/zookeeper"
	"troupe/master/election/zookeepertest"
	"troupe/messages/masters"
	"troupe/messages/mesos"
)

// patience bounds every wait; it is never waited for when all is well.
const patience = 3 * time.Minute

func info(id string) *mesos.MasterInfo {
	return &mesos.MasterInfo{Id: &id, Ip: proto.Uint32(16777343), Port: proto.Uint32(5050), Pid: proto.String("master@127.0.0.1:5050")}
}

var errOpened = errors.New("opened")

func opener(context.Context, *zookeeper.Term, election.Opening) (election.Registry, error) {
	return nil, errOpened
}

func place(t *testing.T, url string) masters.ZooKeeper {
	t.Helper()
	p, err := masters.ParseZooKeeper(url)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// options are for a path of the test's own. The session outlasts whatever may
// hold a busy machine up.
func options(t *testing.T, e *zookeepertest.Ensemble) zookeeper.Options {
	return zookeeper.Options{
		Place:          place(t, e.URL("/"+strings.ReplaceAll(t.Name(), "/", "-")+"/masters")),
		SessionTimeout: 20 * time.Second,
	}
}

func contest(t *testing.T, o zookeeper.Options, id string) *zookeeper.Contest {
	c := zookeeper.NewContest(o, info(id), opener)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func lead(t *testing.T, c *zookeeper.Contest) *zookeeper.Term {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	term, err := c.Lead(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return term.(*zookeeper.Term)
}

// leader waits until another than known leads.
func leader(t *testing.T, d election.Detector, known *mesos.MasterInfo) *mesos.MasterInfo {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	found, err := d.Leader(ctx, known)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func within(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("not within %s: %s", patience, what)
	}
}

// raw is a client that knows nothing of elections.
func raw(t *testing.T, e *zookeepertest.Ensemble) *zk.Conn {
	t.Helper()
	up := make(chan struct{}, 10)
	c, _, err := zk.Connect(e.Servers(), 10*time.Second, zk.WithLogger(silent{}), zk.WithEventCallback(func(e zk.Event) {
		if e.State == zk.StateHasSession {
			up <- struct{}{}
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	within(t, up, "a client has a session")
	return c
}

type silent struct{}

func (silent) Printf(string, ...any) {}

func TestElection(t *testing.T) {
	e := zookeepertest.Start(t, 1)
	for name, test := range map[string]func(*testing.T, *zookeepertest.Ensemble){
		"TheNextLeadsWhenTheFirstLeaves": theNextLeads,
		"ZnodesAreThoseOfMesos":          znodesAreThoseOfMesos,
		"ADeletedZnodeEndsTheTerm":       deletedZnode,
		"ACandidateStandsAgain":          standsAgain,
		"TheDetectorWaitsForThePath":     detectorWaits,
		"WhatIsNoMasterDoesNotLead":      foreignContent,
		"OnlyItsUserChangesIt":           credentials,
		"LeadEndsWithItsContext":         leadEnds,
		"ADeposedLeaderWritesNothing":    deposed,
		"TransactionsAreWholeOrNot":      transactions,
		"AServerMayGrantLess":            grantsLess,
		"ALeaderElectedElsewhereIsShown": published,
	} {
		t.Run(name, func(t *testing.T) { test(t, e) })
	}
}

func theNextLeads(t *testing.T, e *zookeepertest.Ensemble) {
	o := options(t, e)
	first, second := contest(t, o, "first"), contest(t, o, "second")
	term := lead(t, first)
	if _, err := term.Registry(t.Context(), election.Opening{}); !errors.Is(err, errOpened) {
		t.Errorf("the registry is opened with %v", err)
	}
	elected := make(chan election.Term, 1)
	go func() {
		if term, err := second.Lead(t.Context()); err == nil {
			elected <- term
		}
	}()
	found := leader(t, second, nil)
	if !proto.Equal(found, info("first")) {
		t.Fatalf("%v leads", found)
	}
	if term.Err() != nil {
		t.Fatalf("the first lost: %v", term.Err())
	}
	if len(elected) != 0 {
		t.Fatal("two lead")
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	within(t, term.Lost(), "a closed contest ends its term")
	select {
	case <-elected:
	case <-time.After(patience):
		t.Fatal("the second does not lead")
	}
	for found.GetId() == "first" || found == nil {
		found = leader(t, second, found)
	}
	if found.GetId() != "second" {
		t.Errorf("%v leads", found)
	}
}

func znodesAreThoseOfMesos(t *testing.T, e *zookeepertest.Ensemble) {
	o := options(t, e)
	lead(t, contest(t, o, "m"))
	c := raw(t, e)
	names, _, err := c.Children(o.Place.Path)
	if err != nil || len(names) != 1 || !regexp.MustCompile(`^json\.info_[0-9]{10}$`).MatchString(names[0]) {
		t.Fatalf("the folder has %q, %v", names, err)
	}
	data, stat, err := c.Get(o.Place.Path + "/" + names[0])
	if want := `{"id":"m","ip":16777343,"port":5050,"pid":"master@127.0.0.1:5050"}`; err != nil || string(data) != want || stat.EphemeralOwner == 0 {
		t.Errorf("the znode has %s, %+v, %v", data, stat, err)
	}
}

func deletedZnode(t *testing.T, e *zookeepertest.Ensemble) {
	o := options(t, e)
	term := lead(t, contest(t, o, "m"))
	c := raw(t, e)
	mine := candidateOf(t, c, o.Place.Path)
	if _, err := c.Set(mine, []byte("changed"), -1); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(mine, -1); err != nil {
		t.Fatal(err)
	}
	within(t, term.Lost(), "the term ends")
	if err := term.Err(); err == nil || !strings.Contains(err.Error(), mine) {
		t.Errorf("it ended with %v", err)
	}
}

// candidateOf is the path of the one candidate.
func candidateOf(t *testing.T, c *zk.Conn, folder string) string {
	t.Helper()
	names, _, err := c.Children(folder)
	if err != nil || len(names) != 1 {
		t.Fatalf("%s has %q, %v", folder, names, err)
	}
	return folder + "/" + names[0]
}

// A candidate whose znode is deleted before its turn is one again.
func standsAgain(t *testing.T, e *zookeepertest.Ensemble) {
	o := options(t, e)
	first := contest(t, o, "first")
	lead(t, first)
	core, logs := observer.New(zap.InfoLevel)
	o.Logger = zap.New(core)
	second := contest(t, o, "second")
	elected := make(chan error, 1)
	go func() {
		_, err := second.Lead(t.Context())
		elected <- err
	}()
	candidacies := func() int { return logs.FilterMessage("This master is a candidate").Len() }
	until(t, "the second is a candidate", func() bool { return candidacies() == 1 })
	znode, ok := logs.FilterMessage("This master is a candidate").All()[0].ContextMap()["znode"].(string)
	if !ok {
		t.Fatal("the log does not name the znode")
	}
	if err := raw(t, e).Delete(znode, -1); err != nil {
		t.Fatal(err)
	}
	until(t, "the second is a candidate again", func() bool { return candidacies() == 2 })
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-elected; err != nil {
		t.Fatal(err)
	}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

func detectorWaits(t *testing.T, e *zookeepertest.Ensemble) {
	o := options(t, e)
	d := zookeeper.NewDetector(o)
	if found := leader(t, d, info("somebody")); found != nil {
		t.Fatalf("%v leads where there is no path", found)
	}
	lead(t, contest(t, o, "m"))
	if found := leader(t, d, nil); found.GetId() != "m" {
		t.Errorf("%v leads", found)
	}
	waiting := make(chan error, 1)
	go func() {
		_, err := d.Leader(t.Context(), info("m"))
		waiting <- err
	}()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-waiting; !errors.Is(err, election.ErrClosed) {
		t.Errorf("a closed detector says %v", err)
	}
}

func foreignContent(t *testing.T, e *zookeepertest.Ensemble) {
	o := options(t, e)
	c := raw(t, e)
	parts := strings.Split(o.Place.Path, "/")
	for i := 2; i <= len(parts); i++ {
		if _, err := c.Create(strings.Join(parts[:i], "/"), nil, 0, zk.WorldACL(zk.PermAll)); err != nil {
			t.Fatal(err)
		}
	}
	foreign := o.Place.Path + "/json.info_0000000000"
	if _, err := c.Create(foreign, []byte("10.0.0.1:5050"), 0, zk.WorldACL(zk.PermAll)); err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.WarnLevel)
	watched := o
	watched.Logger = zap.New(core)
	d := zookeeper.NewDetector(watched)
	defer d.Close()
	if found := leader(t, d, info("somebody")); found != nil {
		t.Errorf("%v leads", found)
	}
	if text := fmt.Sprint(logs.All()); !strings.Contains(text, foreign) || !strings.Contains(text, "10.0.0.1:5050") {
		t.Errorf("the log does not say what is wrong: %s", text)
	}
	elected := make(chan struct{})
	go func() {
		defer close(elected)
		if _, err := contest(t, o, "m").Lead(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	until(t, "a candidate stands", func() bool { names, _, err := c.Children(o.Place.Path); return err == nil && len(names) == 2 })
	if err := c.Delete(foreign, -1); err != nil {
		t.Fatal(err)
	}
	within(t, elected, "the next candidate leads")
	if found := leader(t, d, nil); found.GetId() != "m" {
		t.Errorf("%v leads", found)
	}
}

func credentials(t *testing.T, e *zookeepertest.Ensemble) {
	o := options(t, e)
	o.Place.User, o.Place.Password = "troupe", "secret"
	term := lead(t, contest(t, o, "m"))
	if out, err := term.Commit(t.Context(), term.Create(o.Place.Path+"/registry", nil)); out != zookeeper.Done {
		t.Fatal(err)
	}
	c := raw(t, e)
	mine := ""
	names, _, err := c.Children(o.Place.Path)
	for _, n := range names {
		if strings.HasPrefix(n, "json.info_") {
			mine = o.Place.Path + "/" + n
		}
	}
	if err != nil || mine == "" {
		t.Fatalf("a stranger sees %q, %v", names, err)
	}
	if _, _, err := c.Get(mine); err != nil {
		t.Errorf("a stranger reads the candidate: %v", err)
	}
	for what, err := range map[string]error{
		"deletes the candidate": c.Delete(mine, -1),
		"changes the candidate": second(c.Set(mine, nil, -1)),
		"stands":                second(c.Create(o.Place.Path+"/json.info_0000000000", nil, 0, zk.WorldACL(zk.PermAll))),
		"reads the registry":    third(c.Get(o.Place.Path + "/registry")),
	} {
		if !errors.Is(err, zk.ErrNoAuth) {
			t.Errorf("a stranger %s: %v", what, err)
		}
	}
	for name, user := range map[string][2]string{"wrong password": {"troupe", "Secret"}, "no user": {"", ""}} {
		other := o
		other.Place.User, other.Place.Password = user[0], user[1]
		_, err := contest(t, other, "other").Lead(t.Context())
		if err == nil || !strings.Contains(err.Error(), "another user or password") || strings.Contains(err.Error(), "ecret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if term.Err() != nil {
		t.Error(term.Err())
	}
}

func second[A any](_ A, err error) error { return err }

func third[A, B any](_ A, _ B, err error) error { return err }

// The test's servers grant two minutes at most.
func grantsLess(t *testing.T, e *zookeepertest.Ensemble) {
	core, logs := observer.New(zap.InfoLevel)
	o := options(t, e)
	o.SessionTimeout, o.Logger = time.Hour, zap.New(core)
	lead(t, contest(t, o, "m"))
	said := logs.FilterMessage("ZooKeeper grants another session timeout than was asked for").All()
	if len(said) == 0 || said[0].ContextMap()["granted"] != 2*time.Minute {
		t.Errorf("the log says %v", logs.All())
	}
}

func leadEnds(t *testing.T, e *zookeepertest.Ensemble) {
	o := options(t, e)
	lead(t, contest(t, o, "first"))
	other := contest(t, o, "second")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := other.Lead(ctx)
		ended <- err
	}()
	leader(t, other, nil)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
	third := contest(t, o, "third")
	go func() {
		_, err := third.Lead(t.Context())
		ended <- err
	}()
	leader(t, third, nil)
	if err := third.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, election.ErrClosed) {
		t.Errorf("it ended with %v", err)
	}
}
