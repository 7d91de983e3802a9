// Package allocator holds what frameworks answered to inverse offers
// (mesos.v1.allocator). Any package may import it.
package allocator
