import type { Pool } from 'pg';
import type { Settings } from '../../config/settings';
import { readStoredKeys } from '../../installation/installation-key.queries';
import { openedKey } from '../../installation/sealed-keys';
import { boxOfAllKeys } from '../reseal/sealed-secrets';
import { advice, ok, type Finding } from '../../db/condition/finding';

export type KeySettings = Pick<Settings, 'INSTALLATION_KEY' | 'DESTINATIONS_SECRET_KEY'>;

export interface SigningKeys {
  /** Whether INSTALLATION_KEY is set here. */
  isSet: boolean;
  /** The key that StreamForge has made. `unopened`: no key of DESTINATIONS_SECRET_KEY has sealed it. */
  own: 'none' | 'opened' | 'unopened';
  /** The INSTALLATION_KEY that a process has started with last. `known`: the one that is set here, or one of the two. */
  given: 'none' | 'known' | 'other' | 'unopened';
}

/** Compares the keys that sign messages: the one that is set here, and those that the database keeps. Needs the schema. */
export async function checkInstallationKey(pool: Pool, settings: KeySettings): Promise<Finding[]> {
  const { sealed, givenSealed } = await readStoredKeys(pool);
  const box = await boxOfAllKeys(pool, settings.DESTINATIONS_SECRET_KEY);
  const given = givenSealed && box && openedKey(box, 'given', givenSealed);
  const isKnown = given ? settings.INSTALLATION_KEY.some((key) => key.equals(given)) : false;
  return assessInstallationKey({
    isSet: settings.INSTALLATION_KEY.length > 0,
    own: !sealed ? 'none' : box && openedKey(box, 'own', sealed) ? 'opened' : 'unopened',
    given: !givenSealed ? 'none' : !given ? 'unopened' : isKnown ? 'known' : 'other',
  });
}

const WHAT = 'signing key';
const UNOPENED = 'no key in DESTINATIONS_SECRET_KEY opens the';

export function assessInstallationKey(keys: SigningKeys): Finding[] {
  const findings = keys.isSet ? besideSetKey(keys) : withoutSetKey(keys);
  if (findings.length > 0) return findings;
  const signer = keys.isSet ? 'INSTALLATION_KEY signs messages' : 'the key in the database signs messages';
  return [ok(WHAT, keys.own === 'none' && !keys.isSet ? 'the first process makes it.' : `${signer}.`)];
}

function besideSetKey({ own, given }: SigningKeys): Finding[] {
  const findings: Finding[] = [];
  if (own === 'opened') {
    findings.push(
      advice(
        WHAT,
        'INSTALLATION_KEY is set, and the key in the database is trusted as well: once all processes have INSTALLATION_KEY, ' +
          'run update installation set installation_key = null, and restart them.',
      ),
    );
  }
  if (own === 'unopened') {
    findings.push(
      advice(
        WHAT,
        `INSTALLATION_KEY is set, and ${UNOPENED} key in the database, so messages of processes without INSTALLATION_KEY ` +
          'are dropped: add the key that sealed it, or give all processes INSTALLATION_KEY and run update installation set installation_key = null.',
      ),
    );
  }
  if (given === 'other') {
    findings.push(
      advice(
        WHAT,
        'a process has started with another INSTALLATION_KEY, so the two may drop messages of each other: give all processes ' +
          'the same value, or, to rotate the key, the same two values.',
      ),
    );
  }
  return given === 'unopened' ? [...findings, unopenedGiven()] : findings;
}

function withoutSetKey({ own, given }: SigningKeys): Finding[] {
  const findings: Finding[] = [];
  if (own === 'unopened') {
    findings.push(
      advice(
        WHAT,
        `${UNOPENED} key in the database that signs messages: add the key that sealed it, or give all processes INSTALLATION_KEY.`,
      ),
    );
  }
  if (given === 'other') {
    findings.push(
      advice(
        WHAT,
        'a process has started with INSTALLATION_KEY, which is trusted as well: give it to all processes, or, once none has it, ' +
          'run update installation set given_installation_key = null, and restart them.',
      ),
    );
  }
  return given === 'unopened' ? [...findings, unopenedGiven()] : findings;
}

const unopenedGiven = (): Finding =>
  advice(
    WHAT,
    `${UNOPENED} INSTALLATION_KEY that the database keeps, so messages of processes that have it may be dropped: add the key ` +
      'that sealed it, or restart a process that has INSTALLATION_KEY.',
  );
