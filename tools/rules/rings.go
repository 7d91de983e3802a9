package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Ring is one row of the table in docs/architecture.md.
type Ring struct {
	Name string
	// Folders of the ring; a trailing "/..." takes in all below. The longest
	// pattern that fits a folder decides its ring.
	Folders []string
	// May names the rings that may be imported; a ring may always import
	// itself within one top-level folder.
	May []string
	// Libraries are prefixes of the other modules' packages that may be
	// imported; "*" is every one but protoactor.
	Libraries []string
}

// Rings is who may import whom.
var Rings = []Ring{
	{Name: "words", Folders: []string{"messages/..."}, May: []string{"words"}, Libraries: []string{"google.golang.org/protobuf/"}},
	{Name: "carriers", Folders: []string{"messages/carrier/..."}, May: []string{"words"}, Libraries: []string{"*"}},
	{Name: "runtime", Folders: []string{"actors/..."}, May: []string{"runtime"}, Libraries: []string{"*", protoactor}},
	{
		Name: "cores",
		Folders: []string{
			"allocator/drf", "allocator/core", "master/state", "master/registry",
			"slave/state", "slave/updates", "frameworks/session", "executor/check",
			"frameworks/match", "frameworks/ports", "frameworks/gang", "frameworks/work",
			"frameworks/service/app", "frameworks/service/wire", "frameworks/service/rollout", "frameworks/service/placement",
			"frameworks/service/state", "frameworks/service/discovery/endpoints",
			"frameworks/cron/schedule", "frameworks/cron/plan", "frameworks/cron/launch", "frameworks/cron/wire",
		},
		May: []string{"words", "cores"}, Libraries: []string{"google.golang.org/protobuf/"},
	},
	{
		Name:    "keepers",
		Folders: []string{"master/store/pages", "master/store/sealed", "master/store/batches", "master/election/ensemble"},
		May:     []string{"words", "keepers"}, Libraries: []string{"*"},
	},
	{
		Name: "devices",
		Folders: []string{
			"master/store", "master/election", "master/whitelist", "slave/checkpoint", "slave/container/...", "slave/detect", "frameworks/store", "frameworks/files", "frameworks/cron/notify", "frameworks/sandbox",
			"frameworks/service/probe", "frameworks/service/discovery/dns", "frameworks/service/discovery/haproxy",
		},
		May: []string{"words", "cores", "keepers"}, Libraries: []string{"*"},
	},
	{
		Name:    "seekers",
		Folders: []string{"master/detector", "frameworks/overhttp"},
		May:     []string{"words", "devices"}, Libraries: []string{"*"},
	},
	{
		Name:    "shells",
		Folders: []string{"master", "slave", "allocator", "executor", "frameworks"},
		May:     []string{"words", "runtime", "cores", "seekers"}, Libraries: []string{"*"},
	},
	{
		Name:    "faces",
		Folders: []string{"master/api", "slave/api", "frameworks/cron/api", "frameworks/cron/board", "frameworks/cron/client", "frameworks/cron/page", "frameworks/pages", "frameworks/service/dsl", "frameworks/service/page", "frameworks/service/api", "frameworks/service/client", "frameworks/service/discovery"},
		May:     []string{"words", "carriers", "runtime"}, Libraries: []string{"*"},
	},
	{
		Name:    "wiring",
		Folders: []string{"tools/...", "examples/..."},
		May:     []string{"words", "carriers", "runtime", "cores", "keepers", "devices", "seekers", "shells", "faces", "wiring"}, Libraries: []string{"*"},
	},
}

const protoactor = "github.com/asynkron/protoactor-go/"

// TopFolders are the only folders of the root that hold Go code.
var TopFolders = []string{"actors", "messages", "master", "slave", "allocator", "executor", "frameworks", "examples", "tools"}

// ringOf finds the ring of a folder. A folder that no pattern names belongs
// to the ring of the nearest folder above that one names.
func ringOf(folder string) (Ring, bool) {
	for at := folder; at != "."; at = parent(at) {
		for _, r := range Rings {
			if slices.Contains(r.Folders, at) || slices.Contains(r.Folders, at+"/...") {
				return r, true
			}
		}
	}
	return Ring{}, false
}

