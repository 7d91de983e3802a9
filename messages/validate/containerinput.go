package validate

import (
	"troupe/messages/field"
	"troupe/messages/mesos/agent"
)

// ContainerInput checks a record that follows the first of ATTACH_CONTAINER_INPUT.
func ContainerInput(c *agent.Call) error {
	in := c.GetAttachContainerInput()
	switch {
	case c.GetType() != agent.Call_ATTACH_CONTAINER_INPUT:
		return field.Invalid("type", c.GetType().String(), "must be ATTACH_CONTAINER_INPUT, as that of the first record")
	case in.GetType() != agent.Call_AttachContainerInput_PROCESS_IO:
		return field.Invalid("attach_container_input.type", in.GetType().String(), "must be PROCESS_IO after the first record")
	case in.ProcessIo == nil:
		return field.Missing("attach_container_input.process_io")
	}
	return field.In("attach_container_input.process_io", processInput(in.GetProcessIo()))
}

// processInput refuses what no container takes.
func processInput(io *agent.ProcessIO) error {
	switch io.GetType() {
	case agent.ProcessIO_DATA:
		return field.In("data", inputData(io.Data))
	case agent.ProcessIO_CONTROL:
		return field.In("control", inputControl(io.Control))
	}
	return field.Invalid("type", io.GetType().String(), "must be DATA or CONTROL")
}

func inputData(d *agent.ProcessIO_Data) error {
	switch {
	case d == nil:
		return field.Missing("")
	case d.GetType() != agent.ProcessIO_Data_STDIN:
		return field.Invalid("type", d.GetType().String(), "must be STDIN")
	case d.Data == nil:
		return field.Missing("data") // the end of input is data that is empty
	}
	return nil
}

func inputControl(c *agent.ProcessIO_Control) error {
	switch {
	case c == nil:
		return field.Missing("")
	case c.GetType() == agent.ProcessIO_Control_HEARTBEAT && c.Heartbeat == nil:
		return field.Missing("heartbeat")
	case c.GetType() == agent.ProcessIO_Control_HEARTBEAT:
		return nil
	case c.GetType() != agent.ProcessIO_Control_TTY_INFO:
		return field.Invalid("type", c.GetType().String(), "must be TTY_INFO or HEARTBEAT")
	case c.TtyInfo == nil:
		return field.Missing("tty_info")
	case c.GetTtyInfo().WindowSize == nil:
		return field.Missing("tty_info.window_size")
	}
	return nil
}
