// Package zookeeper elects a master through ZooKeeper, and detects the one
// elected, by the znodes that Mesos's masters and clients use. The wiring
// imports it, and master/store/znodes, whose registry a Term fences.
//
//	PATH                            of --zk=zk://host:port,…/PATH
//	  json.info_0000000012          ephemeral: a candidate's MasterInfo, as JSON;
//	  json.info_0000000015          the lowest number leads
//	  registry                      see master/store/znodes
//
// With credentials in the URL, candidates may be read by everybody and changed
// by their user alone; what is created above them, too.
//
// A session of the library is used for one session of ZooKeeper only: when that
// has ended, nothing more is ever sent. It counts as ended when ZooKeeper says
// so, and when nothing was heard of ZooKeeper for as long as it keeps a silent
// session, which a process that was stopped finds out as soon as it goes on.
package zookeeper
