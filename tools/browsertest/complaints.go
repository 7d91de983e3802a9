package browsertest

import (
	"fmt"
	"slices"
	"sync"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
)

// complaints are what a page has thrown or written to its console as an error.
type complaints struct {
	mu   sync.Mutex
	said []string
}

// hear is called by the goroutine that reads what the browser says.
func (c *complaints) hear(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if thrown := e.ExceptionDetails.Exception; thrown != nil {
			text += " " + thrown.Description
		}
		c.add(text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			c.add(fmt.Sprint("console.error: ", describe(e.Args)))
		}
	case *log.EventEntryAdded:
		// That a request was refused is what tests of refusals want.
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork {
			c.add(e.Entry.Text + " " + e.Entry.URL)
		}
	}
}

func describe(args []*runtime.RemoteObject) (text string) {
	for _, a := range args {
		text += fmt.Sprint(string(a.Value), a.Description, " ")
	}
	return text
}

func (c *complaints) add(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said = append(c.said, text)
}

func (c *complaints) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.said)
}
