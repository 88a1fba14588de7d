// The editor for declarative parsers.

import type { Ref } from 'react';
import Text, { type EditorHandle } from '../editor/Editor';
import type { Problem } from '../gen/vedette/v1/module_pb';
import { holes } from './holes';

interface Props {
  value: string;
  onChange: (text: string) => void;
  problems: readonly Problem[];
  handle?: Ref<EditorHandle>;
}

export default function Editor({ handle, ...props }: Props) {
  return <Text label="Declarative parser, YAML" extensions={holes} {...props} {...(handle ? { handle } : {})} />;
}
