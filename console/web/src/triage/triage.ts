// What a person does to incidents: shown at once, sent in the order in which it was done, and taken back by undo.

import { clone } from '@bufbuild/protobuf';
import { ConnectError } from '@connectrpc/connect';
import { type Incident, IncidentSchema } from '../gen/vedette/v1/incident_pb';
import type { Incidents, Prediction } from '../live/incidents';
import type { Row } from '../live/row';

export interface Step {
  action: 'acknowledge' | 'reopen' | 'resolve' | 'assign' | 'comment' | 'severity' | 'merge';
  argument: string;
}

// Answer is a piece of the host's answer to many.
export interface Answer {
  done: number;
  incidents: Incident[];
  failures: { id: string; message: string }[];
}

// Host is how steps reach the host. It sends them in order and returns when all have been answered.
export type Host = (ids: readonly string[], step: Step, progress: (a: Answer) => void) => Promise<void>;

// Failure is an incident that was left as it was, and why.
export interface Failure {
  readonly id: string;
  readonly title: string;
  readonly message: string;
}

// Job is something done to incidents, many of them perhaps. done and total count incidents.
export interface Job {
  readonly id: number;
  readonly label: string;
  readonly done: number;
  readonly total: number;
  readonly failures: readonly Failure[];
  readonly finished: boolean;
}

// Done is something that can be taken back.
export interface Done {
  label: string;
  ids: readonly string[];
  undo: () => Promise<void>;
}

const mostUndo = 50;

export class Triage {
  private undone: Done[] = [];
  private queue: Promise<unknown> = Promise.resolve();
  private jobs: Job[] = [];
  private next = 1;
  private listeners = new Set<() => void>();

  constructor(
    private readonly incidents: Incidents,
    private readonly host: Host,
  ) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  // running returns the jobs that have not finished, and those of many incidents that have failures.
  running = (): readonly Job[] => this.jobs;

  dismiss(id: number): void {
    this.jobs = this.jobs.filter((j) => j.id !== id);
    this.tell();
  }

  // act does steps to incidents. What is shown changes at once; the promise ends when the host has answered, with what
  // failed of many, and fails with the host's refusal when it was about one incident.
  act(label: string, ids: readonly string[], steps: readonly Step[]): Promise<readonly Failure[]> {
    const before = ids.flatMap((id) => this.incidents.rows.get(id) ?? []);
    const work = this.run(label, ids, steps);
    let inverse = inverses(before, steps);
    if (inverse.length > 0) {
      const done: Done = { label, ids, undo: () => this.takeBack(label, inverse) };
      this.undone = [...this.undone.slice(1 - mostUndo), done];
      work.then(
        (failures) => (inverse = without(inverse, failures)),
        () => this.forget(done),
      );
    }
    return work;
  }

  // last returns what undo would take back.
  last = (): Done | undefined => this.undone.at(-1);

  // undo takes back the last thing that can be, or the given one.
  undo(done = this.undone.at(-1)): Promise<void> {
    if (!done || !this.undone.includes(done)) return Promise.resolve();
    this.forget(done);
    return done.undo();
  }

  private forget(done: Done): void {
    this.undone = this.undone.filter((d) => d !== done);
    this.tell();
  }

  private async takeBack(label: string, groups: Inverse[]): Promise<void> {
    await Promise.all(groups.map((g) => this.run(`Undo: ${label}`, g.ids, g.steps)));
  }

  private run(label: string, ids: readonly string[], steps: readonly Step[]): Promise<readonly Failure[]> {
    const predictions = steps.map((s) => ({ step: s, change: predict(s) }));
    for (const id of ids) for (const { change } of predictions) this.incidents.predict(id, change);
    this.incidents.publish();
    const job = { id: this.next++, label, done: 0, total: ids.length, failures: [], finished: false };
    this.jobs = [...this.jobs, job];
    this.tell();
    const work = this.queue.then(() => this.send(job, ids, predictions));
    this.queue = work.catch(() => {}); // whoever asked for it is told
    return work;
  }

