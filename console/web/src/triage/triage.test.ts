import { beforeEach, describe, expect, it } from 'vitest';
import { Incidents } from '../live/incidents';
import { rowOf } from '../live/row';
import { incident } from '../live/testdata';
import { type Host, inverses, predict, type Step, Triage } from './triage';

const step = (action: Step['action'], argument = ''): Step => ({ action, argument });

// host applies steps to its own incidents, when it is let go; it refuses those in refuse.
function fakeHost(state: Map<string, ReturnType<typeof incident>>, refuse = new Set<string>()) {
  const calls: string[] = [];
  let gate = Promise.resolve();
  let updated = 10_000;
  const host: Host = async (ids, s, progress) => {
    await gate;
    calls.push(`${s.action}${s.argument && ` ${s.argument}`} ${ids.join()}`);
    let done = 0;
    for (const id of ids) {
      done++;
      if (refuse.has(id)) progress({ done, incidents: [], failures: [{ id, message: 'resolved already' }] });
      else {
        const changed = predict(s)(state.get(id)!);
        state.set(id, { ...changed, updatedAt: incident('', { updated: updated++ }).updatedAt! });
        progress({ done, incidents: [state.get(id)!], failures: [] });
      }
    }
  };
  const pause = () => {
    let go = () => {};
    gate = new Promise((resolve) => (go = resolve));
    return go;
  };
  return { host, calls, pause };
}

let incidents: Incidents;
let state: Map<string, ReturnType<typeof incident>>;

beforeEach(() => {
  incidents = new Incidents();
  state = new Map(['a', 'b', 'c'].map((id) => [id, incident(id)]));
  for (const i of state.values()) incidents.put(i);
});

const stateOf = (id: string) => incidents.rows.get(id)!.state;

describe('acting', () => {
  it('shows at once what the host will say', async () => {
    const { host, pause } = fakeHost(state);
    const go = pause();
    const triage = new Triage(incidents, host);
    const work = triage.act('Acknowledge', ['a'], [step('acknowledge')]);
    expect(stateOf('a')).toBe('acknowledged');
    incidents.put(incident('a', { updated: 2_000, count: 9n }));
    expect(incidents.rows.get('a')).toMatchObject({ state: 'acknowledged', count: 9 });
    go();
    await work;
    expect(stateOf('a')).toBe('acknowledged');
    expect(triage.running()).toEqual([]);
  });

  it('does several steps in order, and one thing after the other', async () => {
    const { host, calls } = fakeHost(state);
    const triage = new Triage(incidents, host);
    await Promise.all([
      triage.act('Escalate', ['a', 'b'], [step('severity', 'critical'), step('assign', 'bo')]),
      triage.act('Acknowledge', ['a'], [step('acknowledge')]),
    ]);
    expect(calls).toEqual(['severity critical a,b', 'assign bo a,b', 'acknowledge a']);
  });

  it('takes back what the host refuses, and says so', async () => {
    const { host } = fakeHost(state, new Set(['a']));
    const triage = new Triage(incidents, host);
    await expect(triage.act('Acknowledge', ['a'], [step('acknowledge')])).rejects.toThrow('resolved already');
    expect(stateOf('a')).toBe('open');
    expect(triage.last()).toBeUndefined();
  });

  it('of many tells progress and keeps the failures until they are read', async () => {
    const { host } = fakeHost(state, new Set(['b']));
    const triage = new Triage(incidents, host);
    const seen: string[] = [];
    triage.subscribe(() => seen.push(triage.running().map((j) => `${j.done}/${j.total} ${j.failures.length}`).join()));
    const failures = await triage.act('Acknowledge', ['a', 'b', 'c'], [step('acknowledge')]);
    expect(failures.map((f) => f.id)).toEqual(['b']);
    expect([...new Set(seen)]).toEqual(['0/3 0', '1/3 0', '2/3 1', '3/3 1']);
    expect(['a', 'b', 'c'].map(stateOf)).toEqual(['acknowledged', 'open', 'acknowledged']);
    const [job] = triage.running();
    expect(job).toMatchObject({ finished: true, failures: [{ id: 'b', title: 'incident b', message: 'resolved already' }] });
    triage.dismiss(job!.id);
    expect(triage.running()).toEqual([]);
  });

  it('goes on after a failure', async () => {
    const { host } = fakeHost(state, new Set(['a']));
    const triage = new Triage(incidents, host);
    triage.act('Acknowledge', ['a'], [step('acknowledge')]).catch(() => {});
    await triage.act('Acknowledge', ['b'], [step('acknowledge')]);
    expect(stateOf('b')).toBe('acknowledged');
  });
});

describe('undo', () => {
  it('leaves alone what had failed', async () => {
    const { host, calls } = fakeHost(state, new Set(['b']));
    const triage = new Triage(incidents, host);
    await triage.act('Acknowledge', ['a', 'b'], [step('acknowledge')]);
    await triage.undo();
    expect(calls).toEqual(['acknowledge a,b', 'reopen a']);
  });

  it('takes back the last thing first, even before the host has answered', async () => {
    const { host, calls, pause } = fakeHost(state);
    const go = pause();
    const triage = new Triage(incidents, host);
    void triage.act('Acknowledge', ['a'], [step('acknowledge')]);
    void triage.act('Close', ['b'], [step('resolve', 'benign')]);
    const undone = triage.undo();
    expect(stateOf('b')).toBe('open');
    expect(stateOf('a')).toBe('acknowledged');
    go();
    await undone;
    await triage.undo();
    await triage.undo();
    expect(calls).toEqual(['acknowledge a', 'resolve benign b', 'reopen b', 'reopen a']);
    expect(['a', 'b'].map(stateOf)).toEqual(['open', 'open']);
  });

  it('gives each incident back what it had', () => {
    const rows = [
      rowOf(incident('a')),
      rowOf(incident('b', { state: 'acknowledged', assignee: 'bo' })),
      rowOf(incident('c')),
      rowOf(incident('d', { state: 'resolved', verdict: 'benign' })),
    ];
    expect(inverses(rows, [step('resolve', 'duplicate')])).toEqual([
      { ids: ['a', 'c'], steps: [step('reopen')] },
      { ids: ['b'], steps: [step('reopen'), step('acknowledge')] },
      { ids: ['d'], steps: [step('resolve', 'benign')] },
    ]);
    expect(inverses(rows.slice(0, 2), [step('severity', 'critical'), step('assign', 'cy')])).toEqual([
      { ids: ['a'], steps: [step('assign'), step('severity', 'high')] },
      { ids: ['b'], steps: [step('assign', 'bo'), step('severity', 'high')] },
    ]);
    expect(inverses(rows, [step('comment', 'hm')])).toEqual([]);
  });
});
