package state

// Native is what packages keys and window work with when a module runs natively, in tests: sdk.RunRule makes each batch a
// session of it, as a host does. Nil: every call answers Limit.
var Native *Space
