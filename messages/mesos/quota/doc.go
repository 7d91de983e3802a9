// Package quota holds the guarantees and limits of roles (mesos.v1.quota).
// Any package may import it.
package quota
