package module

// StateVersion returns the version in which a module that runs for the tenant keeps its state; false when none of that
// name runs.
func (v *View) StateVersion(name string) (uint32, bool) {
	if v.own != nil {
		for _, m := range v.own.modules {
			if m.Name() == name {
				return m.Manifest.StateVersion(), true
			}
		}
	}
	for _, m := range v.shared.modules {
		if m.Name() == name && !v.skip[name] {
			return m.Manifest.StateVersion(), true
		}
	}
	return 0, false
}

// Stateful reports whether the module's code asks for state: its batches come one after another, in log order.
func (l *Loaded) Stateful() bool { return l.Code != nil && l.Code.Stateful() }
