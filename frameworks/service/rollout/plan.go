package rollout

import "troupe/frameworks/service/app"

// Kind is what an action does to an app.
type Kind string

// Kinds of actions.
const (
	Start   Kind = "start"   // make a new app known, with no instance yet
	Stop    Kind = "stop"    // end all instances of an app that is no more
	Scale   Kind = "scale"   // have as many instances as the app says
	Restart Kind = "restart" // replace the instances of earlier versions
)

// Action is what a deployment does to one app.
type Action struct {
	Kind Kind
	App  app.Path
}

// Step is what a deployment does at once; the next one begins when all actions
// are done.
type Step []Action

// Plan is how Original becomes Target. It never changes.
type Plan struct {
	Original, Target *app.Group
	Steps            []Step     // none is empty; there may be none
	Affected         []app.Path // all apps that differ, those that need no step included; sorted
}
