package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"
)

// TestDictionaries: an archive that wants more memory than it may have is refused, and
// told how much; one that wants just as much is not.
func TestDictionaries(t *testing.T) {
	plain := tarOf(t, entry{name: "a", content: "text"})
	large := tarOf(t, entry{name: "a", content: strings.Repeat("text", 1<<20)})
	for _, test := range []struct {
		name   string
		packed []byte
		size   int64
	}{
		{"x.txz", through(t, plain, "xz", "--lzma2=dict=64KiB"), 64 << 10},
		{"x.tar.xz", through(t, plain, "xz", "--lzma2=dict=96MiB"), 96 << 20},
		{"x.txz", through(t, plain, "xz", "-9"), 64 << 20},
		{"x.tzst", through(t, large, "zstd", "--long=21", "-1"), 2 << 20},
		{"x.tar.zst", through(t, large, "zstd", "--long=26", "-1"), 64 << 20},
	} {
		_, err := extract(t, test.name, test.packed, Bounds{Dictionary: test.size - 1})
		var large *DictionaryError
		if !errors.As(err, &large) || large.Size != test.size || !strings.Contains(err.Error(), "--fetcher_max_dictionary_size") {
			t.Errorf("%s of %d: got %v", test.name, test.size, err)
		}
		for _, bound := range []int64{test.size, 0} {
			if got, err := extract(t, test.name, test.packed, Bounds{Dictionary: bound}); err != nil || len(got) != 1 {
				t.Errorf("%s of %d within %d: got %v, %v", test.name, test.size, bound, got, err)
			}
		}
	}
	// Later parts may ask for more than the first.
	both := append(through(t, plain, "zstd"), through(t, large, "zstd", "--long=26", "-1")...)
	if _, err := extract(t, "x.tzst", both, Bounds{Dictionary: 8 << 20}); err == nil || !strings.Contains(err.Error(), "needs a dictionary of more to be") {
		t.Errorf("the second frame: got %v", err)
	}
	both = append(through(t, plain, "xz", "-0"), through(t, plain, "xz", "-9")...)
	if _, err := extract(t, "x.txz", both, Bounds{Dictionary: 8 << 20}); err == nil || !strings.Contains(err.Error(), "of 67108864 bytes to be") {
		t.Errorf("the second stream: got %v", err)
	}
	// Formats that have none to speak of.
	for name, packed := range map[string][]byte{"x.tgz": gzipOf(t, plain), "x.tbz2": through(t, plain, "bzip2"), "x.tar": plain} {
		if _, err := extract(t, name, packed, Bounds{Dictionary: 1}); err != nil {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestGuardFollows: whatever xz makes of whatever text, the guard lets it pass to its
// end, and no block is too large for it that is not.
func TestGuardFollows(t *testing.T) {
	noise := make([]byte, 300<<10)
	chance := rand.NewChaCha8([32]byte{1})
	if _, err := chance.Read(noise); err != nil {
		t.Fatal(err)
	}
	draw := rand.New(chance)
	for round := range 16 {
		var packed, want []byte
		for range 1 + round%2 {
			text := append(bytes.Repeat([]byte("text"), draw.IntN(50_000)), noise[:draw.IntN(len(noise))]...)
			args := []string{
				"--check=" + []string{"none", "crc32", "crc64", "sha256"}[round%4],
				fmt.Sprintf("--block-size=%d", 20_000+draw.IntN(400_000)),
				fmt.Sprintf("--threads=%d", 1+round/8), // with two, blocks have sizes in front
				fmt.Sprintf("--lzma2=preset=0,dict=%dKiB", 4+draw.IntN(509)),
			}
			packed, want = append(packed, through(t, text, "xz", args...)...), append(want, text...)
			packed = append(packed, make([]byte, 4*draw.IntN(4))...)
		}
		decoder, err := xz.NewReader(newXZGuard(bytes.NewReader(packed), 512<<10))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(decoder); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("round %d: %d bytes of %d, %v", round, len(got), len(want), err)
		}
	}
}

// FuzzGuard: what the decoder reads without complaint, it reads with the guard, too, in
// pieces of any size.
func FuzzGuard(f *testing.F) {
	f.Add(through(f, []byte("text"), "xz"), 1)
	f.Add(append(through(f, []byte("text"), "xz", "--check=sha256"), make([]byte, 8)...), 7)
	f.Add(through(f, bytes.Repeat([]byte("text"), 10_000), "xz", "--block-size=1000", "-T2", "-0"), 100)
	f.Fuzz(func(t *testing.T, packed []byte, piece int) {
		const most = 1 << 20
		plain, err := readXZ(bytes.NewReader(packed))
		if err != nil {
			return
		}
		guarded, err := readXZ(newXZGuard(pieces{bytes.NewReader(packed), max(1, piece)}, most))
		var large *DictionaryError
		if errors.As(err, &large) {
			return
		}
		if err != nil || !bytes.Equal(plain, guarded) {
			t.Errorf("%d bytes of %d, %v", len(guarded), len(plain), err)
		}
	})
}

func readXZ(from io.Reader) ([]byte, error) {
	r, err := xz.NewReader(from)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, 1<<20))
}

// pieces reads no more than n bytes at a time.
type pieces struct {
	from io.Reader
	n    int
}

func (p pieces) Read(b []byte) (int, error) { return p.from.Read(b[:min(p.n, len(b))]) }
