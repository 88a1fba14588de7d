// How fast each source has sent of late, as this page has seen it: the host tells the rate of now, and what was a minute
// ago is remembered here.

const kept = 60; // values of each source

export class Rates {
  private byKey = new Map<string, number[]>();

  // note adds the rates of now. A source that is gone is forgotten.
  note(now: ReadonlyMap<string, number>): void {
    for (const key of this.byKey.keys()) if (!now.has(key)) this.byKey.delete(key);
    for (const [key, value] of now) {
      const values = this.byKey.get(key) ?? [];
      this.byKey.set(key, [...values.slice(-(kept - 1)), value]);
    }
  }

  // of returns the rates of a source, oldest first.
  of(key: string): readonly number[] {
    return this.byKey.get(key) ?? [];
  }
}
