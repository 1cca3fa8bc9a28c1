import type { Handshake } from './handshake';
export const HANDSHAKES: Readonly<Record<string, Handshake | readonly Handshake[]>> = {};
