package operations

import "troupe/messages/mesos"

// Known tells whether operations of this type are those of this package.
func Known(t mesos.Offer_Operation_Type) bool { return partName(t) != "" }

// Speculative tells whether others may build on an operation of this type
// before the agent has done it: it changes what is written of resources, and
// nothing that is on a disk now.
func Speculative(t mesos.Offer_Operation_Type) bool {
	switch t {
	case mesos.Offer_Operation_RESERVE, mesos.Offer_Operation_UNRESERVE, mesos.Offer_Operation_CREATE, mesos.Offer_Operation_DESTROY:
		return true
	}
	return false
}

// partName is the field that says what an operation of type t is for; empty
// for what this package does not know.
func partName(t mesos.Offer_Operation_Type) string {
	switch t {
	case mesos.Offer_Operation_RESERVE:
		return "reserve"
	case mesos.Offer_Operation_UNRESERVE:
		return "unreserve"
	case mesos.Offer_Operation_CREATE:
		return "create"
	case mesos.Offer_Operation_DESTROY:
		return "destroy"
	case mesos.Offer_Operation_GROW_VOLUME:
		return "grow_volume"
	case mesos.Offer_Operation_SHRINK_VOLUME:
		return "shrink_volume"
	}
	return ""
}

// hasPart tells whether the field that belongs to op's type is set.
func hasPart(op *mesos.Offer_Operation) bool {
	switch op.GetType() {
	case mesos.Offer_Operation_RESERVE:
		return op.Reserve != nil
	case mesos.Offer_Operation_UNRESERVE:
		return op.Unreserve != nil
	case mesos.Offer_Operation_CREATE:
		return op.Create != nil
	case mesos.Offer_Operation_DESTROY:
		return op.Destroy != nil
	case mesos.Offer_Operation_GROW_VOLUME:
		return op.GrowVolume != nil
	}
	return op.ShrinkVolume != nil
}
