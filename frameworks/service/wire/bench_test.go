package wire

import (
	"fmt"
	"testing"

	"troupe/frameworks/service/app"
)

// GET /v2/apps?embed=apps.tasks of a large cluster: 2,000 apps with 25 tasks each.
func BenchmarkEncodeApps(b *testing.B) {
	var answer AppsAnswer
	for i := range 2000 {
		a, err := ReadApp([]byte(rich[0]), app.Root, everything)
		if err != nil {
			b.Fatal(err)
		}
		a.ID = app.Path(fmt.Sprintf("/g/a%d", i))
		info := &AppInfo{App: *FromApp(a), Counts: &Counts{}, Deployments: []Ref{}}
		for j := range 25 {
			info.Tasks = append(info.Tasks, NewTask(fmt.Sprintf("g_a%d.%d", i, j), a))
		}
		answer.Apps = append(answer.Apps, info)
	}
	b.ReportAllocs()
	for b.Loop() {
		data, err := Encode(answer)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(data)))
	}
}

func BenchmarkReadApp(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadApp([]byte(rich[0]), app.Root, everything); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFromApp(b *testing.B) {
	a, err := ReadApp([]byte(rich[0]), app.Root, everything)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		FromApp(a)
	}
}
