package main

import (
	"golang.org/x/sys/unix"

	"troupe/slave/container/plan"
)

// groups are the cgroups that the program enters: of v1, files that take the
// thread which writes to them, of v2 a folder that it is born in. Both spare the
// kernel what moving another process costs: waiting until no thread of the machine
// forks.
type groups struct {
	paths []string // of tasks
	tasks []int
	born  int // -1 if none
	where string
}

// openGroups is called before the machine's folders are out of sight.
func openGroups(folders []string) (*groups, *failure) {
	g := &groups{born: -1}
	for _, folder := range folders {
		fd, err := unix.Open(folder+"/tasks", unix.O_WRONLY|unix.O_CLOEXEC, 0)
		if err == nil {
			g.paths, g.tasks = append(g.paths, folder), append(g.tasks, fd)
			continue
		}
		if err != unix.ENOENT || g.born >= 0 {
			return nil, failed(plan.StepCgroup, folder, err)
		}
		if g.born, err = unix.Open(folder, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
			return nil, failed(plan.StepCgroup, folder, err)
		}
		g.where = folder
	}
	return g, nil
}

// enterLater has the program enter its group of v2 as it does others.
func (g *groups) enterLater() *failure {
	fd, err := unix.Openat(g.born, "cgroup.procs", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return failed(plan.StepCgroup, g.where, err)
	}
	unix.Close(g.born)
	g.paths, g.tasks, g.born = append(g.paths, g.where), append(g.tasks, fd), -1
	return nil
}

// setScore makes this process as likely to be killed, when the machine has no
// memory left, as the program is to be, which inherits it.
func setScore(score *int) *failure {
	if score == nil {
		return nil
	}
	const path = "/proc/self/oom_score_adj"
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return failed(plan.StepScore, decimal(*score), err)
	}
	_, err = unix.Write(fd, []byte(decimal(*score)))
	unix.Close(fd)
	return failed(plan.StepScore, decimal(*score), err)
}

func decimal(n int) string {
	if n < 0 {
		return "-" + decimal(-n)
	}
	if n < 10 {
		return string(rune('0' + n))
	}
	return decimal(n/10) + string(rune('0'+n%10))
}
