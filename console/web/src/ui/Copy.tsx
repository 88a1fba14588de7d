import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { IconCheck, IconCopy } from '@tabler/icons-react';

// CopyButton puts text into the clipboard and says that it did. With a label it is a button, else an icon.
export function CopyButton({ text, label, what, tabIndex = 0 }: { text: string; label?: string; what: string; tabIndex?: 0 | -1 }) {
  const clipboard = useClipboard({ timeout: 1_500 });
  const icon = clipboard.copied ? <IconCheck size={14} /> : <IconCopy size={14} />;
  const copy = () => clipboard.copy(text);
  if (label) {
    return (
      <Button variant="default" leftSection={icon} onClick={copy}>
        {clipboard.copied ? 'Copied' : label}
      </Button>
    );
  }
  return (
    <Tooltip label={clipboard.copied ? 'Copied' : `Copy ${what}`}>
      <ActionIcon size="sm" tabIndex={tabIndex} aria-label={clipboard.copied ? 'Copied' : `Copy ${what}`} onClick={copy}>
        {icon}
      </ActionIcon>
    </Tooltip>
  );
}
