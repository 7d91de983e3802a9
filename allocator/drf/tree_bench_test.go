package drf

import (
	"fmt"
	"testing"
)

// One allocation and the look for who is next, among so many clients.
func BenchmarkAllocateAndLook(b *testing.B) {
	for _, clients := range []int{1, 50, 1000, 6000} {
		b.Run(fmt.Sprint(clients), func(b *testing.B) {
			tree := New()
			tree.AddTotal(amounts(1<<20, 1<<20))
			for i := range clients {
				addActive(tree, fmt.Sprint("role", i%10), fmt.Sprint("f", i))
			}
			q := amounts(1, 2)
			for b.Loop() {
				for l := range tree.Ascend() {
					tree.Allocate(l, q)
					break
				}
			}
		})
	}
}

// A change of the cluster's total, which orders everything anew.
func BenchmarkTotalChanged(b *testing.B) {
	tree := New()
	for i := range 1000 {
		addActive(tree, "*", fmt.Sprint("f", i))
	}
	q := amounts(1, 2)
	for b.Loop() {
		tree.AddTotal(q)
		for range tree.Ascend() {
			break
		}
	}
}
