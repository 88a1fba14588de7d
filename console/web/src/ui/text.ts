// Text that strangers wrote, made safe to look at and to export.

// Bidirectional controls and invisible characters can make text look like other text.
const invisible = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;

// The names of the control characters in ISO/IEC 646. The pictures that Unicode has of them are in few fonts.
const controls = 'NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US'.split(' ');

// symbol is how a control character is shown: ‹ESC›, ‹LF›, ‹U+202E› for what has no name.
export function symbol(character: string): string {
  const code = character.codePointAt(0)!;
  if (code < 0x20) return `‹${controls[code]}›`;
  if (code === 0x7f) return '‹DEL›';
  return `‹U+${code.toString(16).toUpperCase().padStart(4, '0')}›`;
}

export interface Piece {
  text: string;
  control: boolean;
}

// pieces splits text into runs of what can be shown as it is and symbols for what cannot. Line feeds and tabs stay what
// they are when lines is set.
export function pieces(text: string, lines = false): Piece[] {
  const out: Piece[] = [];
  let plain = '';
  for (const character of text) {
    if (!invisible.test(character) || (lines && (character === '\n' || character === '\t'))) {
      plain += character;
      continue;
    }
    if (plain) out.push({ text: plain, control: false });
    plain = '';
    out.push({ text: symbol(character), control: true });
  }
  if (plain) out.push({ text: plain, control: false });
  return out;
}

// visible is text on one line with its control characters as symbols.
export const visible = (text: string): string => (invisible.test(text) ? pieces(text).map((p) => p.text).join('') : text);

// csvCell is a cell that no spreadsheet takes for a formula.
export function csvCell(value: string): string {
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(safe) || safe !== value ? `"${safe.replaceAll('"', '""')}"` : safe;
}
