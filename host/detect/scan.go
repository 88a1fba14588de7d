package detect

// test is a test of one field, shared by all rules that make it.
type test struct {
	lazy    pred     // decides what the scan does not; nil: the scan decides
	guards  []uint32 // subs that are to be looked at when the scan marks it
	hash    uint64   // of what it says, in every set
	scanned bool     // the scan marks it whenever it may hold
}

// fieldIndex finds which tests the value of a field passes.
type fieldIndex struct {
	exact map[string][]mark // by the whole folded value
	texts *automaton
	marks [][]mark // by the automaton's texts
}

// mark says that a text was found which a test looks for.
type mark struct {
	test    uint32
	at      where
	decides bool // the test holds; otherwise it may
}

const (
	minScanned = 3 // bytes; shorter texts stand everywhere, and are looked for where somebody asks
	unguarded  = 2 // share of events that stands for all of them
)

// smallFields have few values, each of which many events share.
var smallFields = map[string]bool{
	"event.code": true, "event.action": true, "event.provider": true, "event.dataset": true, "event.module": true, "event.outcome": true,
	"event.category": true, "event.type": true, "event.kind": true, "EventID": true, "Channel": true, "Provider_Name": true, "EventType": true,
}

// Shares are how many of the events that were looked at marked each test: what guards are chosen by. Its zero value knows
// nothing.
type Shares struct {
	events float64
	marked map[uint64]float64
}

const priorEvents = 50 // a guess counts as much as so many events

// of returns the share of a test, whose guess is an event's chance to mark it.
func (s Shares) of(hash uint64, guess float64) float64 {
	return (s.marked[hash] + guess*priorEvents) / (s.events + priorEvents)
}

// Shares returns what the events since the last call marked, of the set that was used last; View's own rules are left out.
func (sc *Scratch) Shares() Shares {
	m := &sc.global
	out := Shares{events: float64(m.events), marked: map[uint64]float64{}}
	for i, n := range m.marked {
		if n > 0 {
			out.marked[m.set.tests[i].hash] = float64(n)
		}
	}
	clear(m.marked)
	m.events, m.looked = 0, 0
	return out
}

// Looked returns how many sub-patterns were looked at for an event, in the mean since the last call of Shares.
func (sc *Scratch) Looked() float64 {
	return float64(sc.global.looked) / float64(max(1, sc.global.events))
}

// share is a guess at how many events have a text at a place of a field, before anything was measured.
func share(field, text string, at where) float64 {
	switch {
	case at == whole && smallFields[field]:
		return 0.2
	case at == whole:
		return 0.01
	case len(text) < 6:
		return 0.1
	case len(text) < 12:
		return 0.02
	}
	return 0.005
}

// scan marks the tests that the fields of the event at hand pass, and wakes the subs that they guard.
func (m *memory) scan() {
	all := len(m.set.slots)
	for _, slot := range m.set.scanned {
		switch {
		case int(slot) == all:
			m.scanTexts(&m.set.fields[slot], m.anywhere(false))
		case m.slots[slot].stamp == m.stamp:
			m.scanTexts(&m.set.fields[slot], m.texts(slot, false))
		}
	}
}

func (m *memory) scanTexts(f *fieldIndex, texts []string) {
	for _, text := range texts {
		marks := f.exact[text]
		for i := range marks {
			m.mark(&marks[i])
		}
		if f.texts != nil {
			m.find(f, text)
		}
	}
}

// find marks what the texts of a field's value say.
func (m *memory) find(f *fieldIndex, text string) {
	f.texts.scan(text, func(n int32, end int) {
		marks := f.marks[n]
		for i := range marks {
			x := &marks[i]
			if x.at == prefix && end != len(f.texts.texts[n]) || x.at == suffix && end != len(text) {
				continue
			}
			m.mark(x)
		}
	})
}

func (m *memory) mark(x *mark) {
	known := &m.truth[x.test]
	if *known>>2 != m.stamp {
		*known = m.stamp << 2
		m.marked[x.test]++
		for _, n := range m.set.tests[x.test].guards {
			m.words[n/64] |= 1 << (n % 64)
		}
	}
	if x.decides {
		*known |= isTrue
	}
}
