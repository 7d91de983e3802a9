package files_test

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"troupe/frameworks/files"
)

// A program is served for as long as there are tasks that need it.
func Example() {
	server, err := files.Start(files.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		panic(err)
	}
	worker, err := server.Bytes("worker", []byte("#!/bin/sh\necho working\n"))
	if err != nil {
		panic(err)
	}
	uri := worker.Program()
	fmt.Println(uri.GetOutputFile(), "is executable:", uri.GetExecutable())
	answer, err := http.Get(uri.GetValue())
	if err != nil {
		panic(err)
	}
	text, err := io.ReadAll(answer.Body)
	fmt.Printf("%s%v\n", text, err)
	if err := answer.Body.Close(); err != nil {
		panic(err)
	}
	if err := server.Remove(worker); err != nil {
		panic(err)
	}
	http.DefaultClient.CloseIdleConnections()
	fmt.Println(server.Close(context.Background()))
	// Output:
	// worker is executable: true
	// #!/bin/sh
	// echo working
	// <nil>
	// <nil>
}
