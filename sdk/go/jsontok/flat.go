package jsontok

// Flat walks over the values of an object with their dotted names, so that {"a":{"b":1}} and {"a.b":1} read the same:
//
//	var f jsontok.Flat // large: keep one
//	for f.Reset(b); f.Next(); {
//		f.Name, f.Kind, f.Value
//	}
//	f.Err()
//
// A list of scalars is given element by element, with List set. A list that holds containers is one value of kind
// Array, with its text. Nulls and empty containers are left out.
type Flat struct {
	Scanner
	Name []byte // dotted name, cut to MaxNameBytes; valid until the next Next
	Leaf []byte // the key that the value stands behind, as written; a part of the document
	List bool   // Value is an element of a list

	buf  [MaxNameBytes]byte
	ends [MaxDepth + 1]int // ends[d]: length of the name of the container around depth d
	list int               // depth of the elements of the list that the walk is in, 0 for none
	size int
}

// Reset begins a walk over b.
func (f *Flat) Reset(b []byte) {
	f.Scanner = New(b)
	f.Name, f.Leaf, f.List, f.list, f.size = nil, nil, false, 0, 0
	if !f.Scanner.Next() || f.Kind != Object {
		f.fail(ErrSyntax)
		return
	}
	f.ends[1] = 0
}

// Next goes to the next value; it is false at the end and where the document stops being a JSON object.
func (f *Flat) Next() bool {
	for f.Scanner.Next() {
		if f.Kind == End && f.list > f.depth {
			f.list = 0
		}
		if f.Kind == End || f.Kind == Null {
			continue
		}
		if f.List = f.list > 0; !f.List {
			f.name()
		}
		if f.Kind == Object {
			f.ends[f.Depth+1] = f.size
			continue
		}
		if f.Kind == Array && f.scalars() {
			f.list = f.Depth + 1
			continue
		}
		if !f.Skip() { // goes over a list of containers, and stays at anything else
			return false
		}
		f.Name = f.buf[:f.size]
		return true
	}
	return false
}

// name appends the member's key to the name of the object around it.
func (f *Flat) name() {
	n := f.ends[f.Depth]
	if n > 0 && n < len(f.buf) {
		f.buf[n] = '.'
		n++
	}
	if !f.KeyEscaped {
		n += copy(f.buf[n:], f.Key)
	} else if len(f.buf)-n >= len(f.Key) {
		n += len(Unescape(f.buf[n:n], f.Key))
	}
	f.Leaf, f.size = f.Key, n
}

// scalars says whether the list that the walk has just entered holds no containers.
func (f *Flat) scalars() bool {
	ahead := f.Scanner
	for ahead.Next() && ahead.depth >= f.depth {
		if ahead.Kind == Object || ahead.Kind == Array {
			return false
		}
	}
	return true
}
