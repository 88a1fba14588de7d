// Which country a log means: by ISO 3166-1 alpha-2, or by the many names that logs have for it.

// ISO 3166-1: alpha-2 and the numeric code by which the map knows the country.
const codes =
  'AE784 AF004 AL008 AM051 AO024 AQ010 AR032 AT040 AU036 AZ031 BA070 BD050 BE056 BF854 BG100 BI108 BJ204 BN096 BO068 BR076 BS044 BT064 BW072 BY112 BZ084 ' +
  'CA124 CD180 CF140 CG178 CH756 CI384 CL152 CM120 CN156 CO170 CR188 CU192 CY196 CZ203 DE276 DJ262 DK208 DO214 DZ012 EC218 EE233 EG818 EH732 ER232 ES724 ' +
  'ET231 FI246 FJ242 FK238 FR250 GA266 GB826 GE268 GH288 GL304 GM270 GN324 GQ226 GR300 GT320 GW624 GY328 HN340 HR191 HT332 HU348 ID360 IE372 IL376 IN356 ' +
  'IQ368 IR364 IS352 IT380 JM388 JO400 JP392 KE404 KG417 KH116 KP408 KR410 KW414 KZ398 LA418 LB422 LK144 LR430 LS426 LT440 LU442 LV428 LY434 MA504 MD498 ' +
  'ME499 MG450 MK807 ML466 MM104 MN496 MR478 MW454 MX484 MY458 MZ508 NA516 NC540 NE562 NG566 NI558 NL528 NO578 NP524 NZ554 OM512 PA591 PE604 PG598 PH608 ' +
  'PK586 PL616 PR630 PS275 PT620 PY600 QA634 RO642 RS688 RU643 RW646 SA682 SB090 SD729 SE752 SI705 SK703 SL694 SN686 SO706 SR740 SS728 SV222 SY760 SZ748 ' +
  'TD148 TF260 TG768 TH764 TJ762 TL626 TM795 TN788 TR792 TT780 TW158 TZ834 UA804 UG800 US840 UY858 UZ860 VE862 VN704 VU548 YE887 ZA710 ZM894 ZW716';

export const numeric: ReadonlyMap<string, string> = new Map(codes.split(' ').map((c) => [c.slice(0, 2), c.slice(2)]));

// Places that are too small for the map to have a shape, as a point: longitude, latitude.
export const points: Readonly<Record<string, readonly [number, number]>> = {
  SG: [103.8, 1.35], HK: [114.2, 22.3], MO: [113.5, 22.2], BH: [50.5, 26.1], MT: [14.4, 35.9], MU: [57.6, -20.3], SC: [55.5, -4.7], MV: [73.5, 4.2], AD: [1.5, 42.5],
  LI: [9.5, 47.1], MC: [7.4, 43.7], SM: [12.5, 43.9], GI: [-5.4, 36.1], JE: [-2.1, 49.2], GG: [-2.6, 49.5], IM: [-4.5, 54.2], BB: [-59.5, 13.2], CW: [-69, 12.2],
  BM: [-64.8, 32.3], KY: [-81.3, 19.3], VG: [-64.6, 18.4], CV: [-23.6, 15.1], GU: [144.8, 13.4], RE: [55.5, -21.1], GP: [-61.5, 16.2], MQ: [-61, 14.6], WS: [-172.1, -13.8],
}; // prettier-ignore

// Names that Intl does not know: ISO's own, and those of geography databases and firewalls.
const aliases: Readonly<Record<string, string>> = {
  unitedstatesofamerica: 'US', usa: 'US', uk: 'GB', greatbritain: 'GB', unitedkingdomofgreatbritainandnorthernireland: 'GB', russianfederation: 'RU', korearepublicof: 'KR',
  republicofkorea: 'KR', koreademocraticpeoplesrepublicof: 'KP', iranislamicrepublicof: 'IR', syrianarabrepublic: 'SY', moldovarepublicof: 'MD', republicofmoldova: 'MD',
  venezuelabolivarianrepublicof: 'VE', boliviaplurinationalstateof: 'BO', tanzaniaunitedrepublicof: 'TZ', laopeoplesdemocraticrepublic: 'LA', czechrepublic: 'CZ', turkey: 'TR',
  turkiye: 'TR', macedonia: 'MK', taiwanprovinceofchina: 'TW', palestinestateof: 'PS', burma: 'MM', swaziland: 'SZ', capeverde: 'CV', thenetherlands: 'NL', ivorycoast: 'CI',
  congo: 'CG', congothedemocraticrepublicofthe: 'CD', bruneidarussalam: 'BN', macao: 'MO', hongkong: 'HK',
}; // prettier-ignore

const plain = (name: string): string => name.normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase().replace(/&/g, 'and').replace(/[^a-z]/g, '');

const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });
const known = [...numeric.keys(), ...Object.keys(points)];
const byName = new Map<string, string>(known.map((code) => [plain(names.of(code) ?? ''), code]));

// codeOf returns the alpha-2 code of what a log says; undefined when it means no country that is known here.
export function codeOf(country: string): string | undefined {
  const upper = country.trim().toUpperCase();
  if (/^[A-Z]{2}$/.test(upper)) {
    const code = upper === 'UK' ? 'GB' : upper;
    return names.of(code) ? code : undefined;
  }
  const name = plain(country);
  if (Object.hasOwn(aliases, name)) return aliases[name];
  return byName.get(name);
}

export const nameOf = (code: string): string => names.of(code) ?? code;

export interface Place {
  // Alpha-2, or what the log says when it is no country.
  code: string;
  name: string;
  count: number;
  // What the log says, in all ways that occurred.
  texts: string[];
}

// places adds up what means the same country, the most frequent first.
export function places(counts: readonly { country: string; count: bigint }[]): Place[] {
  const out = new Map<string, Place>();
  for (const { country, count } of counts) {
    const code = codeOf(country);
    const key = code ?? country;
    const place = out.get(key) ?? { code: key, name: code ? nameOf(code) : country, count: 0, texts: [] };
    place.count += Number(count);
    place.texts.push(country);
    out.set(key, place);
  }
  return [...out.values()].sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
}

// queryOf finds the events of a country in whichever field its log has it.
export function queryOf(place: Place): string {
  const terms = place.texts.flatMap((t) =>
    /^[A-Za-z]{2}$/.test(t)
      ? [`source.geo.country_iso_code:=${JSON.stringify(t)}`]
      : [`source.geo.country_name:=${JSON.stringify(t)}`, `fortinet.firewall.srccountry:=${JSON.stringify(t)}`],
  );
  return terms.length === 1 ? terms[0]! : `(${terms.join(' or ')})`;
}
