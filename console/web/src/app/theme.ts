// Mantine in the console's own clothes: its variables point at tokens.css.

import { type CSSVariablesResolver, createTheme, defaultVariantColorsResolver, type MantineColorsTuple, type VariantColorsResolver } from '@mantine/core';

const watch: MantineColorsTuple = [
  '#e6f6f3', '#cdebe5', '#a5dbd1', '#7fcdbf', '#5cc2b0', '#44ad9b', '#2c9483', '#0b6f61', '#075b50', '#04463d',
];

const ink: MantineColorsTuple = [
  '#e4e9ed', '#a3afba', '#8a97a3', '#5b6977', '#3b4855', '#232c35', '#1b222a', '#141a20', '#0e1216', '#090c0f',
];

// Buttons and menu items take the tokens, whose contrast is known, instead of shades that Mantine computes.
const variantColorResolver: VariantColorsResolver = (input) => {
  const usual = defaultVariantColorsResolver(input);
  const bad = input.color === 'red';
  if (!bad && input.color !== undefined && input.color !== 'watch') return usual;
  const mix = (color: string, other: string) => `color-mix(in srgb, ${color} 88%, ${other})`;
  if (input.variant === 'filled') {
    const background = bad ? 'var(--sev-critical-bg)' : 'var(--accent)';
    return { ...usual, background, hover: mix(background, 'var(--text)'), color: bad ? 'var(--sev-critical-ink)' : 'var(--accent-ink)' };
  }
  if (input.variant === 'light') {
    const background = bad ? 'var(--bad-soft)' : 'var(--accent-soft)';
    return { ...usual, background, hover: mix(background, 'var(--text)'), color: bad ? 'var(--bad)' : 'var(--accent)' };
  }
  return usual;
};

export const theme = createTheme({
  variantColorResolver,
  primaryColor: 'watch',
  primaryShade: { light: 7, dark: 4 },
  colors: { watch, dark: ink },
  autoContrast: true,
  black: '#17202a',
  fontFamily: 'var(--font)',
  fontFamilyMonospace: 'var(--mono)',
  headings: { fontFamily: 'var(--font)', fontWeight: '600' },
  fontSizes: { xs: '11px', sm: '12px', md: '13px', lg: '15px', xl: '20px' },
  defaultRadius: 'sm',
  radius: { xs: '3px', sm: '4px', md: '6px', lg: '8px', xl: '12px' },
  spacing: { xs: '4px', sm: '8px', md: '12px', lg: '16px', xl: '24px' },
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray', size: 'md' } },
    Button: { defaultProps: { size: 'xs' } },
    Checkbox: { defaultProps: { size: 'xs' } },
    Input: { defaultProps: { size: 'xs' } },
    InputWrapper: { defaultProps: { size: 'xs' } },
    InputLabel: { defaultProps: { size: 'sm' } },
    TextInput: { defaultProps: { size: 'xs' } },
    Textarea: { defaultProps: { size: 'xs' } },
    PasswordInput: { defaultProps: { size: 'xs', visibilityToggleButtonProps: { 'aria-label': 'Show the password', tabIndex: 0 } } },
    NumberInput: { defaultProps: { size: 'xs' } },
    Select: { defaultProps: { size: 'xs', checkIconPosition: 'right' } },
    Autocomplete: { defaultProps: { size: 'xs' } },
    MultiSelect: { defaultProps: { size: 'xs' } },
    SegmentedControl: { defaultProps: { size: 'xs' } },
    Switch: { defaultProps: { size: 'xs' } },
    Menu: { defaultProps: { withInitialFocusPlaceholder: false, shadow: 'md', position: 'bottom-end', withinPortal: true } },
    Notification: { defaultProps: { closeButtonProps: { 'aria-label': 'Dismiss' } } },
    Drawer: { defaultProps: { closeButtonProps: { 'aria-label': 'Close' } } },
    Modal: { defaultProps: { closeButtonProps: { 'aria-label': 'Close' }, centered: true, overlayProps: { backgroundOpacity: 0.5 }, transitionProps: { duration: 120 } } },
    Tooltip: { defaultProps: { openDelay: 400, withArrow: true, fz: 'xs' } },
  },
});

const shared = {
  '--mantine-primary-color-filled': 'var(--accent)',
  '--mantine-primary-color-contrast': 'var(--accent-ink)',
  '--mantine-color-body': 'var(--bg)',
  '--mantine-color-text': 'var(--text)',
  '--mantine-color-dimmed': 'var(--dim)',
  '--mantine-color-placeholder': 'var(--faint)',
  '--mantine-color-anchor': 'var(--accent)',
  '--mantine-color-default': 'var(--panel)',
  '--mantine-color-default-hover': 'var(--hover)',
  '--mantine-color-default-color': 'var(--text)',
  '--mantine-color-default-border': 'var(--line-strong)',
  '--mantine-color-error': 'var(--bad)',
  '--mantine-color-red-6': 'var(--bad)',
  '--mantine-color-red-light-hover': 'var(--bad-soft)',
};

export const variables: CSSVariablesResolver = () => ({ variables: {}, dark: shared, light: shared });
