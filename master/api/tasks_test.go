package api

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"troupe/master/state/view"
	"troupe/messages/mesos"
)

// timed is a task whose first status is of the second given; below 0: it has
// none.
func timed(id int, framework string, second int) *view.Task {
	t := &view.Task{TaskSpec: &view.TaskSpec{ID: view.TaskID(fmt.Sprint("t", id)), Framework: view.FrameworkID(framework)}, State: mesos.TaskState_TASK_RUNNING}
	if second >= 0 {
		t.Statuses = []view.Status{{Timestamp: float64(second)}, {Timestamp: float64(second + 5)}}
	}
	return t
}

// TestPages: a page is what a sort of all tasks has there.
func TestPages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := new(view.Snapshot)
		var all []*view.Task
		for f := range rapid.IntRange(0, 3).Draw(t, "frameworks") {
			state := view.FrameworkState{Framework: &view.Framework{ID: view.FrameworkID(fmt.Sprint("f", f))}}
			for i, second := range rapid.SliceOfN(rapid.IntRange(-1, 9), 0, 40).Draw(t, "seconds") {
				made := timed(i, string(state.ID), second)
				all = append(all, made)
				if i%3 == 0 {
					state.CompletedTasks = append(state.CompletedTasks, made)
				} else {
					state.Tasks = append(state.Tasks, made)
				}
			}
			s.Frameworks = append(s.Frameworks, state)
		}
		number := rapid.OneOf(rapid.IntRange(0, 130), rapid.SampledFrom([]int{math.MaxInt, math.MaxInt - 1, math.MaxInt / 2, math.MaxInt/2 + 1}))
		q := query{limit: number.Draw(t, "limit"), offset: number.Draw(t, "offset"), ascending: rapid.Bool().Draw(t, "ascending")}
		slices.SortFunc(all, q.before)
		want := all[min(q.offset, len(all)):]
		want = want[:min(q.limit, len(want))]
		if got := pageOf(s, q); !slices.Equal(got, want) {
			t.Fatalf("%+v: %d tasks, want %d", q, len(got), len(want))
		}
	})
}

func TestPagesPastTheEnd(t *testing.T) {
	h := serve(observed(t).view)
	for _, order := range []string{"", "&order=asc"} {
		for _, limit := range []string{"0", "1", "9223372036854775807"} {
			for _, offset := range []string{"1000000", "9223372036854775807"} {
				rec := get(t, h, http.MethodGet, "/tasks?limit="+limit+"&offset="+offset+order)
				if rec.Code != http.StatusOK || rec.Body.String() != `{"tasks":[]}` {
					t.Errorf("limit %s, offset %s: %d %s", limit, offset, rec.Code, rec.Body)
				}
			}
		}
	}
	rec := get(t, h, http.MethodGet, "/tasks?limit=9223372036854775807&offset=1")
	if all := get(t, h, http.MethodGet, "/tasks?limit=1000"); rec.Code != http.StatusOK ||
		strings.Count(rec.Body.String(), `"framework_id"`) != strings.Count(all.Body.String(), `"framework_id"`)-1 {
		t.Errorf("all but the first: %d %s", rec.Code, rec.Body)
	}
}

// BenchmarkPages finds pages among 100,000 tasks that come in the worst order.
func BenchmarkPages(b *testing.B) {
	const tasks = 100_000
	f := view.FrameworkState{Framework: &view.Framework{ID: "f"}}
	for i := range tasks {
		f.Tasks = append(f.Tasks, timed(i, "f", i))
	}
	s := &view.Snapshot{Frameworks: []view.FrameworkState{f}}
	for name, q := range map[string]query{
		"first":  {limit: defaultLimit},
		"middle": {limit: defaultLimit, offset: tasks / 2},
		"all":    {limit: math.MaxInt},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if len(pageOf(s, q)) == 0 {
					b.Fatal("no tasks")
				}
			}
		})
	}
}
