package replicated

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	"github.com/hashicorp/raft"
	"go.uber.org/zap"
)

// Remains is what a replica's folder has of the registry while nobody runs it.
type Remains struct {
	// Cluster is empty when no leader ever founded one.
	Cluster string
	// Address is this replica's own, Others are those of the other masters, as
	// the log has them.
	Address string
	Others  []string
	// Entry is the last of the log, Term its term. Of two replicas of a cluster,
	// the one with the higher term, or in equal terms the later entry, has
	// everything that the other has.
	Entry, Term uint64
	// Records counts those of the registry when the whole log is applied.
	Records int
}

// Inspect reads a folder that no master uses. It changes nothing but what every
// start of a master would.
func Inspect(folder string, log *zap.Logger) (Remains, error) {
	d, err := openRemains(folder, log)
	if err != nil {
		return Remains{}, err
	}
	r, err := d.remains()
	return r, errors.Join(err, d.log.Close())
}

// Recover makes a cluster of this replica alone, for when most of the masters
// have lost theirs: the log is taken as it is here, to its last entry, be that
// committed or not, and the membership is this replica, under a new id. By the
// old id the others would count it as one of theirs; should most of them come
// back after all, there would be two registries, so that they must not.
//
// It fails for a folder that a master uses, that has no log, or that is damaged.
// If it is interrupted, it can be done again.
func Recover(folder string, log *zap.Logger) (_ Remains, err error) {
	d, err := openRemains(folder, log)
	if err != nil {
		return Remains{}, err
	}
	defer func() { err = errors.Join(err, d.log.Close()) }()
	r, err := d.remains()
	if err != nil {
		return r, err
	}
	if r.Cluster == "" {
		return r, errors.New("no leader ever wrote here: there is nothing to recover; move the folder away and begin a new registry")
	}
	id, err := d.begin(r.Address)
	if err != nil {
		return r, err
	}
	alone := raft.Configuration{Servers: []raft.Server{{ID: raft.ServerID(id), Address: raft.ServerAddress(r.Address)}}}
	c := raft.DefaultConfig()
	c.LocalID, c.Logger = raft.ServerID(id), raftLogger(d.logger)
	copied, broken := newRemainsCopy()
	if err := raft.RecoverCluster(c, copied, d.log, d.log, d.snapshots, &transport{address: r.Address, id: id}, alone); err != nil {
		return r, err
	}
	if err := broken(); err != nil {
		return r, err
	}
	if err := d.log.Set(replicaKey, []byte(id)); err != nil {
		return r, err
	}
	return r, d.log.Set(recoveringKey, nil)
}

// begin keeps in mind that a recovery is under way: from here on no master starts
// with this folder, until it is done. It returns the replica's id to be.
func (d *remainder) begin(address string) (id string, err error) {
	if id, _, err = d.log.recovering(); err != nil || id != "" {
		return id, err
	}
	id = uuid.NewString()
	return id, d.log.Set(recoveringKey, []byte(id+" "+address))
}

// recovering is what an interrupted recovery was about; an empty id means that
// there was none.
func (d *diskLog) recovering() (id, address string, err error) {
	value, err := d.optional(recoveringKey)
	id, address, _ = strings.Cut(string(value), " ")
	return id, address, err
}

// remainder is a replica's disk that is looked at.
type remainder struct {
	*disk
	logger *zap.Logger
}

func openRemains(folder string, log *zap.Logger) (*remainder, error) {
	if log == nil {
		log = zap.NewNop()
	}
	path := filepath.Join(folder, "log.db")
	switch _, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s is not there: no master has kept a registry with others here", path)
	case err != nil:
		return nil, err
	}
	d, err := openDisk(Options{Folder: folder, Logger: log})
	if err != nil {
		return nil, err
	}
	return &remainder{d, log}, nil
}

// remains applies the whole log, and tells what came of it.
func (d *remainder) remains() (r Remains, err error) {
	own, err := d.address()
	if err != nil {
		return r, err
	}
	r.Address = own
	for _, s := range d.membership.Servers {
		if string(s.Address) != own {
			r.Others = append(r.Others, string(s.Address))
		}
	}
	copied, broken := newRemainsCopy()
	if r.Entry, r.Term, err = d.replay(copied); err == nil {
		err = broken()
	}
	r.Cluster, r.Records = copied.clusterID(), len(copied.stored())
	return r, err
}

// address is this replica's own.
func (d *remainder) address() (string, error) {
	if _, address, err := d.log.recovering(); err != nil || address != "" {
		return address, err
	}
	for _, s := range d.membership.Servers {
		if string(s.ID) == d.replica {
			return string(s.Address), nil
		}
	}
	return "", fmt.Errorf("%w: this replica, %q, is none of the masters %v that its log names", ErrMembership, d.replica, d.membership.Servers)
}

// replay restores the newest snapshot and applies what follows it.
func (d *remainder) replay(to *registryCopy) (entry, term uint64, err error) {
	list, err := d.snapshots.List()
	if err != nil {
		return 0, 0, err
	}
	if len(list) > 0 { // the newest is the first; all of them can be read
		_, data, err := d.snapshots.Open(list[0].ID)
		if err != nil {
			return 0, 0, err
		}
		if err := to.Restore(data); err != nil {
			return 0, 0, err
		}
		entry, term = list[0].Index, list[0].Term
	}
	last, err := d.log.LastIndex()
	if err != nil {
		return 0, 0, err
	}
	for i := entry + 1; i <= last; i++ {
		var l raft.Log
		if err := d.log.GetLog(i, &l); err != nil {
			return entry, term, err
		}
		if l.Type == raft.LogCommand {
			to.Apply(&l)
		}
		entry, term = l.Index, l.Term
	}
	return entry, term, nil
}

// newRemainsCopy is a copy of the registry that nobody waits for; broken tells of
// an entry that could not be applied.
func newRemainsCopy() (_ *registryCopy, broken func() error) {
	var failed error
	return &registryCopy{
		changed: func() {}, founded: func(string) {},
		broken: func(err error) { failed = errors.Join(failed, err) },
	}, func() error { return failed }
}
