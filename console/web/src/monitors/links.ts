// Where the difference of a text is shown.

export interface Which {
  readonly tenant: number;
  readonly device: string;
  readonly name: string;
  // Digest of the newer text; without it the newest.
  readonly to?: string;
  // Digest of the older one, "blessed", or "@NAME" for the newest of another text; without it the version before.
  readonly from?: string;
}

export const differenceOf = ({ tenant, device, name, to, from }: Which) =>
  ({ to: '/configurations/difference', search: { of: String(tenant), device, name, ...(to ? { to } : {}), ...(from ? { from } : {}) } as never }) as const;
