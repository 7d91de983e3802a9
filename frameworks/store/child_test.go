package store_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"troupe/frameworks/store"
	"troupe/frameworks/store/storetest"
	"troupe/master/election/ensemble"
	"troupe/messages/masters"
)

// childVariable makes the test binary a writer: of file:PATH, or of a URL of
// ZooKeeper once it leads there.
const childVariable = "TROUPE_TEST_WRITE_STATE"

func TestMain(m *testing.M) {
	if where := os.Getenv(childVariable); where != "" {
		s, err := openChild(where)
		if err == nil {
			err = storetest.WriteForEver(s)
		}
		fmt.Println("END", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func openChild(where string) (store.Store, error) {
	if path, ok := strings.CutPrefix(where, "file:"); ok {
		return store.OpenFile(path, "f")
	}
	place, err := masters.ParseZooKeeper(where)
	if err != nil {
		return nil, err
	}
	contest := ensemble.NewContest(ensemble.Options{Place: place, SessionTimeout: 5 * time.Second}, role("child"))
	term, err := contest.Lead(context.Background())
	if err != nil {
		return nil, err
	}
	return store.OpenZooKeeper(context.Background(), term, "f")
}

func role(content string) ensemble.Role {
	return ensemble.Role{Label: "candidate_", Noun: "process", Content: []byte(content)}
}
