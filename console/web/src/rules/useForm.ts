// The form of a pattern document. Text and form are two views of one document: what is changed in the form is written into
// the text, and the text is read anew each time that the form is opened.

import { useEffect, useRef, useState } from 'react';
import { rules } from '../api/clients';
import { failed } from '../ui/notice';
import { clean, type FormValue, readForm } from './form';

export interface FormState {
  // Undefined while the text is shown.
  value: FormValue | undefined;
  show: (open: boolean) => void;
  change: (value: FormValue) => void;
  // Why there is no form; empty when there is one.
  why: string;
}

const typing = 250; // ms

export function useForm(text: string, write: (text: string) => void): FormState {
  const [value, setValue] = useState<FormValue>();
  const unsent = useRef(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const why = /^(detection|correlation|filter)\s*:/m.test(text) ? 'Sigma is edited as text.' : '';
  const send = (form: FormValue) => {
    unsent.current = false;
    return rules.formRule({ from: { case: 'form', value: JSON.stringify(clean(form)) } }).then(
      (r) => {
        // What is half written is no document yet: the text stays as it was.
        if (r.problems.length === 0) write(r.text);
      },
      (e: unknown) => failed('Write the document', e),
    );
  };
  const show = (open: boolean) => {
    if (!open) {
      clearTimeout(timer.current);
      if (value && unsent.current) void send(value);
      setValue(undefined);
      return;
    }
    rules.formRule({ from: { case: 'text', value: text } }).then(
      (r) => {
        const problem = r.problems[0];
        if (problem) failed('Show it as a form', new Error(`${problem.line > 0 ? `line ${problem.line}: ` : ''}${problem.text}`));
        else setValue(readForm(r.form));
      },
      (e: unknown) => failed('Show it as a form', e),
    );
  };
  const change = (next: FormValue) => {
    setValue(next);
    unsent.current = true;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => void send(next), typing);
  };
  return { value, show, change, why };
}
