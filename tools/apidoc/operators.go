package main

import (
	"fmt"
	"net/http"
)

const operatorPath = "/api/v1"

// about are calls that masters and agents have alike.
func about(log string) []call {
	return []call{
		{http.StatusOK, "GET_HEALTH", "", ""},
		{http.StatusOK, "GET_VERSION", "", ""},
		{http.StatusOK, "GET_FLAGS", "", ""},
		{http.StatusOK, "GET_METRICS", "", `"get_metrics": {"timeout": {"nanoseconds": 5000000000}}`},
		{http.StatusOK, "GET_LOGGING_LEVEL", "0 is as configured; each above it logs more.", ""},
		{http.StatusOK, "SET_LOGGING_LEVEL", "For a while.", `"set_logging_level": {"level": 1, "duration": {"nanoseconds": 60000000000}}`},
		{
			http.StatusOK, "READ_FILE", "At most 64 KiB, which are in base64 in JSON; `size` is that of the whole file. The log is there with `--log_dir`.",
			`"read_file": {"path": "` + log + `", "offset": 0, "length": 8}`,
		},
	}
}

// masterCalls are the calls of operators that read.
func (s *script) masterCalls() error {
	in := s.masterChapter // begun by watch
	s.page.chapters = append(s.page.chapters, in)
	if err := s.resume(in); err != nil {
		return err
	}
	if err := s.calls(in, s.c.master, operatorPath, nil, about("/master/log")); err != nil {
		return err
	}
	ok := http.StatusOK
	return s.calls(in, s.c.master, operatorPath, nil, []call{
		{http.StatusNotFound, "LIST_FILES", "", `"list_files": {"path": "/nowhere"}`},
		{ok, "GET_MASTER", "", ""},
		{ok, "GET_AGENTS", "", ""},
		{ok, "GET_FRAMEWORKS", "", ""},
		{ok, "GET_EXECUTORS", "", ""},
		{ok, "GET_TASKS", "", ""},
		{ok, "GET_OPERATIONS", "", ""},
		{ok, "GET_STATE", "The four above in one, at one moment.", ""},
		{ok, "GET_ROLES", "", ""},
		{ok, "GET_WEIGHTS", "", ""},
		{ok, "GET_QUOTA", "", ""},
		{ok, "GET_MAINTENANCE_SCHEDULE", "", ""},
		{ok, "GET_MAINTENANCE_STATUS", "", ""},
	})
}

// agentCalls are the calls of operators that read.
func (s *script) agentCalls() error {
	in := s.page.chapter("Operator API: `POST /api/v1` of the agent", "While the agent recovers it answers 503.")
	if err := s.calls(in, s.c.agent, operatorPath, nil, about("/slave/log")); err != nil {
		return err
	}
	ok := http.StatusOK
	return s.calls(in, s.c.agent, operatorPath, nil, []call{
		{
			ok, "LIST_FILES", "A sandbox is known by its path on the disk, and by this one.",
			fmt.Sprintf(`"list_files": {"path": "/frameworks/%s/executors/web-1/runs/latest"}`, s.framework),
		},
		{ok, "GET_AGENT", "With `drain_config` and `estimated_drain_start_time` while it is drained.", ""},
		{ok, "GET_FRAMEWORKS", "", ""},
		{ok, "GET_EXECUTORS", "", ""},
		{ok, "GET_TASKS", "", ""},
		{ok, "GET_STATE", "The three above in one, at one moment.", ""},
		{ok, "GET_CONTAINERS", "", `"get_containers": {"show_nested": true, "show_standalone": true}`},
		{ok, "GET_OPERATIONS", "", ""},
		{ok, "GET_RESOURCE_PROVIDERS", "", ""},
		{http.StatusNotImplemented, "PRUNE_IMAGES", "", `"prune_images": {}`},
		{http.StatusNotImplemented, "ADD_RESOURCE_PROVIDER_CONFIG", "", `"add_resource_provider_config": {"info": {"type": "t", "name": "n"}}`},
		{http.StatusNotImplemented, "UPDATE_RESOURCE_PROVIDER_CONFIG", "", `"update_resource_provider_config": {"info": {"type": "t", "name": "n"}}`},
		{http.StatusNotImplemented, "REMOVE_RESOURCE_PROVIDER_CONFIG", "", `"remove_resource_provider_config": {"type": "t", "name": "n"}`},
		{http.StatusNotImplemented, "MARK_RESOURCE_PROVIDER_GONE", "", `"mark_resource_provider_gone": {"resource_provider_id": {"value": "p"}}`},
	})
}

