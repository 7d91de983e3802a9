package json_test

import (
	"fmt"
	"os"

	"troupe/messages/json"
	"troupe/messages/mesos/scheduler"
)

func ExampleUnmarshal() {
	var call scheduler.Call
	err := json.Unmarshal([]byte(`{"type":"DECLINE","decline":{"offer_ids":{"value":"O1"},"filters":{"refuse_seconds":"60"}}}`), &call)
	fmt.Println(call.GetDecline().GetOfferIds()[0].GetValue(), call.GetDecline().GetFilters().GetRefuseSeconds(), err)
	err = json.Unmarshal([]byte(`{"type":"DECLINE","decline":{"offer_ids":[{"value":"O1"},{"value":2}]}}`), &call)
	fmt.Println(err)
	// Output:
	// O1 60 <nil>
	// decline.offer_ids[1].value: 2: must be a string
}

func ExampleWriter() {
	w := json.NewWriter(os.Stdout)
	w.BeginObject()
	w.Field("activated_slaves", 2)
	w.Key("slaves")
	w.BeginArray()
	for _, id := range []string{"S0", "S1"} {
		w.BeginObject()
		w.Field("id", id)
		w.Field("registered_time", 1.5)
		w.EndObject()
	}
	w.EndArray()
	w.EndObject()
	if err := w.Flush(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {"activated_slaves":2,"slaves":[{"id":"S0","registered_time":1.5},{"id":"S1","registered_time":1.5}]}
}
