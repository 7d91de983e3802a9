package loop

import (
	"context"
	"fmt"
	"time"
)

// IdentityKey is where a framework's id is, in the same store as its state.
const IdentityKey = "framework-id"

// saveLimit bounds how long writing an id may take.
const saveLimit = 30 * time.Second

// Content is a store that can be read, too.
type Content interface {
	Store
	// Load returns everything, by key.
	Load(ctx context.Context) (map[string][]byte, error)
}

// Identity keeps a framework's id in its store; it is a frameworks.Store.
type Identity struct {
	store Store
	id    string
}

// Load reads a store: the records of a machine, and the framework's id, which is
// no business of the machine.
func Load(ctx context.Context, c Content) (records map[string][]byte, id *Identity, err error) {
	records, err = c.Load(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("load the framework's state: %w", err)
	}
	id = &Identity{store: c, id: string(records[IdentityKey])}
	delete(records, IdentityKey)
	return records, id, nil
}

// Load is the id that was found; "" when there was none.
func (i *Identity) Load() (string, error) { return i.id, nil }

// Save makes an id durable; the empty one removes it.
func (i *Identity) Save(id string) error {
	ctx, cancel := context.WithTimeout(context.Background(), saveLimit)
	defer cancel()
	value := []byte(id)
	if id == "" {
		value = nil
	}
	if err := i.store.Apply(ctx, map[string][]byte{IdentityKey: value}); err != nil {
		return fmt.Errorf("keep the framework's id: %w", err)
	}
	return nil
}
