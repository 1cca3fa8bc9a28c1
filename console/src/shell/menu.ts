import { isAtLeast, type Role } from '../session/roles';

export const MENU_GROUPS = ['Now', 'Repair', 'Set up', 'Operate'] as const;

interface MenuEntry {
  group: (typeof MENU_GROUPS)[number];
  name: string;
  /** A path of router.tsx. */
  to: `/${string}`;
  /** `g` and then this key leads to the page. No two entries have the same one. */
  key: string;
  /** The least role that may open the page. Default: viewer */
  least?: Role;
  /** The page concerns all tenants, so who is bound to some may not open it. */
  allTenants?: boolean;
}

/** The pages of the menu, in the order in which it shows them. The keys, the help and the palette read them here. */
export const MENU = [
  { group: 'Now', name: 'Overview', to: '/', key: 'o' },
  { group: 'Now', name: 'Live', to: '/live', key: 'l' },
  { group: 'Now', name: 'Events', to: '/events', key: 'e' },
  { group: 'Repair', name: 'Dead letters', to: '/dead-letters', key: 'd' },
  { group: 'Repair', name: 'Rejections', to: '/rejections', key: 'r' },
  { group: 'Repair', name: 'Replays', to: '/replays', key: 'p' },
  { group: 'Set up', name: 'Sources', to: '/sources', key: 's' },
  { group: 'Set up', name: 'Destinations', to: '/destinations', key: 't' },
  { group: 'Set up', name: 'Tenants', to: '/tenants', key: 'n' },
  { group: 'Set up', name: 'Operators', to: '/operators', key: 'w', least: 'owner' },
  { group: 'Operate', name: 'Outbox', to: '/outbox', key: 'b', allTenants: true },
  { group: 'Operate', name: 'Audit', to: '/audit', key: 'a' },
  { group: 'Operate', name: 'Health', to: '/health', key: 'h', allTenants: true },
  { group: 'Operate', name: 'Usage', to: '/usage', key: 'u' },
] as const satisfies readonly MenuEntry[];

export type MenuPage = (typeof MENU)[number];

/** Returns the pages that this caller may open. */
export const menuOf = ({ role, seesAll }: { role: Role; seesAll: boolean }): MenuPage[] =>
  MENU.filter(
    ({ least = 'viewer', allTenants = false }: MenuEntry) => isAtLeast(role, least) && (seesAll || !allTenants),
  );
