package frameworks_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/actors"
	"troupe/frameworks"
	"troupe/frameworks/frameworktest"
	api "troupe/master/api/scheduler"
	"troupe/messages/mesos"
)

// many launches tasks as fast as there are offers, acknowledges each update, and
// tells when so many have finished.
type many struct {
	frameworks.Base
	left, launched int
	done           chan struct{}
}

// perOffer is how many tasks go into one ACCEPT.
const perOffer = 32

func (m *many) Offers(d *frameworks.Driver, offers []*mesos.Offer) {
	for _, o := range offers {
		var list []*mesos.TaskInfo
		for range perOffer {
			m.launched++
			list = append(list, &mesos.TaskInfo{
				Name: proto.String("t"), TaskId: &mesos.TaskID{Value: proto.String(fmt.Sprint("t", m.launched))},
				Resources: []*mesos.Resource{{
					Name: proto.String("cpus"), Type: mesos.Value_SCALAR.Enum(), Scalar: &mesos.Value_Scalar{Value: proto.Float64(1)},
					AllocationInfo: o.GetAllocationInfo(),
				}},
				Command: &mesos.CommandInfo{Value: proto.String("true")},
			})
		}
		d.Launch(o, list...)
	}
}

func (m *many) Update(_ *frameworks.Driver, st *mesos.TaskStatus) bool {
	if st.GetState() == finished {
		if m.left--; m.left == 0 {
			close(m.done)
		}
	}
	return true
}

// Tasks per second of the SDK, its carrier and the gateway, with a master that
// costs next to nothing: two updates each, both acknowledged.
//
//	go test ./frameworks -run '^$' -bench Carrier -benchtime 20000x
func BenchmarkCarrier(b *testing.B) {
	for _, by := range []struct {
		name string
		http *frameworks.HTTP
	}{{"actors", nil}, {"protobuf", &frameworks.HTTP{}}, {"JSON", &frameworks.HTTP{JSON: true}}} {
		b.Run(by.name, func(b *testing.B) {
			there, here := listening(b), listening(b)
			m := frameworktest.New(b, there, nil)
			api.Mount(there, there, api.Options{Master: m.PID})
			m.Agent(b, "S1", fmt.Sprintf("cpus:%d", 8*perOffer))
			s := &many{left: b.N, done: make(chan struct{})}
			b.ResetTimer()
			d, err := frameworks.Start(here, m.PID, frameworks.Options{Name: "bench", HTTP: by.http}, s, func(error) {})
			if err != nil {
				b.Fatal(err)
			}
			<-s.done
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
			d.Leave()
		})
	}
}

// listening is a system until the benchmark ends.
func listening(b *testing.B) *actors.System {
	b.Helper()
	sys, err := actors.New(actors.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := sys.Close(ctx); err != nil {
			b.Error(err)
		}
	})
	return sys
}
