package operator

import (
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"troupe/master/state/view"
	"troupe/messages/carrier"
	"troupe/messages/cluster"
	"troupe/messages/field"
	"troupe/messages/mesos"
	"troupe/messages/mesos/maintenance"
	"troupe/messages/mesos/master"
	"troupe/messages/mesos/quota"
	"troupe/messages/validate"
)

// settings answers the calls about what operators set for roles and machines;
// nil for other calls.
func settings(t master.Call_Type, s func() *view.Snapshot) *master.Response {
	switch t {
	case master.Call_GET_WEIGHTS:
		return &master.Response{
			Type: master.Response_GET_WEIGHTS.Enum(), GetWeights: &master.Response_GetWeights{WeightInfos: WeightsOf(s())},
		}
	case master.Call_GET_QUOTA:
		return &master.Response{Type: master.Response_GET_QUOTA.Enum(), GetQuota: &master.Response_GetQuota{Status: QuotaOf(s())}}
	case master.Call_GET_MAINTENANCE_STATUS:
		return &master.Response{
			Type:                 master.Response_GET_MAINTENANCE_STATUS.Enum(),
			GetMaintenanceStatus: &master.Response_GetMaintenanceStatus{Status: s().Maintenance()},
		}
	case master.Call_GET_MAINTENANCE_SCHEDULE:
		return &master.Response{
			Type:                   master.Response_GET_MAINTENANCE_SCHEDULE.Enum(),
			GetMaintenanceSchedule: &master.Response_GetMaintenanceSchedule{Schedule: s().Schedule()},
		}
	}
	return nil
}

// WeightsOf lists the weights that were set, by role.
func WeightsOf(s *view.Snapshot) []*mesos.WeightInfo {
	list := make([]*mesos.WeightInfo, 0, len(s.Weights))
	for _, role := range slices.Sorted(maps.Keys(s.Weights)) {
		list = append(list, &mesos.WeightInfo{Role: &role, Weight: proto.Float64(s.Weights[role])})
	}
	return list
}

// QuotaOf lists the quotas by role, in the older form too.
func QuotaOf(s *view.Snapshot) *quota.QuotaStatus {
	status := new(quota.QuotaStatus)
	for _, role := range slices.Sorted(maps.Keys(s.Quotas)) {
		record := s.Quotas[role]
		info := &quota.QuotaInfo{Role: &role, Principal: record.Principal}
		guarantees := record.GetConfig().GetGuarantees()
		for _, name := range slices.Sorted(maps.Keys(guarantees)) {
			info.Guarantee = append(info.Guarantee, &mesos.Resource{Name: &name, Type: mesos.Value_SCALAR.Enum(), Scalar: guarantees[name]})
		}
		status.Infos = append(status.Infos, info)
		status.Configs = append(status.Configs, record.GetConfig())
	}
	return status
}

// settingRequest is what the master's actor is asked for a call that sets
// something for roles or machines; nil for other calls.
func settingRequest(call *master.Call) (proto.Message, error) {
	switch call.GetType() {
	case master.Call_UPDATE_QUOTA:
		return &cluster.QuotaRequest{
			Action: cluster.QuotaRequest_UPDATE.Enum(), Configs: call.GetUpdateQuota().GetQuotaConfigs(), Force: proto.Bool(call.GetUpdateQuota().GetForce()),
		}, wanted(call.UpdateQuota, "update_quota")
	case master.Call_SET_QUOTA:
		if err := wanted(call.SetQuota, "set_quota"); err != nil {
			return nil, err
		}
		request, err := SetQuota(call.GetSetQuota().GetQuotaRequest())
		return request, badField("call.set_quota.quota_request", err)
	case master.Call_REMOVE_QUOTA:
		return RemoveQuota(call.GetRemoveQuota().GetRole()), wanted(call.RemoveQuota, "remove_quota")
	case master.Call_UPDATE_WEIGHTS:
		return Weights(call.GetUpdateWeights().GetWeightInfos()), wanted(call.UpdateWeights, "update_weights")
	case master.Call_UPDATE_MAINTENANCE_SCHEDULE:
		return Schedule(call.GetUpdateMaintenanceSchedule().GetSchedule()), wanted(call.UpdateMaintenanceSchedule, "update_maintenance_schedule")
	case master.Call_START_MAINTENANCE:
		return MachinesDown(call.GetStartMaintenance().GetMachines()), wanted(call.StartMaintenance, "start_maintenance")
	case master.Call_STOP_MAINTENANCE:
		return MachinesUp(call.GetStopMaintenance().GetMachines()), wanted(call.StopMaintenance, "stop_maintenance")
	}
	return nil, nil
}

// SetQuota is a request in the older form, in which what is guaranteed is the
// limit too. The error is a *field.Error.
func SetQuota(r *quota.QuotaRequest) (*cluster.QuotaRequest, error) {
	if err := validate.QuotaRequest(r); err != nil {
		return nil, err
	}
	amounts := make(map[string]*mesos.Value_Scalar, len(r.GetGuarantee()))
	for _, g := range r.GetGuarantee() {
		amounts[g.GetName()] = g.GetScalar()
	}
	return &cluster.QuotaRequest{
		Action: cluster.QuotaRequest_SET.Enum(), Force: r.Force,
		Configs: []*quota.QuotaConfig{{Role: r.Role, Guarantees: amounts, Limits: amounts}},
	}, nil
}

// RemoveQuota takes the quota of a role away.
func RemoveQuota(role string) *cluster.QuotaRequest {
	return &cluster.QuotaRequest{Action: cluster.QuotaRequest_REMOVE.Enum(), Configs: []*quota.QuotaConfig{{Role: &role}}}
}

// Weights sets the weights of roles.
func Weights(list []*mesos.WeightInfo) *cluster.WeightsRequest {
	return &cluster.WeightsRequest{Weights: list}
}

// SetReservation makes or replaces a standing reservation.
func SetReservation(r *cluster.StandingReservation) *cluster.ReservationRequest {
	return &cluster.ReservationRequest{Action: cluster.ReservationRequest_SET.Enum(), Reservation: r}
}

// RemoveReservation ends a standing reservation.
func RemoveReservation(id string) *cluster.ReservationRequest {
	return &cluster.ReservationRequest{
		Action: cluster.ReservationRequest_REMOVE.Enum(), Reservation: &cluster.StandingReservation{Id: &id, Role: new("")},
	}
}

// Schedule replaces the schedule of maintenance.
func Schedule(s *maintenance.Schedule) *cluster.MaintenanceRequest {
	return &cluster.MaintenanceRequest{Action: cluster.MaintenanceRequest_SCHEDULE.Enum(), Schedule: s}
}

// MachinesDown begins the maintenance of machines.
func MachinesDown(ids []*mesos.MachineID) *cluster.MaintenanceRequest {
	return &cluster.MaintenanceRequest{Action: cluster.MaintenanceRequest_START.Enum(), Machines: ids}
}

// MachinesUp ends the maintenance of machines.
func MachinesUp(ids []*mesos.MachineID) *cluster.MaintenanceRequest {
	return &cluster.MaintenanceRequest{Action: cluster.MaintenanceRequest_STOP.Enum(), Machines: ids}
}

// badField is a 400 that says where; nil for nil.
func badField(path string, err error) error {
	if err == nil {
		return nil
	}
	return carrier.BadRequest(field.In(path, err).Error())
}
