package api

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	"troupe/messages/mesos"
)

// However many ask, there are two measurements in a second, and each gets one
// that was begun after it asked.
func TestStatisticsAreMeasuredAtAPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var measured []time.Time
		epoch := time.Now()
		p := &pacer{measure: func() []sample {
			measured = append(measured, time.Now())
			began := time.Since(epoch)
			<-time.After(time.Millisecond)
			return []sample{{statistics: &mesos.ResourceStatistics{Timestamp: proto.Float64(began.Seconds())}}}
		}}
		began := time.Now()
		var answered atomic.Int64
		for time.Since(began) < 2*time.Second {
			asked := time.Now()
			for range 3 {
				go func() {
					samples, ok := p.samples(t.Context())
					at := time.Time{}
					if len(samples) == 1 {
						at = epoch.Add(time.Duration(samples[0].statistics.GetTimestamp() * float64(time.Second)).Round(time.Millisecond))
					}
					if !ok || at.Before(asked) || at.After(asked.Add(measureEvery)) {
						t.Errorf("asked at %v, answered %v, %t", asked, samples, ok)
					}
					answered.Add(1)
				}()
			}
			synctest.Wait()
			<-time.After(30 * time.Millisecond)
		}
		<-time.After(2 * measureEvery)
		synctest.Wait()
		if got := answered.Load(); got != 3*67 {
			t.Errorf("%d are answered, want %d", got, 3*67)
		}
		if len(measured) != 5 {
			t.Errorf("measured at %v", measured)
		}
		for i := 1; i < len(measured); i++ {
			if measured[i].Sub(measured[i-1]) < measureEvery {
				t.Errorf("measured at %v and %v", measured[i-1], measured[i])
			}
		}
		<-time.After(time.Hour)
		asked := time.Now()
		if _, ok := p.samples(t.Context()); !ok || time.Since(asked) != time.Millisecond {
			t.Errorf("who asks after an hour waits %v", time.Since(asked))
		}
	})
}

// Slow measurements do not run beside each other.
func TestMeasurementsAreSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		running := 0
		p := &pacer{measure: func() []sample {
			if running++; running > 1 {
				t.Error("two at once")
			}
			<-time.After(3 * measureEvery)
			running--
			return nil
		}}
		for range 5 {
			go p.samples(t.Context())
			<-time.After(measureEvery)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, ok := p.samples(gone); ok {
			t.Error("somebody is answered who has gone")
		}
		<-time.After(10 * measureEvery)
	})
}
