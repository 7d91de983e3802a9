package main

import (
	"fmt"

	"troupe/frameworks/overhttp"
	"troupe/messages/mesos/scheduler"
)

// The carriers that send the calls that wait in one request, as the SDK does.
const (
	togetherProtobuf = "together, protobuf"
	togetherJSON     = "together, JSON"
)

// together makes the framework one that speaks HTTP as the SDK does.
func (h *hungry) together(address, by string) {
	n := overhttp.New(overhttp.Options{JSON: by == togetherJSON}).Connect(address, ear{h})
	h.say = n.Send
	n.Send(hungryCall())
}

// ear hands on what the framework hears.
type ear struct{ *hungry }

// Event implements overhttp.Ear.
func (e ear) Event(event *scheduler.Event, done func()) {
	e.event(event)
	done()
}

// Refused implements overhttp.Ear.
func (e ear) Refused(c *scheduler.Call, status int, said string) {
	e.done <- fmt.Errorf("%s: %d %s", c.GetType(), status, said)
}

// Removed implements overhttp.Ear.
func (e ear) Removed() {}

// NotLeading implements overhttp.Ear.
func (e ear) NotLeading(string) { e.done <- fmt.Errorf("the master does not lead") }

// Lost implements overhttp.Ear.
func (e ear) Lost(reason string) { e.done <- fmt.Errorf("the master is gone: %s", reason) }
