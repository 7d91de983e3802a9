package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// webhook posts notifications to a URL.
type webhook struct {
	url    string
	client *http.Client
}

// body is what is posted. Text is for Slack and its like, which read nothing
// else.
type body struct {
	Subject     string            `json:"subject"`
	Message     string            `json:"message"`
	Text        string            `json:"text"`
	To          string            `json:"to"`
	Occasion    string            `json:"occasion"`
	Time        time.Time         `json:"time"`
	Job         string            `json:"job"`
	Command     string            `json:"command"`
	OwnerName   string            `json:"ownerName"`
	Description string            `json:"description"`
	CPUs        float64           `json:"cpus"`
	Mem         float64           `json:"mem"`
	Disk        float64           `json:"disk"`
	Tags        map[string]string `json:"tags,omitempty"`
	Run         *run              `json:"run,omitempty"`
}

// run is the attempt that the notification is about.
type run struct {
	Task    string     `json:"task"`
	Due     time.Time  `json:"due"`
	Began   *time.Time `json:"began,omitempty"`
	Ended   time.Time  `json:"ended"`
	Outcome string     `json:"outcome"`
	Exit    int        `json:"exitCode"`
	Agent   string     `json:"agent,omitempty"`
	Message string     `json:"message,omitempty"`
}

func bodyOf(m message) body {
	j := m.job
	b := body{
		Subject: m.subject, Message: m.text, Text: m.subject + "\n" + m.text, To: j.About.Owner,
		Occasion: string(m.occasion), Time: m.at.UTC(), Job: j.Name, Command: j.Command.Text,
		OwnerName: j.About.OwnerName, Description: j.About.Description, CPUs: j.CPUs, Mem: j.Mem, Disk: j.Disk, Tags: j.About.Tags,
	}
	if a := m.attempt; a.Task != "" {
		b.Run = &run{
			Task: a.Task, Due: a.Due, Ended: a.Ended, Outcome: string(a.Outcome), Exit: a.Exit, Agent: a.Agent, Message: a.Message,
		}
		if !a.Began.IsZero() {
			b.Run.Began = &a.Began
		}
	}
	return b
}

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 64 << 10

// send posts once. Errors do not tell the URL, which may be a secret.
func (w *webhook) send(ctx context.Context, m message) (err error) {
	text, err := json.Marshal(bodyOf(m))
	if err != nil {
		return &finalError{err}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(text))
	if err != nil {
		return &finalError{errors.New("the URL cannot be used")}
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := w.client.Do(request)
	if err != nil {
		if told := (*url.Error)(nil); errors.As(err, &told) {
			err = told.Err
		}
		return fmt.Errorf("post: %w", err)
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	if _, err := io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer)); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	switch code := answer.StatusCode; {
	case code < 300:
		return nil
	case code < 500 && code != http.StatusRequestTimeout && code != http.StatusTooManyRequests:
		return &finalError{fmt.Errorf("post: answered %s", answer.Status)}
	}
	return fmt.Errorf("post: answered %s", answer.Status)
}
