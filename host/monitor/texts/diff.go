package texts

import (
	"bytes"
	"fmt"
)

// Difference is how one text differs from another.
type Difference struct {
	Added, Removed int // lines
	Text           []byte
	Cut            bool // Text is not all of it
}

const (
	diffContext = 3     // lines around a change
	maxDiffCost = 1_000 // edits that are looked for; texts that differ in more are shown as replaced
)

// Diff compares two texts line by line and writes the difference in unified form, at most limit bytes of it.
func Diff(old, now []byte, limit int) Difference {
	a, b := lines(old), lines(now)
	head := 0
	for head < len(a) && head < len(b) && bytes.Equal(a[head], b[head]) {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && bytes.Equal(a[len(a)-1-tail], b[len(b)-1-tail]) {
		tail++
	}
	edits := script(a[head:len(a)-tail], b[head:len(b)-tail])
	for i := range edits {
		edits[i].a += head
		edits[i].b += head
	}
	var d Difference
	for _, e := range edits {
		if e.add {
			d.Added++
		} else {
			d.Removed++
		}
	}
	d.Text, d.Cut = unified(a, b, edits, limit)
	return d
}

// lines splits a text behind each line feed.
func lines(text []byte) [][]byte {
	if len(text) == 0 {
		return nil
	}
	list := bytes.SplitAfter(text, []byte("\n"))
	if len(list[len(list)-1]) == 0 {
		list = list[:len(list)-1]
	}
	return list
}

// edit is one line that is added or removed; a and b are where the walk through both texts stands before it.
type edit struct {
	a, b int
	add  bool
}

// script returns the edits that make b of a, the fewest (Myers, "An O(ND) Difference Algorithm and Its Variations").
func script(a, b [][]byte) []edit {
	most := len(a) + len(b)
	if most == 0 {
		return nil
	}
	if len(a) == 0 || len(b) == 0 {
		return replace(a, b)
	}
	bound := min(most, maxDiffCost)
	v := make([]int, 2*bound+2)
	var trace [][]int
	for d := 0; d <= bound; d++ {
		trace = append(trace, append([]int(nil), v[bound-d:min(bound+d+2, len(v))]...))
		for k := -d; k <= d; k += 2 {
			x := 0
			if k == -d || k != d && v[bound+k-1] < v[bound+k+1] {
				x = v[bound+k+1]
			} else {
				x = v[bound+k-1] + 1
			}
			for x < len(a) && x-k < len(b) && x-k >= 0 && bytes.Equal(a[x], b[x-k]) {
				x++
			}
			v[bound+k] = x
			if x >= len(a) && x-k >= len(b) {
				return walkBack(trace, len(a), len(b))
			}
		}
	}
	return replace(a, b)
}

// replace removes all of a and adds all of b.
func replace(a, b [][]byte) []edit {
	edits := make([]edit, 0, len(a)+len(b))
	for i := range a {
		edits = append(edits, edit{i, 0, false})
	}
	for i := range b {
		edits = append(edits, edit{len(a), i, true})
	}
	return edits
}

// walkBack reads the edits from the furthest points that were kept of each round.
func walkBack(trace [][]int, x, y int) []edit {
	var back []edit
	for d := len(trace) - 1; d > 0; d-- {
		v := trace[d] // of the round before, from diagonal -d on
		at := func(k int) int {
			if i := k + d; i >= 0 && i < len(v) {
				return v[i]
			}
			return -1
		}
		k := x - y
		prev := k - 1
		if k == -d || k != d && at(k-1) < at(k+1) {
			prev = k + 1
		}
		px := at(prev)
		py := px - prev
		back = append(back, edit{px, py, prev == k+1})
		x, y = px, py
	}
	for i, j := 0, len(back)-1; i < j; i, j = i+1, j-1 {
		back[i], back[j] = back[j], back[i]
	}
	return back
}

// unified writes edits with the lines around them.
func unified(a, b [][]byte, edits []edit, limit int) (out []byte, cut bool) {
	for i := 0; i < len(edits) && !cut; {
		end := i + 1
		for end < len(edits) && edits[end].a-edits[end-1].a <= 2*diffContext+1 && edits[end].b-edits[end-1].b <= 2*diffContext+1 {
			end++
		}
		hunk := writeHunk(a, b, edits[i:end])
		if len(out)+len(hunk) > limit {
			room := limit - len(out)
			if at := bytes.LastIndexByte(hunk[:max(room, 0)], '\n'); at > 0 {
				out = append(out, hunk[:at+1]...)
			}
			return out, true
		}
		out = append(out, hunk...)
		i = end
	}
	return out, false
}

func writeHunk(a, b [][]byte, edits []edit) []byte {
	first, last := edits[0], edits[len(edits)-1]
	from := max(first.a-diffContext, 0)
	fromB := first.b - (first.a - from)
	to := last.a
	if !last.add {
		to++
	}
	to = min(to+diffContext, len(a))
	var body []byte
	put := func(mark byte, line []byte) {
		body = append(append(body, mark), line...)
		if len(line) == 0 || line[len(line)-1] != '\n' {
			body = append(body, "\n\\ No newline at end of file\n"...)
		}
	}
	added, removed, at := 0, 0, from
	for _, e := range edits {
		for ; at < e.a; at++ {
			put(' ', a[at])
		}
		if e.add {
			put('+', b[e.b])
			added++
		} else {
			put('-', a[e.a])
			at++
			removed++
		}
	}
	for ; at < to; at++ {
		put(' ', a[at])
	}
	n := to - from
	m := n - removed + added
	return append([]byte(fmt.Sprintf("@@ -%s +%s @@\n", span(from, n), span(fromB, m))), body...)
}

// span is a range of lines as unified diffs write it: of an empty one the line before it counts.
func span(from, n int) string {
	if n != 0 {
		from++
	}
	if n == 1 {
		return fmt.Sprint(from)
	}
	return fmt.Sprintf("%d,%d", from, n)
}
