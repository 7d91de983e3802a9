package notify

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"
)

// mailer writes to the owners of jobs.
type mailer struct {
	Mail
	host string
}

func newMailer(m Mail) *mailer {
	host, _, err := net.SplitHostPort(m.Server)
	if err != nil {
		host = m.Server // New has refused it
	}
	return &mailer{m, host}
}

// send hands one mail to the server. A server's 5xx is its last word.
func (m *mailer) send(ctx context.Context, what message) error {
	to, err := mail.ParseAddressList(what.job.About.Owner)
	if err != nil {
		return &finalError{fmt.Errorf("owner %q: %w", what.job.About.Owner, err)}
	}
	from, err := mail.ParseAddress(m.From)
	if err != nil {
		return &finalError{fmt.Errorf("sender %q: %w", m.From, err)}
	}
	text, err := compose(from, to, what)
	if err != nil {
		return &finalError{err}
	}
	err = m.hand(ctx, from, to, text)
	if reply := (*textproto.Error)(nil); errors.As(err, &reply) && reply.Code >= 500 {
		return &finalError{err}
	}
	return err
}

func (m *mailer) hand(ctx context.Context, from *mail.Address, to []*mail.Address, text []byte) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.Server)
	if err != nil {
		return err
	}
	if deadline, bounded := ctx.Deadline(); bounded {
		if err := conn.SetDeadline(deadline); err != nil {
			return errors.Join(err, conn.Close())
		}
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // what waits on it fails, and says so
	defer stop()
	client, err := smtp.NewClient(conn, m.host)
	if err != nil {
		return errors.Join(fmt.Errorf("greeting: %w", err), conn.Close())
	}
	if err := m.converse(client, from, to, text); err != nil {
		return errors.Join(err, client.Close())
	}
	_ = client.Quit() // the server has the mail, however it says goodbye
	return nil
}

func (m *mailer) converse(client *smtp.Client, from *mail.Address, to []*mail.Address, text []byte) error {
	if err := m.secure(client); err != nil {
		return err
	}
	if err := m.prove(client); err != nil {
		return err
	}
	if err := client.Mail(from.Address); err != nil {
		return fmt.Errorf("MAIL: %w", err)
	}
	var refused error
	accepted := 0
	for _, a := range to {
		if err := client.Rcpt(a.Address); err != nil {
			refused = errors.Join(refused, fmt.Errorf("RCPT %s: %w", a.Address, err))
			continue
		}
		accepted++
	}
	if accepted == 0 {
		return refused
	}
	if err := write(client, text); err != nil || refused == nil {
		return err
	}
	return &finalError{refused} // the others have it
}

func write(client *smtp.Client, text []byte) error {
	data, err := client.Data()
	if err != nil {
		return fmt.Errorf("DATA: %w", err)
	}
	if _, err := data.Write(text); err != nil {
		return fmt.Errorf("DATA: %w", err)
	}
	if err := data.Close(); err != nil {
		return fmt.Errorf("DATA: %w", err)
	}
	return nil
}

func (m *mailer) secure(client *smtp.Client) error {
	offered, _ := client.Extension("STARTTLS")
	switch {
	case !offered && m.RequireTLS:
		return &finalError{errors.New("the server does not offer STARTTLS")}
	case !offered:
		return nil
	}
	config := &tls.Config{}
	if m.TLS != nil {
		config = m.TLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = m.host
	}
	if err := client.StartTLS(config); err != nil {
		return fmt.Errorf("STARTTLS: %w", err)
	}
	return nil
}

// prove says who sends, in the way that shows least.
func (m *mailer) prove(client *smtp.Client) error {
	if m.User == "" {
		return nil
	}
	_, ways := client.Extension("AUTH")
	auth := smtp.PlainAuth("", m.User, m.Password, m.host) // refuses without TLS, but to this machine
	if strings.Contains(" "+ways+" ", " CRAM-MD5 ") {
		auth = smtp.CRAMMD5Auth(m.User, m.Password)
	}
	err := client.Auth(auth)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("AUTH: %w", err)
	reply, network := (*textproto.Error)(nil), net.Error(nil)
	if errors.As(err, &reply) || errors.As(err, &network) || errors.Is(err, io.EOF) {
		return err
	}
	return &finalError{err} // the connection is not fit for a password
}

// compose writes a mail. Nothing that comes from a job can end a header's line.
func compose(from *mail.Address, to []*mail.Address, what message) ([]byte, error) {
	names := make([]string, len(to))
	for i, a := range to {
		names[i] = a.String()
	}
	domain := from.Address[strings.LastIndexByte(from.Address, '@')+1:]
	var text bytes.Buffer
	for _, h := range [][2]string{
		{"From", from.String()},
		{"To", strings.Join(names, ", ")},
		{"Subject", mime.QEncoding.Encode("utf-8", what.subject)},
		{"Date", what.at.Format(time.RFC1123Z)},
		{"Message-ID", "<" + rand.Text() + "@" + domain + ">"},
		{"Auto-Submitted", "auto-generated"},
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
	} {
		fmt.Fprintf(&text, "%s: %s\r\n", h[0], h[1])
	}
	text.WriteString("\r\n")
	w := quotedprintable.NewWriter(&text)
	if _, err := w.Write([]byte(strings.ReplaceAll(what.text, "\n", "\r\n"))); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return text.Bytes(), nil
}