// changes are the calls of operators that change something, and end it all.
func (s *script) changes() error {
	in := s.page.chapter("What operators change: `POST /api/v1` of the master", "A change is durable when it is answered.")
	id := fmt.Sprintf(`{"agent_id": {"value": %q}}`, s.agent)
	if _, err := s.offered(); err != nil { // it is outstanding, and taken back
		return err
	}
	if err := s.calls(in, s.c.master, operatorPath, nil, []call{
		{http.StatusOK, "DEACTIVATE_AGENT", "Nothing of it is offered; what runs there goes on.", `"deactivate_agent": ` + id},
	}); err != nil {
		return err
	}
	if _, err := s.heard(s.schedulerChapter, s.scheduler, "RESCIND", "An offer is taken back: here, an operator has deactivated the agent.", nil); err != nil {
		return err
	}
	if err := s.calls(in, s.c.master, operatorPath, nil, []call{
		{http.StatusOK, "REACTIVATE_AGENT", "", `"reactivate_agent": ` + id},
	}); err != nil {
		return err
	}
	if err := s.conversions(in); err != nil {
		return err
	}
	if err := s.calls(in, s.c.master, operatorPath, nil, settings()); err != nil {
		return err
	}
	if err := s.end(s.schedulerChapter); err != nil {
		return err
	}
	if err := s.teardowns(in); err != nil {
		return err
	}
	s.c.gone = true
	return s.calls(in, s.c.master, operatorPath, nil, []call{
		{
			http.StatusOK, "DRAIN_AGENT", "Ends the tasks there, each with its grace or at most this one, and keeps the agent empty.",
			fmt.Sprintf(`"drain_agent": {"agent_id": {"value": %q}, "max_grace_period": {"seconds": 60}, "mark_gone": false}`, s.agent),
		},
		{http.StatusOK, "MARK_AGENT_GONE", "For an agent that will not come back: its tasks are said to be gone.", `"mark_agent_gone": ` + id},
	})
}

// settings are calls about roles and machines that nobody here has.
func settings() []call {
	ok := http.StatusOK
	machines := `{"machines": [{"hostname": "elsewhere.example.org"}]}`
	return []call{
		{ok, "UPDATE_WEIGHTS", "Of roles at any level. Offers are taken back when a framework has one of them, or one below.", `"update_weights": {"weight_infos": [{"role": "batch", "weight": 2}]}`},
		{
			ok, "UPDATE_QUOTA", "All of it or nothing. 400 for guarantees beyond the cluster and limits below what is consumed, unless `force`; neither guarantees nor limits take a quota away.",
			`"update_quota": {"force": false, "quota_configs": [{"role": "batch", "guarantees": {"cpus": {"value": 0.1}}, "limits": {"cpus": {"value": 2}}}]}`,
		},
		{ok, "REMOVE_QUOTA", "The older form; 400 for a role that has none.", `"remove_quota": {"role": "batch"}`},
		{
			ok, "SET_QUOTA", "The older form: the guarantee is the limit, too. 400 for a role that has one, 409 for more than the cluster has.",
			`"set_quota": {"quota_request": {"role": "batch", "guarantee": [{"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.1}}]}}`,
		},
		{ok, "REMOVE_QUOTA", "", `"remove_quota": {"role": "batch"}`},
		{
			ok, "UPDATE_MAINTENANCE_SCHEDULE", "Replaces the schedule. A machine is named by host name, address, or both; one that is down has to stay in it. Frameworks get inverse offers.",
			`"update_maintenance_schedule": {"schedule": {"windows": [{"machine_ids": [{"hostname": "elsewhere.example.org"}],
			"unavailability": {"start": {"nanoseconds": 1900000000000000000}, "duration": {"nanoseconds": 3600000000000}}}]}}`,
		},
		{ok, "START_MAINTENANCE", "Machines of the schedule go down: their agents are shut down, and refused.", `"start_maintenance": ` + machines},
		{ok, "STOP_MAINTENANCE", "Machines that are down are up again, and out of the schedule.", `"stop_maintenance": ` + machines},
	}
}

// teardowns end frameworks that subscribe only for that.
func (s *script) teardowns(in *chapter) error {
	for _, way := range []func(framework string) error{
		func(framework string) error {
			return s.calls(in, s.c.master, operatorPath, nil, []call{
				{http.StatusOK, "TEARDOWN", "", fmt.Sprintf(`"teardown": {"framework_id": {"value": %q}}`, framework)},
			})
		},
		func(framework string) error {
			_, err := s.example(in, http.StatusOK, "`POST /teardown`", "The same, as a form.", request{
				to: s.c.master, method: http.MethodPost, path: "/teardown",
				headers: []string{"Content-Type: application/x-www-form-urlencoded"}, body: "frameworkId=" + framework,
			})
			return err
		},
	} {
		other, err := (&request{
			to: s.c.master, method: http.MethodPost, path: schedulerPath, headers: []string{asJSON},
			body: fmt.Sprintf(`{"type": "SUBSCRIBE", "subscribe": {"framework_info": {"user": %q, "name": "other", "roles": ["web"], "capabilities": [{"type": "MULTI_ROLE"}]}}}`, s.user),
		}).subscribe(s.ctx)
		if err != nil {
			return err
		}
		subscribed, err := other.await(s.ctx, "SUBSCRIBED", nil)
		if err != nil {
			return err
		}
		if err := way(subscribed.member("subscribed", "framework_id", "value").string()); err != nil {
			return err
		}
		if err := other.body.Close(); err != nil {
			return err
		}
	}
	return nil
}
