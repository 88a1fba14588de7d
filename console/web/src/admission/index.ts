// What pages use of what decides about modules before they run.

export { type Trial, verdict } from './backtest';
export { Comparing } from './Comparing';
export { type Comparison, useBacktest } from './useBacktest';
