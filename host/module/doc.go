// Package module knows which modules run for whom: control records change it, and it builds what the pipeline runs.
//
// Three values follow from each other. Running says what runs, as control records have left it; it is data, and part of
// every checkpoint. Library turns the versions that it names into Loaded ones. Generation is both together, ready to
// route records and match events. All three are immutable once made: a batch holds the Generation of its position.
package module
