package registry

import (
	"google.golang.org/protobuf/proto"

	"troupe/messages/cluster"
)

// SetReservation makes a standing reservation, or replaces the one of its id.
type SetReservation struct{ Reservation *cluster.StandingReservation }

func (o SetReservation) changes(r Registry) ([]Change, error) {
	if proto.Equal(r.Reservation(o.Reservation.GetId()), o.Reservation) {
		return nil, nil
	}
	return []Change{{Key: ReservationKey(o.Reservation.GetId()), Record: ReservationRecord(o.Reservation)}}, nil
}

// RemoveReservations removes standing reservations; those that are not there
// are passed over.
type RemoveReservations struct{ IDs []string }

func (o RemoveReservations) changes(r Registry) ([]Change, error) {
	var changes []Change
	for _, id := range o.IDs {
		if r.Reservation(id) != nil {
			changes = append(changes, Change{Key: ReservationKey(id)})
		}
	}
	return changes, nil
}
