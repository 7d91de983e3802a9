// Package sandbox reads what tasks have written: it finds the agent of a task and
// asks for the files in the task's sandbox there. It is for frameworks that show
// logs to people, who most likely reach the framework but not the agents; their
// shells, pages and wiring may import it.
package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"
)

// MaxPiece is how many bytes of a file an agent gives at once.
const MaxPiece = 64 << 10

// Options say how agents are found and asked.
type Options struct {
	// Master is host:port of the leading master; "" while there is none.
	Master func() string
	// Client is nil for one that waits 10 s for an answer.
	Client *http.Client
	// HTTPS is that masters and agents are asked over TLS.
	HTTPS bool
	// Authorization is the header of that name; "" is none.
	Authorization string
}

// Task is whose sandbox is meant. All but Executor are needed.
type Task struct {
	Framework, Agent, ID string // ids
	Executor             string // its id; "" for tasks of a command, whose executor is called like the task
}

// File is in a sandbox.
type File struct {
	Name     string    `json:"name"` // seen from the sandbox
	Size     int64     `json:"size"` // bytes
	Modified time.Time `json:"modified"`
	Folder   bool      `json:"folder"`
}

// Piece is a part of a file. Bytes that are no UTF-8 are replaced.
type Piece struct {
	Data   string `json:"data"`
	Offset int64  `json:"offset"`
}

// Reader asks agents. It is safe for concurrent use.
type Reader struct {
	Options
	mu     sync.Mutex
	agents map[string]string // address by id
}

// New makes a Reader.
func New(o Options) *Reader {
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 10 * time.Second}
	}
	return &Reader{Options: o, agents: map[string]string{}}
}

// Errors of a Reader.
var (
	ErrNotFound = errors.New("there is no such file, or the sandbox is gone")
	ErrAway     = errors.New("its agent cannot be asked")
)

// BadNameError is of a file that cannot be in a sandbox.
type BadNameError struct{ Name string }

// Error names the file.
func (e *BadNameError) Error() string {
	return fmt.Sprintf("file: %q: must be a path in the sandbox, as stdout", e.Name)
}

// Tail reads the end of a file, so many bytes at most. Errors are those of Read.
func (r *Reader) Tail(ctx context.Context, t Task, file string, bytes int64) ([]byte, error) {
	all, err := r.Read(ctx, t, file, -1, 0)
	if err != nil {
		return nil, err
	}
	var text []byte
	for at := max(all.Offset-bytes, 0); at < all.Offset; at += MaxPiece {
		piece, err := r.Read(ctx, t, file, at, int(min(all.Offset-at, MaxPiece)))
		if err != nil {
			return nil, err
		}
		text = append(text, piece.Data...)
	}
	return text, nil
}

// Read reads at most length bytes, and no more than MaxPiece, of a file. An offset
// of -1 reads nothing and tells the file's size. Errors wrap ErrNotFound or
// ErrAway, or are a *BadNameError.
func (r *Reader) Read(ctx context.Context, t Task, file string, offset int64, length int) (Piece, error) {
	where, err := t.path(file)
	if err != nil {
		return Piece{}, err
	}
	query := url.Values{"path": {where}, "offset": {fmt.Sprint(offset)}, "length": {fmt.Sprint(min(length, MaxPiece))}}
	var piece Piece
	return piece, r.ask(ctx, t.Agent, "/files/read", query, &piece)
}

// Files lists a folder of a sandbox; "" is the sandbox itself.
func (r *Reader) Files(ctx context.Context, t Task, folder string) ([]File, error) {
	where := t.root()
	if folder != "" {
		var err error
		if where, err = t.path(folder); err != nil {
			return nil, err
		}
	}
	var found []struct {
		Path, Mode string
		Size       int64
		MTime      float64
	}
	if err := r.ask(ctx, t.Agent, "/files/browse", url.Values{"path": {where}}, &found); err != nil {
		return nil, err
	}
	files := make([]File, 0, len(found))
	for _, f := range found {
		files = append(files, File{
			Name: strings.TrimPrefix(f.Path, t.root()+"/"), Size: f.Size,
			Modified: time.Unix(int64(f.MTime), 0).UTC(), Folder: strings.HasPrefix(f.Mode, "d"),
		})
	}
	return files, nil
}

// root is the sandbox for its agent.
func (t Task) root() string {
	executor := t.Executor
	if executor == "" {
		executor = t.ID
	}
	return "/frameworks/" + t.Framework + "/executors/" + executor + "/runs/latest"
}

func (t Task) path(file string) (string, error) {
	if clean := path.Clean(file); file == "" || path.IsAbs(file) || clean == ".." || strings.HasPrefix(clean, "../") || strings.ContainsRune(file, 0) {
		return "", &BadNameError{file}
	}
	return path.Join(t.root(), file), nil
}

// ask asks an agent; once more if it is not where it was before.
func (r *Reader) ask(ctx context.Context, agent, where string, query url.Values, into any) error {
	for {
		address, known, err := r.find(ctx, agent)
		if err != nil {
			return fmt.Errorf("agent %s: %w", agent, err)
		}
		err = r.get(ctx, address, where, query, into)
		if err == nil || errors.Is(err, ErrNotFound) {
			return err
		}
		r.forget(agent)
		if !known {
			return fmt.Errorf("agent %s at %s: %w", agent, address, err)
		}
	}
}

// find finds the address of an agent. known is that it was asked before.
func (r *Reader) find(ctx context.Context, agent string) (address string, known bool, err error) {
	r.mu.Lock()
	address, known = r.agents[agent]
	r.mu.Unlock()
	if known {
		return address, true, nil
	}
	master := r.Master()
	if master == "" {
		return "", false, fmt.Errorf("%w: no master leads that knows where it is", ErrAway)
	}
	var answer struct {
		Agents []struct{ ID, PID string } `json:"slaves"`
	}
	if err := r.get(ctx, master, "/slaves", url.Values{"slave_id": {agent}}, &answer); err != nil {
		return "", false, fmt.Errorf("asking the master at %s where it is: %w", master, err)
	}
	for _, s := range answer.Agents {
		if _, at, ok := strings.Cut(s.PID, "@"); ok && s.ID == agent {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.agents[agent] = at
			return at, false, nil
		}
	}
	return "", false, fmt.Errorf("%w: the master at %s does not know it", ErrAway, master)
}

func (r *Reader) forget(agent string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.agents, agent)
}

const maxAnswer = 4 << 20 // bytes; a listing may be long

// get gets a JSON document.
func (r *Reader) get(ctx context.Context, address, where string, query url.Values, into any) error {
	target := url.URL{Scheme: "http", Host: address, Path: where, RawQuery: query.Encode()}
	if r.HTTPS {
		target.Scheme = "https"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return err
	}
	if r.Authorization != "" {
		request.Header.Set("Authorization", r.Authorization)
	}
	response, err := r.Client.Do(request)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrAway, err)
	}
	defer response.Body.Close() // what was not read does not matter
	if response.StatusCode == http.StatusNotFound {
		return ErrNotFound
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrAway, err)
	case response.StatusCode != http.StatusOK:
		return fmt.Errorf("%w: it answers %s: %.200s", ErrAway, response.Status, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%w: its answer cannot be read: %w", ErrAway, err)
	}
	return nil
}
