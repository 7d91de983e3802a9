package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"troupe/messages/recordio"
)

// audience are subscribers that count what they hear.
type audience struct {
	url            string
	events, lost   atomic.Int64
	there, leaving sync.WaitGroup
	delays         []time.Duration // of the first subscriber
}

// audienceRole is the process of subscribers. Arguments: the master's address, and
// how many there are. It is ready when all are subscribed; told to stop, it prints
// how many events came, how many did not or broke a stream off, and the p99 of
// their delay.
func audienceRole(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 2 {
		return fmt.Errorf("audience takes a master and a number, not %q", args)
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	a := &audience{url: "http://" + args[0] + "/api/v1?resume="}
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	a.there.Add(n)
	for i := range n {
		a.leaving.Go(func() {
			if err := a.listen(ctx, i == 0); err != nil && ctx.Err() == nil {
				fmt.Fprintln(os.Stderr, "a subscriber:", err)
				a.lost.Add(1)
			}
		})
	}
	a.there.Wait()
	fmt.Fprintln(out, "ready")
	if _, err := bufio.NewReader(in).ReadString('\n'); err != nil {
		return err
	}
	leave()
	a.leaving.Wait()
	slices.Sort(a.delays)
	p99 := time.Duration(0)
	if len(a.delays) > 0 {
		p99 = a.delays[len(a.delays)*99/100]
	}
	fmt.Fprintln(out, a.events.Load(), a.lost.Load(), int64(p99))
	return nil
}

// listen is one subscriber.
func (a *audience) listen(ctx context.Context, first bool) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url, strings.NewReader(`{"type":"SUBSCRIBE"}`))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	events := recordio.NewReader(answer.Body, 64<<20)
	record, err := events.Next()
	if err != nil {
		return err
	}
	last, err := numberIn(record)
	if err != nil {
		return err
	}
	a.there.Done()
	for {
		record, err := events.Next()
		if err != nil {
			return err
		}
		if bytes.HasPrefix(record, []byte(`{"type":"HEARTBEAT"`)) {
			continue
		}
		number, err := numberIn(record)
		if err != nil {
			return err
		}
		a.lost.Add(number - last - 1)
		a.events.Add(1)
		last = number
		if first {
			a.note(record)
		}
	}
}

var errNoCursor = errors.New("a record without a cursor")

// numberIn is the number at the end of a record's cursor.
func numberIn(record []byte) (int64, error) {
	end := bytes.LastIndexByte(record, '"')
	begin := bytes.LastIndexByte(record, '-') + 1
	if end < begin || begin == 0 {
		return 0, fmt.Errorf("%w: %.100s", errNoCursor, record)
	}
	return strconv.ParseInt(string(record[begin:end]), 10, 64)
}

// note keeps how old a status is.
func (a *audience) note(record []byte) {
	_, rest, found := bytes.Cut(record, []byte(`"timestamp":`))
	if !found {
		return
	}
	end := bytes.IndexAny(rest, ",}")
	if seconds, err := strconv.ParseFloat(string(rest[:max(end, 0)]), 64); err == nil {
		a.delays = append(a.delays, time.Duration(time.Now().UnixMicro()-int64(seconds*1e6))*time.Microsecond)
	}
}
