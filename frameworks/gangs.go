package frameworks

import (
	"fmt"
	"time"

	"troupe/frameworks/gang"
	"troupe/frameworks/work"
	"troupe/messages/mesos"
)

// Gang says which tasks run together, or not at all; see gang.Gang.
type Gang = gang.Gang

// refuseUnfit is for how long what neither tasks nor gangs need now is not
// offered again while a gang still waits for more.
const refuseUnfit = 5 * time.Second

// AddGang brings tasks that run together, or not at all: none is launched
// before there is room for every one, and all are ended and launched again
// when one is lost or fails. An error names what is wrong with it. The reports
// of the members are final when the gang is done: when all have finished, or
// no attempt follows. Kill with the gang's id or a member's ends all.
func (t *Tasks) AddGang(g *Gang) error {
	if err := g.Check(); err != nil {
		return fmt.Errorf("gang %q: %w", g.ID, err)
	}
	t.feed(func() { t.stepGangs(gang.Add{Gang: g}) })
	return nil
}

// Rescinded takes an offer back from the gang that holds it.
func (t *Tasks) Rescinded(_ *Driver, offer string) { t.stepGangs(gang.Rescinded{Offer: offer}) }

// Disconnected takes all offers back from the gang that holds them.
func (t *Tasks) Disconnected(*Driver, string) { t.stepGangs(gang.Disconnected{}) }

func (t *Tasks) stepGangs(in gang.Input) {
	for _, e := range t.gangs.Step(t.driver.Now(), in) {
		t.performGang(e)
	}
	t.settle()
}

func (t *Tasks) performGang(e gang.Effect) {
	d := t.driver
	switch e := e.(type) {
	case gang.Launch:
		d.Launch(e.Offer, e.Tasks...)
	case gang.Decline:
		d.decline(e.Offers, e.Refuse)
	case gang.Unused:
		t.spare(e.Offers)
	case gang.Suppress:
		if t.core.Queued() == 0 {
			d.Suppress()
		}
	case gang.Revive:
		d.Revive()
	case gang.KillAttempt:
		d.Kill(e.ID, 0)
	case gang.SetTimer:
		d.After(e.After, func() { t.stepGangs(gang.TimerFired{Key: e.Key}) })
	case gang.Report:
		t.report(e.Report)
	}
}

// spare are offers that no gang takes.
func (t *Tasks) spare(offers []*mesos.Offer) {
	if t.core.Queued() == 0 && t.gangs.Collecting() {
		t.driver.Decline(offers, refuseUnfit)
		return
	}
	t.step(work.Offers{Offers: offers})
}

// settle ends the framework when neither tasks nor gangs are left.
func (t *Tasks) settle() {
	if t.tasksDone && t.gangs.Open() == 0 && !t.over {
		t.over = true
		t.driver.Teardown()
	}
}
