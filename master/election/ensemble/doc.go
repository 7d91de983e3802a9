// Package ensemble is what processes that share a ZooKeeper need to have one of
// them lead: sessions, candidates whose znodes hold whatever they want known of
// the leader, terms that fence what is written, and a watch that tells who leads.
// master/election/zookeeper elects masters with it, master/store/batches writes
// through its terms, and frameworks/store/lead elects processes of frameworks.
//
//	PATH                            of zk://host:port,…/PATH
//	  LABEL0000000012               ephemeral: a candidate and its content;
//	  LABEL0000000015               the lowest number leads
//
// With credentials in the URL, candidates may be read by everybody and changed
// by their user alone; what is created above them, too.
//
// A session of the library is used for one session of ZooKeeper only: when that
// has ended, nothing more is ever sent. It counts as ended when ZooKeeper says
// so, and when nothing was heard of ZooKeeper for as long as it keeps a silent
// session, which a process that was stopped finds out as soon as it goes on.
package ensemble
