package recordio_test

import (
	"fmt"
	"io"
	"strings"

	"troupe/messages/recordio"
)

func ExampleReader() {
	stream := recordio.NewReader(strings.NewReader("5\nhello\n6\nworld!9\nend"), 1<<20)
	for {
		record, err := stream.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Println(string(record))
	}
	// Output:
	// hello
	// world!
	// recordio: the stream ends within a record, at byte 21
}