func parent(folder string) string {
	i := strings.LastIndexByte(folder, '/')
	if i < 0 {
		return "."
	}
	return folder[:i]
}

func top(folder string) string {
	first, _, _ := strings.Cut(folder, "/")
	return first
}

// imports checks what a file that is built into a program imports. Tests may
// import what they like, protoactor excepted.
func imports(f *File) []Finding {
	ring, known := ringOf(f.Folder())
	var found []Finding
	for _, spec := range f.AST.Imports {
		target, err := strconv.Unquote(spec.Path.Value)
		if err != nil || !known {
			continue
		}
		if why := refuse(ring, f.Folder(), target, f.Test); why != "" {
			found = append(found, Finding{"rings", f.Path, f.line(spec.Pos()), why})
		}
	}
	return found
}

func refuse(ring Ring, folder, target string, test bool) string {
	inside, ours := strings.CutPrefix(target, Module+"/")
	switch {
	case strings.HasPrefix(target, protoactor) && !slices.Contains(ring.Libraries, protoactor) && top(folder) != "tools":
		return fmt.Sprintf("%s imports %s: only actors/... does", folder, target)
	case strings.HasPrefix(target, protoactor) && top(folder) == "tools" && folder != "tools/bench" && folder != "tools":
		return fmt.Sprintf("%s imports %s: only actors/... does", folder, target)
	case test:
		return ""
	case ours:
		return refuseOurs(ring, folder, inside)
	case strings.Contains(top(target), "."):
		return refuseLibrary(ring, folder, target)
	default:
		return refuseStandard(ring, folder, target)
	}
}

func refuseOurs(ring Ring, folder, inside string) string {
	to, known := ringOf(inside)
	switch {
	case !known:
		return fmt.Sprintf("%s imports %s, which is in no ring", folder, inside)
	case to.Name == ring.Name && top(inside) == top(folder), slices.Contains(ring.May, to.Name):
		return ""
	case ring.Name == "faces" && isView(inside) && top(inside) == top(folder):
		return ""
	case ring.Name == "faces" && to.Name == "cores" && top(inside) == "frameworks" && top(folder) == "frameworks":
		return "" // a framework's core publishes what is read, in words of its own
	}
	return fmt.Sprintf("%s (%s) imports %s (%s)", folder, ring.Name, inside, to.Name)
}

// isView tells whether a folder holds a read side: records that a component
// publishes for its face.
func isView(folder string) bool { return strings.HasSuffix(folder, "/view") }

func refuseLibrary(ring Ring, folder, target string) string {
	for _, l := range ring.Libraries {
		if l == "*" || strings.HasPrefix(target, l) {
			return ""
		}
	}
	return fmt.Sprintf("%s (%s) imports the library %s", folder, ring.Name, target)
}

// calculating are the packages of the standard library that a core may
// import: they compute, and neither look at the world nor wait for it.
var calculating = []string{
	"bytes", "cmp", "container/...", "encoding/...", "errors", "fmt", "hash/...", "iter", "maps", "math", "math/big",
	"math/bits", "path", "regexp", "slices", "sort", "strconv", "strings", "time", "time/tzdata", "unicode/...", "unique", "net/netip",
}

// worldly are those that words may not import either.
var worldly = []string{"net", "net/http", "os/...", "log/...", "math/rand/...", "context", "syscall", "plugin"}

func refuseStandard(ring Ring, folder, target string) string {
	switch {
	case ring.Name == "cores" && !fits(calculating, target):
		return fmt.Sprintf("%s is a core and imports %s", folder, target)
	case ring.Name == "words" && fits(worldly, target):
		return fmt.Sprintf("%s is words and imports %s", folder, target)
	}
	return ""
}

func fits(patterns []string, target string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		above, deep := strings.CutSuffix(p, "/...")
		return target == above || deep && strings.HasPrefix(target, above+"/")
	})
}

// folders checks that Go code is only where it belongs.
func folders(t *Tree) []Finding {
	var found []Finding
	for _, f := range t.Go {
		if !slices.Contains(TopFolders, top(f.Path)) {
			found = append(found, Finding{"folders", f.Path, 0, "Go code outside " + strings.Join(TopFolders, ", ")})
		}
	}
	return found
}
