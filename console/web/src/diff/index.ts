// What pages use to show what is different between two texts.

export { compare, type Hunk, linesOf, parse } from './diff';
export { DiffView } from './DiffView';
