// Package masters is the one notion of where masters are: what --master, --zk
// and the SDK's Options.Master may say, and what a MasterInfo says. It looks
// at text only; master/detector goes and finds the leader. Anything may import
// it.
package masters
