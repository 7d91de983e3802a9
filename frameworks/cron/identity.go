package cron

import (
	"context"
	"time"
)

// identityKey is where the framework's id is kept, beside the plan's records.
const identityKey = "framework"

// savePatience bounds how long the id may take to be written.
const savePatience = 30 * time.Second

// identity is the framework's id in the store of the plan.
type identity struct {
	store Store
	id    string
}

// Load implements frameworks.Store.
func (i *identity) Load() (string, error) { return i.id, nil }

// Save implements frameworks.Store.
func (i *identity) Save(id string) error {
	ctx, cancel := context.WithTimeout(context.Background(), savePatience)
	defer cancel()
	var value []byte // of none
	if id != "" {
		value = []byte(id)
	}
	return i.store.Apply(ctx, map[string][]byte{identityKey: value})
}
