// What the registry, the sandbox and the installation say, in words.

const abilities: Record<string, string> = {
  vedette_http_v1: 'requests to granted HTTP targets',
  vedette_kv_v1: 'a small store of its own',
  vedette_timer_v1: 'timers that wake it',
  vedette_lookup_v1: 'lookup tables',
  vedette_secret_v1: 'granted secrets',
  vedette_log_v1: 'lines in its log',
};

// capabilityWords says what a module may do beside reading what it is given.
export function capabilityWords(capabilities: readonly string[]): string {
  return capabilities.map((c) => abilities[c] ?? c).join(', ');
}

const codes: [RegExp, string][] = [
  [/^E_FUEL$/, 'out of fuel'],
  [/^E_STACK$/, 'calls nested too deeply'],
  [/^E_MEMORY$/, 'out of memory'],
  [/^E_OUTPUT_LIMIT$/, 'its answer is too large'],
  [/^E_TRAP$/, 'it crashed'],
  [/^E_ABI$/, 'it broke the contract'],
  [/^E_IMPORT$/, 'it asked for more than it may'],
  [/^E_OPCODE$/, 'it uses a refused instruction'],
  [/^E_MODULE$/, 'it is malformed'],
  [/^E_SETTINGS$/, 'it refused its settings'],
  [/^E_LIMIT/, 'it exceeds a limit'],
  [/^E_DEADLINE$/, 'the machine stalled'],
];

// codeWords says what a stable error code means; the code itself when it is not known.
export const codeWords = (code: string): string => codes.find(([pattern]) => pattern.test(code))?.[1] ?? code;

// headOf is the first line of a detail as a sentence begins: what follows it is a stack.
export const headOf = (detail: string): string => detail.charAt(0).toUpperCase() + detail.split('\n', 1)[0]!.slice(1);

export const shortDigest = (digest: string): string => digest.replace(/^sha256:/, '').slice(0, 10);

const units: [number, string][] = [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']]; // prettier-ignore

// amount shows fuel and other large counts with three digits: "4.14 M".
export function amount(n: number): string {
  for (const [size, letter] of units) {
    if (n >= size) return `${(n / size).toPrecision(3)} ${letter}`;
  }
  return String(Math.round(n));
}

// shortTime shows milliseconds of which a call has few.
export const shortTime = (ms: number): string => (ms < 0.1 ? '<0.1 ms' : ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`);

export const steps = ['Verify', 'Static checks', 'Compile', 'Tests', 'Active'] as const;

const places: [RegExp, number][] = [
  [/refused at the (package|publisher|signature|settings|request for approval)/, 0],
  [/refused at (the static checks|what runs already)/, 1],
  [/refused at its (own tests|saved cases)/, 3],
  [/refused at the (registry|activation)/, 4],
];

// failedStep is the index of the step at which an installation was refused, by the host's own words.
export const failedStep = (text: string): number => places.find(([pattern]) => pattern.test(text))?.[1] ?? 0;
