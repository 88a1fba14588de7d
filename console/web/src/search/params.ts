// What the address of the search page carries: a search can be sent to somebody else as a link.

export const searchParams = {
  q: '',
  range: '1h', // how far back; without meaning when from is set
  from: '', // RFC 3339, inclusive
  to: '', // RFC 3339, exclusive; empty: up to this moment
  zone: '', // "UTC", or a name such as "Europe/Vienna"; empty for the browser's own
  view: 'table',
  cols: [] as string[], // none for those that are usual
  by: '', // field that splits the histogram
  live: false,
  event: '', // shown beside the list
};
export type SearchParams = typeof searchParams;

export const examples = [
  { text: 'event.outcome:="failure" source.ip:*', what: 'Failed logins and who tried them' },
  { text: 'event.dataset:="fortinet_fortigate.log" event.action:="deny"', what: 'What the firewall refused' },
  { text: '* | stats by (event.dataset) count() events | sort by (events) desc', what: 'Which logs there are, as a table and a chart' },
] as const;
