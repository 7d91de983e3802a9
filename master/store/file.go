package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"google.golang.org/protobuf/proto"

	"troupe/master/registry"
	"troupe/master/store/sealed"
	"troupe/messages/cluster"
)

// Format is the stored form that this code reads and writes.
const Format = 2

// ErrForeign is wrapped by the error of a file that holds something else than
// a registry, or a registry that is damaged.
var ErrForeign = errors.New("not a registry that can be read")

// File is a registry in a file. Its methods may be called from one goroutine
// at a time.
type File struct {
	path      string
	kind      sealed.Kind
	file      *sealed.File
	clusterID string
}

// Open opens the registry at path. Where there is no file it makes one, for a
// cluster called newCluster, in a way that a crash leaves none or a whole one.
// It fails, with an error that says what to do, for a file that is in use, is
// damaged, is something else, or was written by a later version; it never
// begins anew by itself.
func Open(path, newCluster string) (*File, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = create(path, newCluster)
	}
	if err != nil {
		return nil, fmt.Errorf("open registry %s: %w", path, err)
	}
	f := &File{path: path}
	f.kind = sealed.Kind{
		Foreign: ErrForeign,
		Restore: "restore the file from a copy, or move it away to begin a new cluster",
		Busy:    "stop that master, or give this one a work directory of its own",
		Accept:  f.accept,
	}
	if f.file, err = sealed.Open(path, f.kind); err != nil {
		return nil, fmt.Errorf("open registry %s: %w", path, err)
	}
	return f, nil
}

// create makes a registry.
func create(path, newCluster string) error {
	if newCluster == "" {
		return errors.New("a new registry needs a cluster id")
	}
	header, err := headerOf(newCluster)
	if err != nil {
		return err
	}
	return sealed.Create(path, header)
}

func headerOf(clusterID string) ([]byte, error) {
	return proto.Marshal(&cluster.RegistryHeader{ClusterId: &clusterID, Format: proto.Uint32(Format)})
}

// accept reads the header of a file.
func (f *File) accept(header []byte) (*sealed.Older, error) {
	var h cluster.RegistryHeader
	if err := proto.Unmarshal(header, &h); err != nil {
		return nil, f.kind.Damaged(fmt.Errorf("header: %w", err))
	}
	f.clusterID = h.GetClusterId()
	switch h.GetFormat() {
	case Format:
		return nil, nil
	case agentsOnly:
		return older(f.clusterID)
	}
	return nil, fmt.Errorf("header.format: %d: this version reads up to %d: use the version that wrote the file", h.GetFormat(), Format)
}

// ClusterID is the id that the cluster got when its registry was made.
func (f *File) ClusterID() string { return f.clusterID }

// Load returns every record, ordered by key.
func (f *File) Load(context.Context) ([]*cluster.RegistryRecord, error) {
	var records []*cluster.RegistryRecord
	err := f.file.Each(func(key string, data []byte) error {
		r, err := recordOf(key, data)
		if err != nil {
			return f.kind.Damaged(fmt.Errorf("record %q: %w", key, err))
		}
		records = append(records, r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load registry %s: %w", f.path, err)
	}
	return records, nil
}

func recordOf(key string, data []byte) (*cluster.RegistryRecord, error) {
	r := new(cluster.RegistryRecord)
	if err := proto.Unmarshal(data, r); err != nil {
		return nil, err
	}
	got, err := registry.KeyOf(r)
	if err != nil {
		return nil, err
	}
	if got != key {
		return nil, fmt.Errorf("it is %q", got)
	}
	return r, nil
}

// Write makes changes durable, all of them or none. After an error the file
// must not be written again by this process: it is not known what it holds.
func (f *File) Write(_ context.Context, changes []registry.Change) error {
	records := make([]sealed.Change, 0, len(changes))
	for _, c := range changes {
		r := sealed.Change{Key: c.Key}
		if c.Record != nil {
			data, err := proto.Marshal(c.Record)
			if err != nil {
				return fmt.Errorf("write registry %s: record %q: %w", f.path, c.Key, err)
			}
			r.Data = data
		}
		records = append(records, r)
	}
	if err := f.file.Write(records); err != nil {
		return fmt.Errorf("write registry %s: %w", f.path, err)
	}
	return nil
}

// Size is how many bytes the file has.
func (f *File) Size() int64 { return f.file.Size() }

// Close lets the file go.
func (f *File) Close() error { return f.file.Close() }