  private async send(job: Job, ids: readonly string[], predictions: { step: Step; change: Prediction }[]): Promise<readonly Failure[]> {
    const failures = new Map<string, Failure>();
    let before = 0;
    try {
      for (const { step, change } of predictions) {
        await this.host(ids, step, (a) => {
          for (const i of a.incidents) this.incidents.settle(i.id, change, i);
          for (const f of a.failures) {
            failures.set(f.id, { ...f, title: this.incidents.rows.get(f.id)?.title ?? f.id });
            this.incidents.settle(f.id, change);
          }
          this.update(job.id, { done: Math.floor((before + a.done) / predictions.length), failures: [...failures.values()] });
        });
        before += ids.length;
      }
      const [first] = failures.values();
      if (ids.length === 1 && first) throw new ConnectError(first.message);
      return [...failures.values()];
    } finally {
      for (const id of ids) for (const { change } of predictions) this.incidents.settle(id, change);
      this.incidents.publish();
      if (failures.size > 0 && ids.length > 1) this.update(job.id, { finished: true });
      else this.dismiss(job.id);
    }
  }

  private update(id: number, change: Partial<Job>): void {
    this.jobs = this.jobs.map((j) => (j.id === id ? { ...j, ...change } : j));
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

// predict returns what a step will make of an incident.
export function predict(step: Step): Prediction {
  return (incident) => {
    const out = clone(IncidentSchema, incident);
    switch (step.action) {
      case 'acknowledge':
        out.state = 'acknowledged';
        break;
      case 'reopen':
        out.state = 'open';
        out.verdict = '';
        out.mergedInto = '';
        break;
      case 'resolve':
        out.state = 'resolved';
        out.verdict = step.argument;
        break;
      case 'merge':
        out.state = 'resolved';
        out.verdict = 'duplicate';
        out.mergedInto = step.argument;
        break;
      case 'assign':
        out.assignee = step.argument;
        break;
      case 'severity':
        out.severity = step.argument;
        break;
      case 'comment':
        break;
    }
    return out;
  };
}

interface Inverse {
  ids: string[];
  steps: Step[];
}

// inverses returns what takes steps back, grouped by what has to be done. Comments stay: they are part of the record.
export function inverses(before: readonly Row[], steps: readonly Step[]): Inverse[] {
  const groups = new Map<string, Inverse>();
  for (const row of before) {
    const back = steps.toReversed().flatMap((s) => inverse(row.incident, s));
    if (back.length === 0) continue;
    const key = JSON.stringify(back);
    const group = groups.get(key) ?? { ids: [], steps: back };
    group.ids.push(row.id);
    groups.set(key, group);
  }
  return [...groups.values()];
}

// without leaves out incidents that were not changed: there is nothing to take back.
function without(groups: readonly Inverse[], failures: readonly Failure[]): Inverse[] {
  const failed = new Set(failures.map((f) => f.id));
  return groups.map((g) => ({ ...g, ids: g.ids.filter((id) => !failed.has(id)) })).filter((g) => g.ids.length > 0);
}

function inverse(was: Incident, step: Step): Step[] {
  const toState: Record<string, Step[]> = {
    open: [{ action: 'reopen', argument: '' }],
    acknowledged: [{ action: 'reopen', argument: '' }, { action: 'acknowledge', argument: '' }],
    resolved: [{ action: 'resolve', argument: was.verdict }],
  };
  switch (step.action) {
    case 'acknowledge':
    case 'resolve':
    case 'merge':
      return toState[was.state] ?? [];
    case 'reopen':
      return was.state === 'acknowledged' ? [{ action: 'acknowledge', argument: '' }] : (toState[was.state] ?? []);
    case 'assign':
      return [{ action: 'assign', argument: was.assignee }];
    case 'severity':
      return [{ action: 'severity', argument: was.severity }];
    case 'comment':
      return [];
  }
}
