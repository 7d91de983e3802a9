// Package lead lets a framework run as several processes, of which one leads:
// it alone subscribes at the master, writes the state (see frameworks/store) and
// answers requests. The others take requests, too, and pass them on to it; when
// it ends, one of them follows.
//
//	           Lead              elected            Ready               term lost
//	NewElection ──▶ candidate ──────────▶ reads state ──▶ leading ───────────────▶ the process ends
//
// A process leads at most once, as masters do: what it would have to forget to
// stand by again is forgotten most surely by a new process, which its supervisor
// starts.
//
// The wiring of frameworks imports it. The election is that of
// master/election/ensemble, with candidates of this content:
//
//	PATH/candidate_0000000012   {"id":"…","url":"http://10.0.0.7:8080"}
package lead
