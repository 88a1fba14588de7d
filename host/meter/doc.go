// Package meter rewrites a Wasm module before it is compiled so that no guest can run longer, deeper or larger than the fuel it
// was given: the engine below never has to interrupt native code, because the code interrupts itself.
//
// # What is inserted
//
//   - A mutable i64 global, exported as [FuelExport]. Every run of instructions subtracts its cost (cost.go) when it is entered, before any
//     of it runs; bulk memory operations subtract by length, memory.grow by pages. A run is a basic block, with what follows a conditional
//     branch forward as long as that costs 16 at most: who takes the branch has paid for up to 16 units that do not run.
//   - A check, "if fuel < 0 call tick", after the charge of a function's first block, at every loop header, before every bulk
//     operation and memory.grow, wherever a path without such a check would grow longer than 1,024 units of fuel, and at the end of a
//     function that calls others and still owes more than 16. Checking in every block costs twice as much and gains nothing.
//   - A mutable i32 global, exported as [DepthExport]: the weight of the functions on the call stack. A function that calls others adds
//     its weight (1, and more for many locals or a long body: it stands for bytes of native stack) on entry and takes it off on
//     every way out.
//   - An export [GlobalExportPrefix]N for each mutable global of the guest, so that the host can save and restore all state: memory and
//     these globals are everything that a guest can change, since table mutation and data.drop are refused.
//   - A function import, [TickModule] and [TickName], of type () -> (), behind the guest's own imports.
//
// # What the host does
//
// Fuel starts at 0, so that the start function already ticks. In tick, read the fuel global and split it with [Spent]:
//
//	left, deep := meter.Spent(int64(fuel.Get()))
//	switch {
//	case deep:                          // the call stack is exhausted: panic with E_STACK
//	case budget+left < 0:               // panic with E_FUEL
//	default:                            // add a slice of the budget; tick must leave fuel at 0 or above
//	}
//
// Between two ticks the guest runs native code that nothing can preempt, so the slice is also the longest time a garbage collection
// waits; within tick the host may yield. tick must either leave fuel at zero or above or panic. After a panic fuel, depth, memory and globals
// are undefined: restore them all; depth at rest is 0. Fuel consumed is the sum of what was added less what is left. It is a function of
// module, input and Version alone, whatever the slices.
//
// # Bounds
//
// Work that runs after the fuel went below zero and before a tick: at most 2 x 1,024 units and 16 units per frame on the stack,
// hence 162,000 units (some 20 microseconds) at the default CallDepth. A bulk operation and memory.grow run only when they have been paid for
// in full, so their longest uninterruptible run is one pass over the memory: 8,192 units (up to 1 microsecond) per page. What a bulk
// operation is charged and does not get to do is the only way for the fuel consumed to pass the budget by more than this.
//
// The engine's own stack (50 MB in wazero) is not reached first by code as compilers write it; a function made to spill far more than its
// locals and length suggest meets that ceiling, which wazero reports as a stack overflow: treat that as E_STACK too.
//
// Compiling is not metered. wazero's time grows with the square of a function's branches, which Limits.Branches and CompileWork bound.
//
// If the guest traps, the fuel is what it was at the last check or call: still the same for every slice, at most 1,024 units too high.
//
// # Fail closed
//
// Everything is decoded and encoded again from its decoded form, so the engine reads exactly what was checked here; an unknown opcode,
// section or flag is refused, every index is checked (a guest index must not reach what is inserted), counts are bounded before allocation.
// Types are left to the engine's validation: what is inserted is neutral to the operand stack.
package meter
