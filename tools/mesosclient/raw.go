package mesosclient

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
)

// Raw is a connection on which the caller writes what it likes, and reads when
// it likes.
type Raw struct {
	*net.TCPConn
	in *bufio.Reader
}

// Dial connects. receive, unless it is 0, bounds in bytes what the kernel takes
// for a reader that does not read.
func Dial(ctx context.Context, address string, receive int) (*Raw, error) {
	var d net.Dialer
	if receive > 0 {
		// It must be known before the connection is: the window is agreed on then.
		d.Control = func(_, _ string, c syscall.RawConn) error {
			var set error
			err := c.Control(func(fd uintptr) {
				set = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, receive)
			})
			return errors.Join(err, set)
		}
	}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &Raw{conn.(*net.TCPConn), bufio.NewReader(conn)}, nil
}

// Head is the first line and the headers of a request, to its blank line.
func Head(method, path string, headers ...string) string {
	lines := append([]string{method + " " + path + " HTTP/1.1", "Host: cluster"}, headers...)
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

// Chunk is data as a chunk of a chunked body; of no data it is the last one.
func Chunk(data string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(data), data) }

// Say writes text.
func (r *Raw) Say(text string) error {
	_, err := r.Write([]byte(text))
	return err
}

// Response reads the head of the answer; its body is read as the caller likes.
func (r *Raw) Response() (*http.Response, error) { return http.ReadResponse(r.in, nil) }

// Answer reads an answer to its end.
func (r *Raw) Answer() (*Answer, error) {
	response, err := r.Response()
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return answer(response)
}
