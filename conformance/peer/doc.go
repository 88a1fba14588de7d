// Package peer measures the sandbox beside another one, and beside itself without its meter. It is a module of its own:
// what it measures against is no dependency of Vedette.
package peer
