package main

import (
	"fmt"
	"net/http"
	"strings"

	"troupe/messages/recordio"
)

// containers is what the agent does with containers on request.
func (s *script) containers() error {
	in := s.page.chapter("Containers: `POST /api/v1` of the agent",
		"A container whose id has a parent is nested in that one: an executor's, whose id is in `GET_CONTAINERS`, or\n"+
			"another nested one. One without a parent belongs to no framework.")
	root, err := s.rootContainer()
	if err != nil {
		return err
	}
	if err := s.lives(in, root); err != nil {
		return err
	}
	if err := s.session(in, nested(root, "look")); err != nil {
		return err
	}
	return s.console(in, nested(root, "console"))
}

// rootContainer is that of the task that keeps running.
func (s *script) rootContainer() (string, error) {
	a, err := (&request{to: s.c.agent, method: http.MethodGet, path: "/containers"}).do(s.ctx)
	if err != nil {
		return "", err
	}
	t, err := parse(a.body)
	if err != nil {
		return "", err
	}
	return t.member("container_id").string(), nil
}

func nested(root, name string) string {
	return fmt.Sprintf(`"container_id": {"value": %q, "parent": {"value": %q}}`, name, root)
}

// lives are those of three containers.
func (s *script) lives(in *chapter, root string) error {
	ok := http.StatusOK
	part := func(name, id, more string) string { return `"` + name + `": {` + id + more + `}` }
	command := func(text string) string { return fmt.Sprintf(`, "command": {"value": %q}`, text) }
	alone, count, sleeper := `"container_id": {"value": "alone"}`, nested(root, "count"), nested(root, "sleeper")
	return s.calls(in, s.c.agent, operatorPath, nil, []call{
		{ok, "LAUNCH_CONTAINER", "202 says that it was launched before.", part("launch_container", alone, command("sleep 1000"))},
		{ok, "KILL_CONTAINER", "Without `signal`, by SIGKILL.", part("kill_container", alone, `, "signal": 15`)},
		{ok, "WAIT_CONTAINER", "Answers when it has ended; `exit_status` is as wait(2) gives it.", part("wait_container", alone, "")},
		{ok, "REMOVE_CONTAINER", "Removes what an ended container has left.", part("remove_container", alone, "")},
		{ok, "LAUNCH_NESTED_CONTAINER", "The older form, as are the three below.", part("launch_nested_container", count, command("exit 3"))},
		{ok, "WAIT_NESTED_CONTAINER", "", part("wait_nested_container", count, "")},
		{ok, "REMOVE_NESTED_CONTAINER", "", part("remove_nested_container", count, "")},
		{ok, "LAUNCH_CONTAINER, nested", "", part("launch_container", sleeper, command("sleep 1000"))},
		{ok, "KILL_NESTED_CONTAINER", "", part("kill_nested_container", sleeper, "")},
	})
}

// streamed is an example whose answer is a stream of records: those up to one
// that has data are shown.
func (s *script) streamed(in *chapter, kind, text, part string) error {
	ask := request{
		to: s.c.agent, method: http.MethodPost, path: operatorPath,
		headers: []string{asJSON, "Accept: application/recordio", "Message-Accept: application/json"},
		body:    `{"type": "` + kind + `", ` + part + `}`,
	}
	output, err := ask.subscribe(s.ctx)
	if err != nil {
		return err
	}
	in.entries = append(in.entries, entry{title: "`" + kind + "`", text: text, ask: &ask, answer: output.answer})
	at := len(in.entries) - 1
	s.afterwards = append(s.afterwards, func() error {
		data, err := output.await(s.ctx, "DATA", nil)
		in.entries[at].records = []*tree{data}
		return err
	})
	return nil
}

// outputs takes in the output of the streams that were begun.
func (s *script) outputs() error {
	for _, f := range s.afterwards {
		if err := f(); err != nil {
			return err
		}
	}
	s.afterwards = nil
	return nil
}

func (s *script) session(in *chapter, id string) error {
	if err := s.streamed(in, "LAUNCH_NESTED_CONTAINER_SESSION",
		"A command in the sandbox of the parent, which ends with this connection. Its output comes as records.",
		`"launch_nested_container_session": {`+id+`, "command": {"value": "echo hello"}}`); err != nil {
		return err
	}
	return s.outputs()
}

// console is a container with a terminal.
func (s *script) console(in *chapter, id string) error {
	if err := s.calls(in, s.c.agent, operatorPath, nil, []call{{
		http.StatusOK, "LAUNCH_CONTAINER, with a terminal", "",
		`"launch_container": {` + id + `, "command": {"value": "read line"},
			"container": {"type": "MESOS", "tty_info": {"window_size": {"rows": 24, "columns": 80}}}}`,
	}}); err != nil {
		return err
	}
	if err := s.streamed(in, "ATTACH_CONTAINER_OUTPUT", "What it writes from now on, to its terminal or its files, and `CONTROL` with a `HEARTBEAT` every 30 s; up to 16 clients may look. Of a task that is its executor's whole container, that one's id.",
		`"attach_container_output": {`+id+`}`); err != nil {
		return err
	}
	if err := s.input(in, id); err != nil {
		return err
	}
	return s.outputs()
}

// input sends a line to a container.
func (s *script) input(in *chapter, id string) error {
	var body []byte
	for _, record := range []string{
		`"type": "CONTAINER_ID", "container_id": ` + strings.TrimPrefix(id, `"container_id": `),
		`"type": "PROCESS_IO", "process_io": {"type": "CONTROL", "control": {"type": "TTY_INFO", "tty_info": {"window_size": {"rows": 50, "columns": 120}}}}`,
		`"type": "PROCESS_IO", "process_io": {"type": "DATA", "data": {"type": "STDIN", "data": "aGVsbG8K"}}`,
	} {
		body = recordio.Append(body, []byte(`{"type": "ATTACH_CONTAINER_INPUT", "attach_container_input": {`+record+`}}`))
	}
	_, err := s.example(in, http.StatusOK, "`ATTACH_CONTAINER_INPUT`",
		"Records: first which container, then input, `TTY_INFO` for a change of the window, or `HEARTBEAT`. `data` that is\n"+
			"empty ends the input; on a terminal, the character for it does. One client at a time may be attached.", request{
			to: s.c.agent, method: http.MethodPost, path: operatorPath,
			headers: []string{"Content-Type: application/recordio", "Message-Content-Type: application/json"}, body: string(body),
		})
	return err
}
