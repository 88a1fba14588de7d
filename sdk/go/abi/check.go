package abi

// Names says which field names a reader knows: well-known numbers up to WellKnown, and the manifest's first Local.
type Names struct{ WellKnown, Local int }

func (n Names) has(name Name) bool {
	switch {
	case name == NameInArena:
		return true
	case name >= FirstLocal:
		return int(name-FirstLocal) < n.Local
	}
	return name != 0 && int(name) <= n.WellKnown
}

// Check reads all of an event batch that answers recs[first:first+e.Records] and holds it to every rule of ABI 5 and 9,
// so that whoever reads it after that meets no error. The error is a *DecodeError, and then nothing of the batch counts.
func (e *Events) Check(recs *Records, first int, names Names) error {
	pos, total, last := 0, 0, -1
	perRecord := 0
	for range e.Count {
		v, next, err := e.Next(pos, uint32(max(last, 0)))
		if err != nil {
			return err
		}
		pos = next
		if int(v.Record) != last {
			if err := e.eventless(last+1, int(v.Record)); err != nil {
				return err
			}
			last, perRecord = int(v.Record), 0
			if o, _, err := e.Outcome(last); err != nil || o != OK {
				return orBroken(err, "5.3", "an event of a record whose outcome is not ok")
			}
		}
		if perRecord++; perRecord > MaxEventsPerRecord {
			return broken("5.3", "too many events of one record")
		}
		rec, ok := recs.Record(first + last)
		if !ok {
			return broken("4.2", "a record lies outside its batch")
		}
		text, err := e.checkFields(&v, rec.Raw, names)
		if err != nil {
			return err
		}
		if total += text; total > MaxBatchTextBytes {
			return broken("9.2", "the texts of the batch are too long together")
		}
	}
	if pos != len(e.body) {
		return broken("5.3", "the body is longer than its events")
	}
	return e.eventless(last+1, e.Records)
}

// eventless checks the outcomes of records that have no event: clause 5.2 allows all but ok.
func (e *Events) eventless(from, to int) error {
	for i := from; i < to; i++ {
		if o, _, err := e.Outcome(i); err != nil || o == OK {
			return orBroken(err, "5.2", "a record whose outcome is ok has no event")
		}
	}
	return nil
}

func orBroken(err error, clause, what string) error {
	if err != nil {
		return err
	}
	return broken(clause, what)
}

func (e *Events) checkFields(v *Event, raw []byte, names Names) (text int, err error) {
	record, arena := uint64(len(raw)), uint64(len(e.arena))
	for b := v.fields; len(b) >= FieldSize; b = b[FieldSize:] {
		head, value, span := le.Uint64(b), le.Uint64(b[8:]), le.Uint64(b[16:])
		// Nearly all fields are texts: decide those here, the others with Field.
		t, end := Type(head>>16), record
		if t == InArena {
			end = arena
		}
		if (t == InRecord || t == InArena) && uint64(uint32(value))+value>>32 <= end && value>>32 <= MaxValueBytes &&
			uint8(head>>24)&^FlagList == 0 && (uint32(span) == None || uint64(uint32(span))+span>>32 <= record) {
			name, at := Name(head), head>>32
			if name != 0 && int(name) <= names.WellKnown && name < FirstLocal {
				text += int(value >> 32)
				continue
			}
			if name == NameInArena && at < arena {
				if n := uint64(e.arena[at]); n != 0 && n <= MaxNameBytes && at+1+n <= arena {
					text += int(value>>32 + n)
					continue
				}
			}
		}
		f, err := e.Field(v, v.Len()-len(b)/FieldSize, raw)
		if err != nil {
			return 0, err
		}
		if !names.has(f.Name) {
			return 0, broken("5.4", "a field's name has an unknown number")
		}
		text += len(f.Bytes) + len(f.Dynamic)
	}
	if text > MaxEventBytes {
		return 0, broken("9.2", "the texts of an event are too long together")
	}
	return text, nil
}
