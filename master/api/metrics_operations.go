package api

import (
	"troupe/master/state/view"
	"troupe/messages/mesos"
)

// operationStates are the states that Mesos counts operations in. Those on
// agents that are away are no operations here, until their agents tell of them.
var operationStates = []mesos.OperationState{
	mesos.OperationState_OPERATION_PENDING, mesos.OperationState_OPERATION_RECOVERING, mesos.OperationState_OPERATION_UNREACHABLE,
	mesos.OperationState_OPERATION_FINISHED, mesos.OperationState_OPERATION_FAILED, mesos.OperationState_OPERATION_ERROR,
	mesos.OperationState_OPERATION_DROPPED, mesos.OperationState_OPERATION_GONE_BY_OPERATOR,
}

// operationTypes are those that change resources.
var operationTypes = []mesos.Offer_Operation_Type{
	mesos.Offer_Operation_RESERVE, mesos.Offer_Operation_UNRESERVE, mesos.Offer_Operation_CREATE, mesos.Offer_Operation_DESTROY,
	mesos.Offer_Operation_GROW_VOLUME, mesos.Offer_Operation_SHRINK_VOLUME, mesos.Offer_Operation_CREATE_DISK, mesos.Offer_Operation_DESTROY_DISK,
}

// putOperations puts the figures of operations on resources, of all together
// and of each type.
func putOperations(put putter, c *view.Counters) {
	all := make(map[mesos.OperationState]int64)
	for _, t := range operationTypes {
		of := make(map[mesos.OperationState]int64)
		for _, s := range operationStates {
			of[s] = c.Operations[view.OperationKind{Type: t, State: s}]
			all[s] += of[s]
		}
		putStates(put, "master/operations/"+lower(t.String(), "")+"/", of)
	}
	putStates(put, "master/operations/", all)
}

func putStates(put putter, prefix string, of map[mesos.OperationState]int64) {
	var total int64
	for _, s := range operationStates {
		put(prefix+lower(s.String(), "OPERATION_"), float64(of[s]))
		total += of[s]
	}
	put(prefix+"total", float64(total))
}
