// Package zookeeper elects a master through ZooKeeper, and detects the one
// elected, by the znodes that Mesos's masters and clients use. The wiring
// imports it, and master/store/znodes, whose registry a Term fences.
//
//	PATH                            of --zk=zk://host:port,…/PATH
//	  json.info_0000000012          ephemeral: a candidate's MasterInfo, as JSON;
//	  json.info_0000000015          the lowest number leads
//	  registry                      see master/store/znodes
//
// How the election goes is the matter of package ensemble, which knows nothing of
// masters.
package zookeeper
