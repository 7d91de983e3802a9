package resources

import "testing"

const typical = "cpus:24;gpus:2;mem:24576;disk:102400;ports:[21000-24000,30000-34000]"

func BenchmarkNew(b *testing.B) {
	list := MustParse(typical).Allocate("web").Proto()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := New(list...); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAddSubtract(b *testing.B) {
	total, task := MustParse(typical), MustParse("cpus:1;mem:128;ports:[31000-31001]")
	used := MustParse("cpus:3;mem:512;ports:[30000-30999]")
	b.ReportAllocs()
	for b.Loop() {
		if total.Without(used.Add(task)).IsEmpty() {
			b.Fatal("empty")
		}
	}
}

func BenchmarkContains(b *testing.B) {
	total, task := MustParse(typical), MustParse("cpus:1;mem:128;ports:[31000-31001]")
	b.ReportAllocs()
	for b.Loop() {
		if !total.Contains(task) {
			b.Fatal("not contained")
		}
	}
}

func BenchmarkQuantitiesAddSubContains(b *testing.B) {
	var x Index
	total, task := x.Quantities(MustParse(typical)), x.Quantities(MustParse("cpus:1;mem:128"))
	b.ReportAllocs()
	for b.Loop() {
		total.Sub(task)
		if !total.Contains(task) {
			b.Fatal("not contained")
		}
		total.Add(task)
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(typical, "*"); err != nil {
			b.Fatal(err)
		}
	}
}
