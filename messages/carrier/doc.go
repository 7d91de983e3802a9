// Package carrier carries calls and events over HTTP, for every daemon alike:
// it reads a call out of a request, in the order of checks that clients can
// observe, finds out which form the answer may have, and writes answers and
// streams of records. It knows no call; faces and wiring import it.
//
// A handler reads with an Intake, answers what is wrong with Refuse, and what
// is right with WriteMessage or with a Stream:
//
//	call := new(scheduler.Call)
//	if err := intake.Read(w, r, call); err != nil {
//		carrier.Refuse(w, err)
//		return
//	}
//	form, err := carrier.Negotiate(r)
//	…
//	stream := carrier.NewStream(carrier.StreamOptions{Form: form})
//	… // somebody else calls stream.Send
//	if stream.Serve(w, r) != nil {
//		panic(http.ErrAbortHandler) // so that the client sees that it lacks the end
//	}
package carrier
