// Package zookeepertest runs real ZooKeeper servers for tests: one alone or an
// ensemble, on loopback, with ports and folders of their own, gone when the
// test ends. They are Debian's (package zookeeper), their tick is 200 ms, so
// that sessions of 400 ms and more are possible. Only tests and benchmarks may import
// it.
package zookeepertest
