// Package fetcher brings what a command needs into its sandbox: files and archives
// from servers and from the agent's disk. The work is done by a process of its own
// (Serve), within the container that it is for and as that one's user, so that an
// archive that is a bomb, or a server that never ends, costs nobody else. Who wants
// something fetched starts that process (Supervise). Only wiring imports this.
package fetcher

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"troupe/messages/mesos"
)

// Settings are an agent's, for all that is fetched. They travel as JSON.
type Settings struct {
	// Home is what paths that are not absolute are relative to; empty: there are
	// none.
	Home string `json:"frameworks_home,omitempty"`
	// StallTimeout is how long a server may send nothing; 0: a minute.
	StallTimeout time.Duration `json:"fetcher_stall_timeout,omitempty"`
	// CacheDir is shared by all fetches of an agent; empty: there is no cache.
	CacheDir string `json:"fetcher_cache_dir,omitempty"`
	// CacheSize is in bytes.
	CacheSize int64 `json:"fetcher_cache_size,omitempty"`
	// MaxExtracted is how many bytes an archive may become; 0: as many as the disk
	// has room for.
	MaxExtracted int64 `json:"fetcher_max_extracted_size,omitempty"`
	// MaxDictionary is how many bytes of memory an archive may want for its dictionary;
	// 0: as many as the container has.
	MaxDictionary int64 `json:"fetcher_max_dictionary_size,omitempty"`
}

const defaultStall = time.Minute

func (s Settings) stall() time.Duration {
	if s.StallTimeout <= 0 {
		return defaultStall
	}
	return s.StallTimeout
}

// URI is one of what is fetched; as CommandInfo.URI has it.
type URI struct {
	Value      string `json:"value"`
	Executable bool   `json:"executable,omitempty"`
	Extract    bool   `json:"extract,omitempty"`
	Cache      bool   `json:"cache,omitempty"`
	OutputFile string `json:"output_file,omitempty"`
}

// Order is what one fetching process is to do. It travels as JSON.
type Order struct {
	// Sandbox is an existing folder, absolute.
	Sandbox string `json:"sandbox"`
	// User whose the files become, and who must be able to read those of the agent's
	// disk; empty means the process's own.
	User     string   `json:"user,omitempty"`
	URIs     []URI    `json:"uris"`
	Settings Settings `json:"settings"`
}

// OrderOf makes an order of a command's URIs. There is nothing to do when it has
// none. Errors name the field.
func OrderOf(sandbox, user string, c *mesos.CommandInfo, s Settings) (Order, error) {
	o := Order{Sandbox: sandbox, User: user, Settings: s}
	for _, u := range c.GetUris() {
		o.URIs = append(o.URIs, URI{
			Value: u.GetValue(), Executable: u.GetExecutable(), Extract: u.GetExtract(), Cache: u.GetCache(), OutputFile: u.GetOutputFile(),
		})
	}
	if _, err := parseAll(o.URIs, s); err != nil {
		return Order{}, err
	}
	return o, nil
}

// maxOrder bounds what is read as an order, in bytes.
const maxOrder = 16 << 20

// readOrder reads an order and checks it.
func readOrder(from io.Reader) (Order, error) {
	text, err := io.ReadAll(io.LimitReader(from, maxOrder+1))
	if err != nil {
		return Order{}, fmt.Errorf("read the order: %w", err)
	}
	if len(text) > maxOrder {
		return Order{}, fmt.Errorf("the order has more than %d bytes", maxOrder)
	}
	var o Order
	if err := json.Unmarshal(text, &o); err != nil {
		return Order{}, fmt.Errorf("read the order: %w", err)
	}
	if !filepath.IsAbs(o.Sandbox) {
		return Order{}, errors.New("read the order: sandbox is not an absolute path")
	}
	return o, nil
}
