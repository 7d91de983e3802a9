// Package client asks the REST API of the service framework, which is Marathon's
// v2 API and a little more. It knows the API as others see it, and nothing of how
// the framework is made; whoever talks to one may import it: commands, tests, and
// pages.
//
//	c := client.New("http://localhost:8080")
//	result, err := c.PutGroup(ctx, "/shop", group, client.Change{})
//	…
//	err = c.Wait(ctx, result.DeploymentID)
package client
