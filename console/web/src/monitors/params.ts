// What the address of the page of monitors carries.
export const defaults = { show: 'watches', text: '', sort: 'state', at: '', only: '' };
