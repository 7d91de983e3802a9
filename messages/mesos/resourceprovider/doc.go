// Package resourceprovider holds what a resource provider and its agent say
// to each other (mesos.v1.resource_provider). Any package may import it.
package resourceprovider
