package fetcher

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"troupe/slave/container"
	"troupe/slave/container/fetcher/cache"
)

// Serve is the fetching process: it reads an order, carries it out as the order's
// user, and tells news of it, and log, how that went. The process can have no use
// for anything else afterwards. The error is that which was told.
func Serve(ctx context.Context, order io.Reader, news, log io.Writer) error {
	return serve(ctx, order, news, log, means{drop: become, patience: patience()})
}

func serve(ctx context.Context, order io.Reader, news, log io.Writer, m means) error {
	r := newReport(log, news)
	o, err := readOrder(order)
	if err == nil {
		err = fetch(ctx, o, r, m)
	}
	if err != nil {
		r.write("Nothing is started: " + err.Error()) // news has it as well
		r.tell(News{Error: cut(err.Error())})
		return err
	}
	r.tell(News{Done: true})
	return nil
}

// maxError bounds what is told of an error, in bytes.
const maxError = 4 << 10

func cut(s string) string {
	if len(s) > maxError {
		return s[:maxError] + "…"
	}
	return s
}

// become makes this process a user's, for good.
func become(name string) error {
	if name == "" {
		return nil
	}
	u, err := container.LookupUser(name)
	if err != nil {
		return err
	}
	uid, gid, err := container.Numbers(name)
	if err != nil {
		return err
	}
	if uid == os.Geteuid() {
		return nil
	}
	texts, err := u.GroupIds()
	if err != nil {
		return fmt.Errorf("groups of user %q: %w", name, err)
	}
	groups := make([]int, len(texts))
	for i, text := range texts {
		if _, err := fmt.Sscan(text, &groups[i]); err != nil {
			return fmt.Errorf("group %q of user %q: %w", text, name, err)
		}
	}
	if err := syscall.Setgroups(groups); err != nil {
		return fmt.Errorf("take the groups of user %q: %w", name, err)
	}
	if err := syscall.Setgid(gid); err != nil {
		return fmt.Errorf("take the group of user %q: %w", name, err)
	}
	if err := syscall.Setuid(uid); err != nil {
		return fmt.Errorf("become user %q: %w", name, err)
	}
	return nil
}

// Supervise has an order carried out by a process that start starts, with these as
// its standard input and output, which are closed when Supervise returns; where
// its standard error goes, the order's progress is written. Start must not wait for
// it. Told is called with what is done, for people. Supervise returns when the
// process has ended, or let its output go: who wants it to end before kills it.
func Supervise(ctx context.Context, o Order, start func(stdin, stdout *os.File) error, told func(doing string)) (err error) {
	if len(o.URIs) == 0 {
		return nil
	}
	defer func() { count(ctx, o.Settings, err == nil) }()
	in, err := orderFile(o)
	if err != nil {
		return err
	}
	defer in.Close() // is in memory
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer read.Close() // was only read
	err = start(in, write)
	if err = errors.Join(err, write.Close()); err != nil {
		return fmt.Errorf("start the fetching process: %w", err)
	}
	return listen(read, told)
}

// orderFile is a file in memory that has an order.
func orderFile(o Order) (*os.File, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	fd, err := unix.MemfdCreate("fetch", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("write the order: %w", err)
	}
	f := os.NewFile(uintptr(fd), "order")
	_, err = f.Write(text)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("write the order: %w", err), f.Close())
	}
	return f, nil
}

// errSilent is the end of a process that did not say how it ended.
var errSilent = errors.New("the fetching process ended before it was done: it was killed, for instance because the container has too little memory")

// listen reads news until they end.
func listen(news io.Reader, told func(doing string)) error {
	lines := bufio.NewScanner(news)
	lines.Buffer(make([]byte, 0, 4<<10), 16*maxError)
	end := errSilent
	for lines.Scan() {
		var n News
		if err := json.Unmarshal(lines.Bytes(), &n); err != nil {
			return fmt.Errorf("news of the fetching process: %w", err)
		}
		switch {
		case n.Done:
			end = nil
		case n.Error != "":
			end = errors.New(n.Error)
		case told != nil:
			told(n.Doing)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("news of the fetching process: %w", err)
	}
	return end
}

// count counts for metrics. A cache that cannot be written counts nothing, and
// keeps nothing from being fetched.
func count(ctx context.Context, s Settings, succeeded bool) {
	if s.CacheDir == "" {
		return
	}
	t := cache.Tally{Failed: 1}
	if succeeded {
		t = cache.Tally{Succeeded: 1}
	}
	_ = cache.Cache{Dir: s.CacheDir, Size: s.CacheSize}.Count(context.WithoutCancel(ctx), t)
}
