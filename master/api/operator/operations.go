package operator

import (
	"google.golang.org/protobuf/proto"

	"troupe/messages/carrier"
	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/mesos/master"
)

// operationRequest is what the master's actor is asked for a call that changes
// an agent's resources; nil for any other call.
func operationRequest(call *master.Call) (proto.Message, error) {
	switch call.GetType() {
	case master.Call_RESERVE_RESOURCES:
		c := call.GetReserveResources()
		return OperationRequest(c.GetAgentId(), &mesos.Offer_Operation{
			Type:    mesos.Offer_Operation_RESERVE.Enum(),
			Reserve: &mesos.Offer_Operation_Reserve{Source: c.GetSource(), Resources: c.GetResources()},
		}), wanted(call.ReserveResources, "reserve_resources")
	case master.Call_UNRESERVE_RESOURCES:
		c := call.GetUnreserveResources()
		return OperationRequest(c.GetAgentId(), &mesos.Offer_Operation{
			Type:      mesos.Offer_Operation_UNRESERVE.Enum(),
			Unreserve: &mesos.Offer_Operation_Unreserve{Resources: c.GetResources()},
		}), wanted(call.UnreserveResources, "unreserve_resources")
	case master.Call_CREATE_VOLUMES:
		c := call.GetCreateVolumes()
		return OperationRequest(c.GetAgentId(), &mesos.Offer_Operation{
			Type:   mesos.Offer_Operation_CREATE.Enum(),
			Create: &mesos.Offer_Operation_Create{Volumes: c.GetVolumes()},
		}), wanted(call.CreateVolumes, "create_volumes")
	case master.Call_DESTROY_VOLUMES:
		c := call.GetDestroyVolumes()
		return OperationRequest(c.GetAgentId(), &mesos.Offer_Operation{
			Type:    mesos.Offer_Operation_DESTROY.Enum(),
			Destroy: &mesos.Offer_Operation_Destroy{Volumes: c.GetVolumes()},
		}), wanted(call.DestroyVolumes, "destroy_volumes")
	case master.Call_GROW_VOLUME:
		c := call.GetGrowVolume()
		return resize(c.GetAgentId(), call.GrowVolume, "grow_volume", &mesos.Offer_Operation{
			Type:       mesos.Offer_Operation_GROW_VOLUME.Enum(),
			GrowVolume: &mesos.Offer_Operation_GrowVolume{Volume: c.GetVolume(), Addition: c.GetAddition()},
		})
	case master.Call_SHRINK_VOLUME:
		c := call.GetShrinkVolume()
		return resize(c.GetAgentId(), call.ShrinkVolume, "shrink_volume", &mesos.Offer_Operation{
			Type:         mesos.Offer_Operation_SHRINK_VOLUME.Enum(),
			ShrinkVolume: &mesos.Offer_Operation_ShrinkVolume{Volume: c.GetVolume(), Subtract: c.GetSubtract()},
		})
	}
	return nil, nil
}

// resize is a request whose call need not name an agent, as far as its schema
// goes.
func resize[M any](agent *mesos.AgentID, part *M, name string, op *mesos.Offer_Operation) (proto.Message, error) {
	if err := wanted(part, name); err != nil {
		return nil, err
	}
	if agent == nil {
		return nil, carrier.BadRequest(field.Missing("call." + name + ".agent_id").Error())
	}
	return OperationRequest(agent, op), nil
}

// OperationRequest is what the master's actor is asked for an operation on an
// agent's resources.
func OperationRequest(agent *mesos.AgentID, op *mesos.Offer_Operation) *cluster.OperationRequest {
	return &cluster.OperationRequest{AgentId: agent, Operation: op}
}
