// What pages use of the catalogue: how a version keeps to the ABI, and what there is newer than what runs.

export { ConformanceBadge, ConformanceFacts } from './Conformance';
export { installing } from './packages';
export { useUpdates } from './useUpdates';
