package rule

import "slices"

// Modifiers returns the modifiers of a field in a selection, in the order in which they are explained.
func Modifiers() []string { return slices.Clone(modifierNames) }
