package replicated

import (
	"errors"

	"github.com/hashicorp/raft"
	"go.uber.org/zap"
)

// growth counts the bytes of entries that were written since the last snapshot
// for their sake. Raft counts entries alone, and those of a registry have from a
// hundred bytes to a quarter of a megabyte.
type growth struct {
	limit int64
	due   chan struct{} // has one when a snapshot is
}

// written is called with the log's own writes, one after the other.
func (d *diskLog) written(logs []*raft.Log) {
	n := int64(0)
	for _, l := range logs {
		n += int64(len(l.Data))
	}
	if d.bytes.Add(n) < d.growth.limit || d.growth.limit == 0 {
		return
	}
	select {
	case d.growth.due <- struct{}{}:
	default: // it is known
	}
}

// newest counts the entries at the log's end that have so many bytes together.
func (d *diskLog) newest(bytes int64) (n uint64, err error) {
	last, err := d.LastIndex()
	if err != nil {
		return 0, err
	}
	for i := last; i > 0 && bytes > 0; i-- {
		var l raft.Log
		if err := d.get(i, &l); err != nil {
			if errors.Is(err, raft.ErrLogNotFound) {
				break // what was before is in a snapshot
			}
			return n, err
		}
		bytes -= int64(len(l.Data))
		n++
	}
	return n, nil
}

// compact makes a snapshot whenever the log has grown by so many bytes.
func (n *Node) compact() {
	log := n.disk.log
	for {
		select {
		case <-n.closed:
			return
		case <-log.growth.due:
		}
		log.bytes.Store(0)
		if err := n.snapshot(log.growth.limit / 2); err != nil && !errors.Is(err, raft.ErrNothingNewToSnapshot) && !errors.Is(err, raft.ErrRaftShutdown) {
			n.log.Warn("no snapshot could be made; the log grows on", zap.Error(err))
			log.bytes.Add(log.growth.limit / 2)
		}
	}
}

// snapshot leaves entries of so many bytes behind it, for masters that were away
// for a moment, if they are fewer than always stay.
func (n *Node) snapshot(behind int64) error {
	keep, err := n.disk.log.newest(behind)
	if err != nil {
		return err
	}
	usual := n.raft.ReloadableConfig()
	fewer := usual
	fewer.TrailingLogs = min(keep, usual.TrailingLogs)
	if err := n.raft.ReloadConfig(fewer); err != nil {
		return err
	}
	return errors.Join(n.raft.Snapshot().Error(), n.raft.ReloadConfig(usual))
}
