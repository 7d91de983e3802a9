// Package znodes keeps the registry in ZooKeeper, written by the leading
// master alone. The wiring imports it.
//
//	PATH/registry   see package batches, which knows nothing of registries
//
// Records are RegistryRecords under their keys; what they belong to is the
// cluster.
package znodes
