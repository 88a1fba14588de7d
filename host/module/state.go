package module

// Module returns the module of a name that runs for the tenant, nil when none does.
func (v *View) Module(name string) *Loaded {
	if v.own != nil {
		for _, m := range v.own.modules {
			if m.Name() == name {
				return m
			}
		}
	}
	if v.skip[name] {
		return nil
	}
	for _, m := range v.shared.modules {
		if m.Name() == name {
			return m
		}
	}
	return nil
}

// Stateful reports whether the module's code asks for state: its batches come one after another, in log order.
func (l *Loaded) Stateful() bool { return l.Code != nil && l.Code.Stateful() }
