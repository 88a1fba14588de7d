// Package module knows which modules run for whom: control records change it, and it builds what the pipeline runs.
package module
