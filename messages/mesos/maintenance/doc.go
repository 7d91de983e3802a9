// Package maintenance holds the schedules in which machines leave for
// maintenance (mesos.v1.maintenance). Any package may import it.
package maintenance
