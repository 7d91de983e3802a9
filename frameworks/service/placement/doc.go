// Package placement decides whether an instance of an app may run on what an offer
// has, and writes the task: command, container, resources, ports, environment,
// checks. It also says why not, in the words of Marathon's queue and in words for
// people, and keeps the resources of apps with persistent volumes.
//
//	recipe, err := placement.Prepare(app, settings)
//	ground, err := placement.Open(offer)
//	placed, no := recipe.Place(ground, placement.Attempt{ID: id, Task: id, Spread: spread, Now: now, Chance: chance})
//	accept(offer, ground.Operations())
//
// It is a core: time and chance are inputs. The service framework's cores, shell and
// faces may import it.
package placement
