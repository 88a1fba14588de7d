// What pages use to show events.

export { huesOf, matesOf, type Span } from './bytes';
export { EventFlyout } from './EventFlyout';
export { type Asked, EventMenu } from './EventMenu';
export { EventView } from './EventView';
export { condition, type Filter, listOf } from './fields';
export { searchAround, searchFor } from './links';
export { type Range, RawRecord } from './RawRecord';
export { hostOf, messageOf, sourceOf, userOf } from './words';
