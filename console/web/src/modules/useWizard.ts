// The state of the wizard: samples, what reads them, and what becomes of them.

import { useQuery } from '@connectrpc/connect-query';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { Trial } from '../admission';
import { modules } from '../api/clients';
import { isCancelled } from '../api/errors';
import { useOrganization } from '../app/organization';
import { useSession } from '../app/session';
import { ModuleService, type PreviewModuleResponse } from '../gen/vedette/v1/module_pb';
import { type Answer, useLatest } from '../ui/latest';
import { type About, aboutOf } from './package';
import { collect, nameOf, type Samples } from './samples';
import { type Update, updateOf } from './update';

// 150 ms after the last key is soon enough to feel like at once.
const typing = 150;

interface Question {
  tenant: number;
  samples: Uint8Array[];
  spec?: string;
  archive?: Uint8Array;
}

export interface Taken {
  readonly from: string;
  readonly records: readonly Uint8Array[];
}

export interface Package {
  readonly bytes: Uint8Array;
  readonly about: About;
}

export interface Wizard {
  pasted: string;
  paste: (text: string) => void;
  // Records out of the store, and where they are from.
  taken: Taken | undefined;
  take: (t: Taken | undefined) => void;
  samples: Samples;
  spec: string;
  write: (text: string) => void;
  // Somebody has written in the spec: it is not replaced unasked.
  touched: boolean;
  suggest: () => void;
  suggesting: boolean;
  candidate: Package | undefined;
  // Throws a sentence when the file is no package.
  upload: (bytes: Uint8Array | undefined) => void;
  preview: Answer<PreviewModuleResponse>;
  // What reads the samples today.
  today: Answer<PreviewModuleResponse>;
  permitted: boolean;
  // 0 for all organizations.
  tenant: number;
  choose: (tenant: number) => void;
  name: string;
  rename: (name: string) => void;
  // "publisher/name".
  module: string;
  update: Update;
  // What would run; undefined while there is nothing.
  trial: Trial | undefined;
}

const run = ({ tenant, samples, spec, archive }: Question, signal: AbortSignal) =>
  modules.previewModule(
    {
      tenant,
      samples,
      candidate: archive ? { case: 'package', value: archive } : spec !== undefined ? { case: 'spec', value: spec } : { case: undefined },
    },
    { signal },
  );

// whose is the organization that is chosen at first, 0 for all; undefined for the one that is worked in.
export function useWizard(sample: string, whose?: number): Wizard {
  const { all, selected } = useOrganization();
  const [pasted, paste] = useState(sample);
  const [taken, take] = useState<Taken>();
  const [spec, setSpec] = useState('');
  const [touched, setTouched] = useState(false);
  const [candidate, setCandidate] = useState<Package>();
  const [chosen, choose] = useState(whose);
  const [named, rename] = useState<string>();
  const tenant = chosen ?? selected?.id ?? all[0]?.id ?? 0;
  // A preview is always somebody's: what all are to get is tried as the first organization.
  const tried = tenant || selected?.id || all[0]?.id || 0;
  const samples = useMemo(() => collect(taken?.records ?? [], pasted), [taken, pasted]);

  const [ask, preview] = useLatest(run, typing);
  const [askToday, today] = useLatest(run, typing);
  // Running and suggesting parsers is for those who may install them.
  const permitted = useSession().can('modules.change');
  const none = samples.records.length === 0 || tried === 0;
  useEffect(() => {
    const question = { tenant: tried, samples: [...samples.records] };
    const written = candidate ? candidate.about.kind === 'parser' && { archive: candidate.bytes } : spec.trim() ? { spec } : undefined;
    ask.put(none || !written || !permitted ? undefined : { ...question, ...written });
  }, [ask, none, permitted, tried, samples, spec, candidate]);
  useEffect(() => {
    askToday.put(none ? undefined : { tenant: tried, samples: [...samples.records] });
  }, [askToday, none, tried, samples]);

  const name = named ?? (spec ? nameOf(spec) : '');
  const module = candidate ? `${candidate.about.publisher}/${candidate.about.name}` : `local/${name}`;
  const { data: installed } = useQuery(ModuleService.method.listModules, { tenants: tenant ? [tenant] : [] });
  const update = useMemo(() => updateOf(installed?.modules ?? [], module, tenant, candidate?.about.capabilities ?? []), [installed, module, tenant, candidate]);
  const trial = useMemo((): Trial | undefined => {
    if (candidate) return { tenant, name: '', candidate: { case: 'package', value: candidate.bytes }, grants: candidate.about.capabilities.map((c) => c.id) };
    return spec.trim() && name ? { tenant, name, candidate: { case: 'spec', value: spec }, grants: [] } : undefined;
  }, [candidate, spec, name, tenant]);

  const [suggester, suggestion] = useLatest((records: readonly Uint8Array[], signal) => modules.suggestSpec({ samples: [...records] }, { signal }), 0);
  const suggest = useCallback(() => suggester.put(samples.records.length > 0 ? samples.records : undefined), [suggester, samples]);
  // The first samples bring a suggestion with them, and so do others until somebody has written in it.
  useEffect(() => {
    if (!touched && !candidate && permitted) suggest();
  }, [suggest, touched, candidate, permitted]);
  const suggested = useRef<string>(undefined);
  const text = suggestion.value?.spec;
  useEffect(() => {
    if (suggestion.busy || text === undefined) return;
    suggested.current = text;
    setSpec(text);
    setTouched(false);
  }, [suggestion, text]);

  const write = useCallback(
    (t: string) => {
      suggester.put(undefined); // one on its way comes too late
      setSpec(t);
      setTouched(t !== suggested.current);
    },
    [suggester],
  );
  const upload = useCallback((bytes: Uint8Array | undefined) => setCandidate(bytes && { bytes, about: aboutOf(bytes) }), []);
  return {
    pasted, paste, taken, take, samples, spec, write, touched, suggest, suggesting: suggestion.busy, candidate, upload,
    preview: isCancelled(preview.error) ? { ...preview, error: undefined } : preview, today, permitted, tenant, choose,
    name, rename, module, update, trial,
  }; // prettier-ignore
}
