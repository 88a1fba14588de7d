// The frames of /live and the calls that the page makes, as protobuf JSON: sdk/proto/vedette/v1/live.proto and
// incident.proto. JSON leaves out what is empty, and writes 64-bit numbers as strings.

export type Severity = 'informational' | 'low' | 'medium' | 'high' | 'critical';
export type State = 'open' | 'acknowledged' | 'resolved';

export interface Incident {
  id: string;
  tenant: number;
  rule?: string;
  ruleName?: string;
  key?: Record<string, string>;
  title?: string;
  severity?: Severity;
  state?: State;
  verdict?: string;
  assignee?: string;
  count?: string;
  firstSeen?: string;
  lastSeen?: string;
  openedAt?: string;
  updatedAt?: string;
}

export interface Changes {
  tenant: number;
  incidents?: Incident[];
  cursor?: string;
  snapshot?: boolean;
  gap?: boolean;
  missed?: string;
  more?: boolean;
}

export interface LiveHealth {
  eventsPerSecond?: number;
  dropped?: string;
}

export interface LiveFrame {
  changes?: Changes;
  health?: LiveHealth;
  error?: { message?: string };
}

export interface LiveRequest {
  subscribe?: { topic: 'incidents' | 'health'; after?: Record<string, string> };
  credit?: { frames: number };
}

export interface User {
  name: string;
  role: string;
  tenants?: number[];
}

export interface Tenant {
  id: number;
  slug: string;
  name: string;
}
