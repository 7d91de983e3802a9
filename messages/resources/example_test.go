package resources_test

import (
	"fmt"

	"troupe/messages/resources"
)

// What a scheduler does with an offer.
func ExampleResources_Take() {
	offer := resources.MustParse("cpus:4;mem:1024;ports:[31000-31999]").Allocate("web")
	task, rest, ok := offer.Take(resources.MustParse("cpus:0.5;mem:128"))
	fmt.Println(ok)
	fmt.Println(task)
	fmt.Println(rest.Scalar(resources.CPUs), rest.Ranges(resources.Ports))
	// Output:
	// true
	// cpus(allocated: web):0.5; mem(allocated: web):128
	// 3.5 [31000-31999]
}

func ExampleResources_Subtract() {
	total := resources.MustParse("cpus:4;mem(db):512")
	rest, err := total.Subtract(resources.MustParse("cpus:0.001"))
	fmt.Println(rest, err)
	_, err = total.Subtract(resources.MustParse("mem:1"))
	fmt.Println(err)
	// Output:
	// cpus:3.999; mem(db):512 <nil>
	// mem: "mem:1": is not contained in cpus:4; mem(db):512
}

func ExampleParse() {
	_, err := resources.Parse("cpus:4; gpus:0.5", "*")
	fmt.Println(err)
	// Output:
	// position 9.(gpus).scalar.value: 0.5: must be a whole number
}

// What an allocator does in its loop.
func ExampleIndex() {
	var index resources.Index
	free := index.Quantities(resources.MustParse("cpus:4;mem:1024"))
	task := index.Quantities(resources.MustParse("cpus:1.5"))
	started := 0
	for free.Contains(task) {
		free.Sub(task)
		started++
	}
	fmt.Println(started, index.String(free))
	// Output:
	// 2 cpus:1; mem:1024
}
